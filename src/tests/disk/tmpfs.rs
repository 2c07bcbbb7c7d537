//! A small disk of its own that can be filled.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs below a folder; unmounted with it.
pub struct Tmpfs {
    folder: tempfile::TempDir,
}

impl Tmpfs {
    /// With such options as `size=64m`. None where mounting isn't allowed: the tests need root.
    pub fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "slipway-test"])
            .arg(folder.path())
            .output()
            .expect("mount runs");
        if mounted.status.success() {
            return Some(Self { folder });
        }
        eprintln!("left out, no disk can be mounted: {}", String::from_utf8_lossy(&mounted.stderr));
        None
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes all there is but so many bytes.
    pub fn fill_but(&self, left: u64) {
        let found = nix::sys::statvfs::statvfs(self.path()).expect("a disk");
        let take = (found.blocks_available() * found.fragment_size()).saturating_sub(left);
        if take > 0 {
            let file = File::create(self.filler()).expect("a file");
            nix::fcntl::posix_fallocate(&file, 0, take.try_into().expect("small")).expect("there is so much");
        }
    }

    /// Takes the last byte, also those that somebody else frees meanwhile.
    pub fn fill(&self) {
        if !self.filler().exists() {
            self.fill_but(64 << 10);
        }
        let mut file = File::options().append(true).create(true).open(self.filler()).expect("a file");
        while file.write_all(&[0; 4_096]).is_ok() {}
    }

    pub fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("removed");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a database may be closing yet.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}
