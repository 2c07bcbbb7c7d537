//! Room on disks: what is enough for builds, and what is getting tight.

use super::id::RegistryId;
use super::text;
use serde::{Deserialize, Serialize};

/// What keeps its data there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Place {
    /// Slipway's data folder.
    Data,
    /// Docker's images, containers and build cache.
    Docker,
    /// The volume of a managed registry.
    Registry {
        /// Which.
        id: RegistryId,
        /// Its name.
        name: String,
    },
}

impl Place {
    /// As it stands in a list.
    pub fn name(&self) -> String {
        match self {
            Self::Data => "Slipway's data folder".into(),
            Self::Docker => "Docker's images and build cache".into(),
            Self::Registry { name, .. } => format!("registry {name}"),
        }
    }
}

/// What there is on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Bytes that can be written yet.
    pub free: u64,
    /// All bytes.
    pub total: u64,
    /// Files that can be made yet.
    pub free_files: u64,
    /// All files there can be; 0: there is no such limit.
    pub files: u64,
}

impl Room {
    /// `12.3 GB of 50.0 GB are free`, and files where they are what is short.
    pub fn words(&self) -> String {
        let bytes = format!("{} of {} are free", text::bytes(self.free), text::bytes(self.total));
        if self.is_short_of_files(FEW_FILES * 2) {
            format!("{bytes}, and only {} more files can be made", text::figure(self.free_files))
        } else {
            bytes
        }
    }

    fn is_short_of_files(&self, few: u64) -> bool {
        self.files > 0 && self.free_files < few.min(self.files / 50)
    }
}

/// Fewer files than that (or a fiftieth, if that is less) are too few for a checkout.
const FEW_FILES: u64 = 10_000;
/// Below this share of the whole it is getting tight…
const TIGHT_SHARE: u64 = 20;
/// …unless so much is free all the same.
const PLENTY: u64 = 5_000_000_000;

/// Whether it will be full soon.
pub fn is_tight(free: u64, total: u64) -> bool {
    free < (total / TIGHT_SHARE).min(PLENTY)
}

/// How much has to be free where a build writes: so many bytes, or a share of a disk on which that is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Bytes.
    pub bytes: u64,
    /// Hundredths of the whole.
    pub percent: u64,
}

impl Default for Needs {
    fn default() -> Self {
        Self { bytes: 2 << 30, percent: 5 }
    }
}

impl Needs {
    /// On a disk of this size.
    pub fn of(&self, total: u64) -> u64 {
        self.bytes.min((total / 100).saturating_mul(self.percent))
    }

    /// How it stands there.
    pub fn level(&self, room: Room) -> Level {
        let need = self.of(room.total);
        // Who wants no guard (0) gets the warning all the same.
        if room.free < need || (need > 0 && room.is_short_of_files(FEW_FILES)) {
            Level::Short
        } else if is_tight(room.free, room.total)
            || room.free < need.saturating_mul(2)
            || room.is_short_of_files(FEW_FILES * 2)
        {
            Level::Tight
        } else {
            Level::Fine
        }
    }
}

/// How it stands with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// There is room.
    Fine,
    /// It will be full soon.
    Tight,
    /// New builds aren't started.
    Short,
}

/// A file system, what keeps its data there, and the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// What keeps its data there; those that share a file system stand together.
    pub places: Vec<Place>,
    /// What there is; none: it can't be seen from here.
    pub room: Option<Room>,
    /// How it stands; fine where it can't be seen.
    pub level: Level,
    /// Bytes that builds need free there.
    pub needed: u64,
}

impl Space {
    /// What keeps its data there, in one text.
    pub fn name(&self) -> String {
        let names: Vec<_> = self.places.iter().map(Place::name).collect();
        let text = match names.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        };
        let mut letters = text.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    fn room(free: u64, total: u64) -> Room {
        Room { free, total, free_files: 0, files: 0 }
    }

    #[test]
    fn a_large_disk_is_tight_later_than_its_share() {
        for (free, total, tight) in [
            (0, 4_000_000, true),
            (100_000, 4_000_000, true),
            (200_000, 4_000_000, false),
            (4 * GB, 100 * GB, true),
            (6 * GB, 10_000 * GB, false),
        ] {
            assert_eq!(is_tight(free, total), tight, "{free} of {total}");
        }
        assert_eq!(room(0, 4_000_000).words(), "0 B of 4.0 MB are free");
    }

    #[test]
    fn builds_need_two_gibibytes_or_a_twentieth_and_there_is_a_warning_before() {
        let needs = Needs::default();
        for (free, total, level) in [
            (GB, 100 * GB, Level::Short),
            (3 * GB, 100 * GB, Level::Tight),
            (6 * GB, 100 * GB, Level::Fine),
            // A small disk: 64 MiB.
            (3_000_000, 64 << 20, Level::Short),
            (5_000_000, 64 << 20, Level::Tight),
            (10_000_000, 64 << 20, Level::Fine),
        ] {
            assert_eq!(needs.level(room(free, total)), level, "{free} of {total}");
        }
        let off = Needs { bytes: 0, percent: 5 };
        assert_eq!(off.level(room(0, GB)), Level::Tight);
    }

    #[test]
    fn files_run_out_too() {
        let needs = Needs::default();
        let with = |free_files, files| Room { free_files, files, ..room(50 * GB, 100 * GB) };
        assert_eq!(needs.level(with(5_000, 6_000_000)), Level::Short);
        assert_eq!(needs.level(with(15_000, 6_000_000)), Level::Tight);
        assert_eq!(needs.level(with(600_000, 6_000_000)), Level::Fine);
        assert_eq!(needs.level(with(0, 0)), Level::Fine);
        assert!(with(5_000, 6_000_000).words().ends_with("are free, and only 5,000 more files can be made"));
    }

    #[test]
    fn places_on_one_disk_are_one_name() {
        let space = Space { places: vec![Place::Data, Place::Docker], room: None, level: Level::Fine, needed: 0 };
        assert_eq!(space.name(), "Slipway's data folder and Docker's images and build cache");
    }
}
