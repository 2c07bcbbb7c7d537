//! A file that does nothing but take room, so that there is some to give back when the disk is full: then the database can
//! write what a clean-up needs.

use app::model::disk::Room;
use nix::fcntl::posix_fallocate;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What it takes.
const SIZE: u64 = 4 << 20;
/// With less than that free the disk counts as full.
const FULL: u64 = 1 << 20;
/// With so much free it is made again.
const ROOMY: u64 = 8 * SIZE;

/// The file.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tended {
    /// Nothing had to be done.
    Same,
    /// It was given back.
    Released,
    /// It is there again.
    Made,
}

impl Reserve {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join("reserve") }
    }

    /// Gives it back when the disk is full, makes it when there is room.
    pub(super) fn tend(&self, room: Room) -> std::io::Result<Tended> {
        let is_there = self.path.exists();
        let is_full = room.free < FULL || (room.files > 0 && room.free_files == 0);
        if is_there && is_full {
            std::fs::remove_file(&self.path)?;
            return Ok(Tended::Released);
        }
        if !is_there && room.free >= ROOMY && !is_full {
            return self.make().map(|()| Tended::Made);
        }
        Ok(Tended::Same)
    }

    fn make(&self) -> std::io::Result<()> {
        let made =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path).and_then(|file| {
                posix_fallocate(&file, 0, SIZE.try_into().unwrap_or(i64::MAX)).map_err(std::io::Error::from)
            });
        // Half of one is none.
        made.inspect_err(|_| drop(std::fs::remove_file(&self.path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_while_there_is_room_and_gone_while_there_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let reserve = Reserve::new(folder.path());
        let room = |free| Room { free, total: 64 << 20, free_files: 10, files: 100 };
        let size = || std::fs::metadata(folder.path().join("reserve")).map(|found| found.len()).ok();
        assert_eq!(reserve.tend(room(10 << 20)).expect("tended"), Tended::Same, "a disk with little room keeps it");
        assert_eq!(reserve.tend(room(40 << 20)).expect("tended"), Tended::Made);
        assert_eq!(size(), Some(SIZE));
        assert_eq!(reserve.tend(room(5 << 20)).expect("tended"), Tended::Same);
        assert_eq!(reserve.tend(room(1_000)).expect("tended"), Tended::Released);
        assert_eq!(size(), None);
        assert_eq!(reserve.tend(room(4 << 20)).expect("tended"), Tended::Same, "it doesn't come and go");
        assert_eq!(reserve.tend(room(40 << 20)).expect("tended"), Tended::Made);
        let no_files = Room { free_files: 0, ..room(40 << 20) };
        assert_eq!(reserve.tend(no_files).expect("tended"), Tended::Released);
    }
}
