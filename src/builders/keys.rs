//! Keys of TLS connections as files, which is the only way in which buildx takes them.
//!
//! What must always hold: they are readable by Slipway alone, and there only while somebody needs them.

use app::model::builder::Tls;
use app::model::id::BuilderId;
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The files of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyFiles {
    pub(super) ca: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl KeyFiles {
    /// Where those of a machine are: always the same, as buildx remembers it.
    pub(super) fn of(folder: &Path, id: &BuilderId, number: u32) -> Self {
        let file = |what: &str| folder.join("keys").join(id.short()).join(format!("{number}.{what}.pem"));
        Self { ca: file("ca"), certificate: file("certificate"), key: file("key") }
    }
}

/// Who holds which builder's files.
#[derive(Debug, Default)]
pub(super) struct Held(Arc<Mutex<HashMap<BuilderId, Weak<Files>>>>);

/// The files of a builder; they go when nobody holds this any more.
#[derive(Debug)]
pub(super) struct Files {
    id: BuilderId,
    folder: PathBuf,
    held: Arc<Mutex<HashMap<BuilderId, Weak<Files>>>>,
}

impl Held {
    /// Writes the files, unless somebody else holds them already.
    pub(super) fn hold(&self, root: &Path, id: &BuilderId, all: &[(u32, Tls)]) -> io::Result<Arc<Files>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.get(id).and_then(Weak::upgrade);
        // Made before they are written, so that half of them goes as well.
        let files = before.unwrap_or_else(|| {
            Arc::new(Files { id: id.clone(), folder: root.join("keys").join(id.short()), held: Arc::clone(&self.0) })
        });
        held.insert(id.clone(), Arc::downgrade(&files));
        let written = all.iter().try_for_each(|(number, tls)| {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&files.folder)?;
            let paths = KeyFiles::of(root, id, *number);
            write(&paths.ca, &tls.ca)?;
            write(&paths.certificate, &tls.certificate)?;
            write(&paths.key, tls.key.expose("buildx reads it from a file"))
        });
        drop(held);
        written.map(|()| files)
    }

    /// Removes what an earlier run of the program left.
    pub(super) fn sweep(root: &Path) -> io::Result<()> {
        gone(std::fs::remove_dir_all(root.join("keys")))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have taken them up again since.
        if held.get(&self.id).is_some_and(|files| files.strong_count() > 0) {
            return;
        }
        held.remove(&self.id);
        if let Err(error) = gone(std::fs::remove_dir_all(&self.folder)) {
            tracing::warn!(%error, "keys of a builder can't be removed; the next start tries again");
        }
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Written beside and renamed: who reads meanwhile finds the old one or the new one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    gone(std::fs::remove_file(&beside))?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::secret::Secret;
    use std::os::unix::fs::PermissionsExt as _;

    fn tls() -> Tls {
        Tls { ca: "ca".into(), certificate: "certificate".into(), key: Secret::new("key".into()) }
    }

    #[test]
    fn keys_are_private_and_there_while_somebody_needs_them() {
        let root = tempfile::tempdir().expect("a folder");
        let (held, id) = (Held::default(), BuilderId::from_random([1; 8]));
        let paths = KeyFiles::of(root.path(), &id, 2);
        let first = held.hold(root.path(), &id, &[(2, tls())]).expect("written");
        let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&paths.key), mode(paths.key.parent().expect("a folder"))), (0o600, 0o700));
        assert_eq!(std::fs::read_to_string(&paths.key).expect("a key"), "key");
        let second = held.hold(root.path(), &id, &[(2, tls())]).expect("written");
        drop(first);
        assert!(paths.key.exists(), "somebody still needs it");
        drop(second);
        assert!(!paths.key.exists() && !paths.key.parent().expect("a folder").exists());
        let third = held.hold(root.path(), &id, &[(2, tls())]).expect("written");
        assert!(paths.ca.exists());
        std::mem::forget(third);
        Held::sweep(root.path()).expect("swept");
        assert!(!paths.ca.exists());
        Held::sweep(root.path()).expect("nothing to do");
    }
}
