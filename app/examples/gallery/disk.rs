//! Samples of room on disks.

use super::{Samples, World};
use app::api::disk::DiskApi;
use app::error::AppError;
use app::model::account::Actor;
use app::model::disk::{Needs, Place, Room, Space};
use app::model::id::RegistryId;
use async_trait::async_trait;

const GB: u64 = 1_000_000_000;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    Vec::new()
}

fn space(places: Vec<Place>, room: Option<(u64, u64)>) -> Space {
    let needs = Needs::default();
    let room = room.map(|(free, total)| Room { free, total, free_files: 0, files: 0 });
    Space {
        places,
        level: room.map_or(app::model::disk::Level::Fine, |room| needs.level(room)),
        needed: room.map_or(0, |room| needs.of(room.total)),
        room,
    }
}

#[async_trait]
impl DiskApi for Samples {
    async fn spaces(&self, _: &Actor) -> Result<Vec<Space>, AppError> {
        let registry = |n: u8, name: &str| Place::Registry { id: RegistryId::from_random([n; 8]), name: name.into() };
        Ok(match self.0 {
            World::New => Vec::new(),
            World::Empty | World::NoSwarm => {
                vec![space(vec![Place::Data, Place::Docker], Some((62 * GB, 240 * GB)))]
            }
            World::NoDocker => vec![space(vec![Place::Data], Some((GB, 100 * GB))), space(vec![Place::Docker], None)],
            World::Full => vec![
                space(vec![Place::Data, registry(1, "main")], Some((3 * GB, 80 * GB))),
                space(vec![Place::Docker], Some((GB, 100 * GB))),
                space(vec![registry(2, "a-registry-with-quite-a-long-name-in-it")], None),
            ],
        })
    }
}
