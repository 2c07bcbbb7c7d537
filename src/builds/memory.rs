//! The folder with the secrets of one build: in memory (tmpfs) where there is some, so that they reach no disk; else in the
//! build's private folder.
//!
//! What must always hold: nobody else may look in (0700, files 0600); a file is overwritten and gone when the build is over,
//! however it ends; what a killed run left is gone after the next start. The name says whose it is, so that two Slipways
//! leave each other's alone.

use app::model::id::BuildId;
use app::model::secret::Secret;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Where Linux has memory that looks like a disk; in this order.
const PLACES: [&str; 2] = ["/run", "/dev/shm"];

/// Files with secrets while they are needed.
#[derive(Debug)]
pub(super) struct SecretFolder {
    root: PathBuf,
}

impl SecretFolder {
    /// A new folder of this try of a build; `beside` is used where there is no memory, and says who we are.
    pub(super) fn create(data: &Path, id: &BuildId, attempt: i64, beside: &Path) -> io::Result<Self> {
        let name = format!("{}{id}.{attempt}", prefix(data));
        let owner = std::fs::metadata(beside)?.uid();
        for place in PLACES.map(Path::new).into_iter().filter(|place| is_memory(place)) {
            let root = place.join(&name);
            // What an earlier run left; somebody else's stays, and makes the next line fail.
            if is_ours(&root, owner) {
                wipe(&root);
            }
            if std::fs::DirBuilder::new().mode(0o700).create(&root).is_ok() {
                return Ok(Self { root });
            }
        }
        let root = beside.join("secrets");
        std::fs::DirBuilder::new().mode(0o700).create(&root)?;
        Ok(Self { root })
    }

    /// Writes one; the path has nothing of the secret's name in it.
    pub(super) fn write(&self, index: usize, value: &Secret) -> io::Result<PathBuf> {
        let path = self.root.join(index.to_string());
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(value.expose("BuildKit reads it from its file").as_bytes())?;
        Ok(path)
    }
}

impl Drop for SecretFolder {
    fn drop(&mut self) {
        wipe(&self.root);
    }
}

/// Removes what builds of this data folder left, of one or of all.
pub(super) fn sweep(data: &Path, id: Option<&BuildId>) -> usize {
    let Ok(owner) = std::fs::metadata(data).map(|meta| meta.uid()) else { return 0 };
    let prefix = match id {
        Some(id) => format!("{}{id}.", prefix(data)),
        None => prefix(data),
    };
    let mut count = 0;
    for place in PLACES {
        let Ok(entries) = std::fs::read_dir(place) else { continue };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) && is_ours(&entry.path(), owner) {
                wipe(&entry.path());
                count += 1;
            }
        }
    }
    count
}

/// `slipway-<data folder>-`.
fn prefix(data: &Path) -> String {
    let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let hash = Sha256::digest(data.as_os_str().as_encoded_bytes());
    format!("slipway-{}-", app::model::text::hex(&hash[..8]))
}

fn is_memory(place: &Path) -> bool {
    statfs(place).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
}

/// A folder, no link, of our own user.
fn is_ours(path: &Path, owner: u32) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == owner)
}

/// Overwrites the files and removes the folder.
fn wipe(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        let Ok(mut file) = std::fs::OpenOptions::new().write(true).open(entry.path()) else { continue };
        let overwritten = io::copy(&mut io::Read::take(io::repeat(0), meta.len()), &mut file);
        if let Err(error) = overwritten {
            tracing::warn!(path = %entry.path().display(), %error, "a secret's file can't be overwritten; it is removed");
        }
    }
    if let Err(error) = std::fs::remove_dir_all(root)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %root.display(), %error, "a folder with secrets can't be removed; the next start tries again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn files_are_private_in_memory_where_there_is_some_and_gone_afterwards() {
        let data = tempfile::tempdir().expect("a folder");
        let (one, two) = (BuildId::from_random([1; 8]), BuildId::from_random([2; 8]));
        let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let folder = SecretFolder::create(data.path(), &one, 1, data.path()).expect("created");
        let path = folder.write(0, &Secret::new("hunter2".into())).expect("written");
        assert_eq!((mode(&folder.root), mode(&path)), (0o700, 0o600));
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "hunter2");
        if PLACES.into_iter().any(|place| is_memory(Path::new(place)) && folder.root.starts_with(place)) {
            assert!(!path.starts_with(data.path()));
        } else {
            assert!(path.starts_with(data.path()), "{}", path.display());
        }
        drop(folder);
        assert!(!path.exists());
        assert!(!path.parent().expect("a folder").exists());

        // A killed run leaves them; the same try again, the end of the build, and the next start remove them.
        let left = SecretFolder::create(data.path(), &one, 1, data.path()).expect("created");
        left.write(0, &Secret::new("hunter2".into())).expect("written");
        let root = left.root.clone();
        std::mem::forget(left);
        if root.starts_with(data.path()) {
            return;
        }
        let again = SecretFolder::create(data.path(), &one, 1, data.path()).expect("created");
        assert!(!again.root.join("0").exists());
        std::mem::forget(again);
        let other = SecretFolder::create(data.path(), &two, 1, data.path()).expect("created");
        assert_eq!(sweep(data.path(), Some(&one)), 1);
        assert!(!root.exists() && other.root.exists());
        assert_eq!(sweep(data.path(), None), 1);
        assert!(!other.root.exists());
    }

    #[test]
    fn another_slipways_are_left_alone() {
        let (ours, theirs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let folder =
            SecretFolder::create(theirs.path(), &BuildId::from_random([3; 8]), 1, theirs.path()).expect("made");
        assert_eq!(sweep(ours.path(), None), 0);
        assert!(folder.root.exists());
    }
}
