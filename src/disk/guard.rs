//! Whether there is room for one more build. Deployments and roll-backs aren't asked about: what they need is there, or is
//! pulled by the nodes.

use super::Disks;
use app::error::{AppError, Blocker, Link, Problem};
use app::model::disk::{Level, Place, Space};
use app::model::id::RegistryId;
use app::model::text;
use app::paths;

/// The code of the problem.
pub const NO_ROOM: &str = "disk.no_room";

impl Disks {
    /// Whether a build may be asked for that pushes to this registry: by fresh figures of the places that are known.
    pub async fn may_ask(&self, registry: &RegistryId) -> Result<(), AppError> {
        let blockers: Vec<_> = short(&self.measure_again().await, registry).into_iter().map(blocker).collect();
        if blockers.is_empty() { Ok(()) } else { Err(AppError::Blocked(blockers)) }
    }

    /// The same when it begins, after a new look; the first place that is short.
    pub async fn may_begin(&self, registry: &RegistryId) -> Result<(), Problem> {
        match short(&self.look().await, registry).into_iter().next() {
            None => Ok(()),
            Some((place, space)) => {
                let link = remedy(&place);
                Err(Problem::new(
                    NO_ROOM,
                    reason(&place, &space),
                    "Clean up, delete what nobody needs, or make the disk larger. Then build again; what runs isn't touched.",
                )
                .with_link(link.href, link.text))
            }
        }
    }
}

/// What a build to this registry writes to and where there is too little room.
fn short(spaces: &[Space], registry: &RegistryId) -> Vec<(Place, Space)> {
    let concerns = |place: &Place| match place {
        Place::Data | Place::Docker => true,
        Place::Registry { id, .. } => id == registry,
    };
    let short = spaces.iter().filter(|space| space.level == Level::Short);
    // One line for each disk: what can be cleaned up there comes first.
    let rank = |place: &&Place| match place {
        Place::Docker => 0,
        Place::Registry { .. } => 1,
        Place::Data => 2,
    };
    short
        .filter_map(|space| {
            let place = space.places.iter().filter(|place| concerns(place)).min_by_key(rank)?;
            Some((place.clone(), space.clone()))
        })
        .collect()
}

fn reason(place: &Place, space: &Space) -> String {
    let room = space.room.map(|room| room.words()).unwrap_or_default();
    format!(
        "There isn't enough room for a build: on the disk with {}, {room}, and builds need {}.",
        place.name(),
        text::bytes(space.needed)
    )
}

fn blocker((place, space): (Place, Space)) -> Blocker {
    Blocker { reason: reason(&place, &space), link: Some(remedy(&place)) }
}

/// Where room can be made.
fn remedy(place: &Place) -> Link {
    let (href, text) = match place {
        Place::Registry { id, .. } => (paths::registry_garbage(id), "Collect its garbage"),
        Place::Data | Place::Docker => (paths::OVERVIEW.to_owned(), "See the room on disks"),
    };
    Link { href, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::disk::Room;

    #[test]
    fn only_what_the_build_writes_to_counts_and_each_disk_once() {
        let (mine, other) = (RegistryId::from_random([1; 8]), RegistryId::from_random([2; 8]));
        let registry = |id: &RegistryId| Place::Registry { id: id.clone(), name: "main".into() };
        let space = |places: Vec<Place>, level| Space {
            places,
            room: Some(Room { free: 1_000_000, total: 100_000_000, free_files: 0, files: 0 }),
            level,
            needed: 5_000_000,
        };
        let of = |spaces: &[Space]| short(spaces, &mine).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
        assert_eq!(of(&[space(vec![Place::Data, Place::Docker], Level::Tight)]), []);
        assert_eq!(of(&[space(vec![Place::Data, Place::Docker], Level::Short)]), [Place::Docker]);
        assert_eq!(of(&[space(vec![registry(&other)], Level::Short)]), []);
        assert_eq!(of(&[space(vec![registry(&mine)], Level::Short)]), [registry(&mine)]);
        let found = blocker((registry(&mine), space(vec![registry(&mine)], Level::Short)));
        assert_eq!(
            found.reason,
            "There isn't enough room for a build: on the disk with registry main, 1.0 MB of 100.0 MB are free, and builds need 5.0 MB."
        );
        assert_eq!(found.link.map(|link| link.href), Some(paths::registry_garbage(&mine)));
    }
}
