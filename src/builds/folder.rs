//! The private folder of one build, `builds/<build>.<try>` in the data folder: home of git, checkout, login, metadata.
//!
//! What must always hold: nobody else may look in (0700); it is gone when the build is over, however it ends; whatever an
//! earlier run of the program left is gone after the next start. Each try has its own, so that a program of a killed
//! Slipway that lives on for a second can't get in the way of the next.

use app::model::id::BuildId;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

pub(super) struct BuildFolder {
    root: PathBuf,
}

impl BuildFolder {
    pub(super) fn create(builds: &Path, id: &BuildId, attempt: i64) -> io::Result<Self> {
        private(builds)?;
        let root = builds.join(format!("{id}.{attempt}"));
        remove(&root)?;
        private(&root)?;
        // From here on it is removed, also when the next line fails.
        let folder = Self { root };
        private(&folder.home())?;
        Ok(folder)
    }

    /// HOME of the programs; holds nothing of anybody.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The checkout.
    pub(super) fn source(&self) -> PathBuf {
        self.root.join("source")
    }

    /// A Dockerfile that isn't the repository's.
    pub(super) fn recipe(&self) -> PathBuf {
        self.root.join("recipe")
    }

    /// DOCKER_CONFIG.
    pub(super) fn login(&self) -> PathBuf {
        self.root.join(".docker")
    }

    /// BUILDX_CONFIG.
    pub(super) fn buildx(&self) -> PathBuf {
        self.root.join("buildx")
    }

    /// What buildx tells about the image.
    pub(super) fn metadata(&self) -> PathBuf {
        self.root.join("metadata.json")
    }
}

impl Drop for BuildFolder {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.root) {
            tracing::warn!(path = %self.root.display(), %error, "a build folder can't be removed; the next start tries again");
        }
    }
}

/// Removes the folders of one build.
pub(super) fn remove_of(builds: &Path, id: &BuildId) -> io::Result<()> {
    let prefix = format!("{id}.");
    for path in below(builds)? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes all build folders; returns how many there were.
pub(super) fn sweep(builds: &Path) -> io::Result<usize> {
    let paths = below(builds)?;
    for path in &paths {
        remove(path)?;
    }
    Ok(paths.len())
}

/// A folder of 0700, also if it is there with another mode.
pub(super) fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

fn below(builds: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(builds) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Removes a file or a folder that may not be there. Never follows links.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_folder_is_private_and_gone_when_dropped() {
        let data = tempfile::tempdir().expect("a folder");
        let (builds, id) = (data.path().join("builds"), BuildId::from_random([3; 8]));
        let folder = BuildFolder::create(&builds, &id, 1).expect("created");
        let root = folder.root.clone();
        assert_eq!(std::fs::metadata(&root).expect("it is there").permissions().mode() & 0o777, 0o700);
        std::fs::write(folder.home().join("x"), "x").expect("a file");
        drop(folder);
        assert!(!root.exists() && builds.exists());
    }

    #[test]
    fn sweeping_follows_no_links() {
        let data = tempfile::tempdir().expect("a folder");
        let (builds, outside) = (data.path().join("builds"), data.path().join("outside"));
        std::fs::create_dir_all(builds.join("bld_x.1/source")).expect("a left folder");
        std::fs::create_dir(&outside).expect("a folder");
        std::fs::write(outside.join("keep"), "keep").expect("a file");
        std::os::unix::fs::symlink(&outside, builds.join("link")).expect("a link");
        std::os::unix::fs::symlink(&outside, builds.join("bld_x.1/source/link")).expect("a link");
        assert_eq!(sweep(&builds).expect("swept"), 2);
        assert_eq!(std::fs::read_dir(&builds).expect("a folder").count(), 0);
        assert!(outside.join("keep").exists());
        assert_eq!(sweep(&data.path().join("none")).expect("nothing to do"), 0);
    }
}
