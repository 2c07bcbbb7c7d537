//! Room where a volume keeps images, as far as this process can see it.

use app::model::registry::Disk;
use app::model::text;
use std::path::Path;

/// Below this share of the whole it is getting tight…
const TIGHT_SHARE: u64 = 20;
/// …unless so much is free all the same.
const PLENTY: u64 = 5_000_000_000;

/// The room on the file system of a folder; None: it can't be seen from here, as when Slipway runs in a container.
pub(super) fn room(folder: &Path) -> Option<Disk> {
    // A folder that can't be entered may be another file system than the one that a container has there.
    std::fs::read_dir(folder).ok()?;
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
    Some(Disk { free: bytes(found.blocks_available()), total: bytes(found.blocks()) })
}

/// Whether it will be full soon.
pub(super) fn is_tight(disk: Disk) -> bool {
    disk.free < (disk.total / TIGHT_SHARE).min(PLENTY)
}

/// `12.3 GB of 50.0 GB are free`.
pub(super) fn words(disk: Disk) -> String {
    format!("{} of {} are free", text::bytes(disk.free), text::bytes(disk.total))
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
    }

    #[test]
    fn a_large_disk_is_tight_later_than_its_share() {
        for (free, total, tight) in [
            (0, 4_000_000, true),
            (100_000, 4_000_000, true),
            (200_000, 4_000_000, false),
            (4_000_000_000, 100_000_000_000, true),
            (6_000_000_000, 10_000_000_000_000, false),
        ] {
            assert_eq!(is_tight(Disk { free, total }), tight, "{free} of {total}");
        }
        assert_eq!(words(Disk { free: 0, total: 4_000_000 }), "0 B of 4.0 MB are free");
    }
}
