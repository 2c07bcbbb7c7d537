//! Room on the file system of a folder, as far as this process can see it.

use app::model::disk::{self, Room};
use app::model::registry::Disk;
use app::model::text;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The room there; None: it can't be seen from here, as when Slipway runs in a container.
pub fn room(folder: &Path) -> Option<Disk> {
    measure(folder).map(|(_, room)| Disk { free: room.free, total: room.total })
}

/// Whether it will be full soon.
pub fn is_tight(disk: Disk) -> bool {
    disk::is_tight(disk.free, disk.total)
}

/// `12.3 GB of 50.0 GB are free`.
pub fn words(disk: Disk) -> String {
    format!("{} of {} are free", text::bytes(disk.free), text::bytes(disk.total))
}

/// Which file system it is, and the room there.
pub(super) fn measure(folder: &Path) -> Option<(u64, Room)> {
    // A folder that can't be entered may be another file system than the one that a container has there.
    std::fs::read_dir(folder).ok()?;
    let device = std::fs::metadata(folder).ok()?.dev();
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
    let room = Room {
        free: bytes(found.blocks_available()),
        total: bytes(found.blocks()),
        free_files: found.files_available(),
        files: found.files(),
    };
    Some((device, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_seen_where_a_folder_is_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = room(folder.path()).expect("it is there");
        assert!(disk.total > 0 && disk.free <= disk.total, "{disk:?}");
        assert_eq!(room(&folder.path().join("none")), None);
        assert_eq!(words(Disk { free: 0, total: 4_000_000 }), "0 B of 4.0 MB are free");
    }
}
