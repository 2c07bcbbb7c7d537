//! Samples of the garbage of registries.

use super::{bits, managed, now};
use app::model::id::{JobId, RegistryId};
use app::model::job::JobState;
use app::model::registry::{Below, Disk, Garbage, GarbageRule, GarbageRun, GarbageWhy};

/// Of one registry: the first has a history, the second nothing yet; at the third it is collected now.
pub fn of(id: &RegistryId) -> Garbage {
    let run = |n: u8, state, why, ago: i64, took: Option<i64>, bytes: Option<u64>| GarbageRun {
        job: JobId::from_random(bits(n)),
        state,
        why,
        started: now() - ago,
        ended: took.map(|took| now() - ago + took),
        shut: Some(now() - ago + 2),
        blobs: bytes.map(|_| 1_204),
        bytes,
    };
    let runs = vec![
        run(1, Some(JobState::Succeeded), GarbageWhy::Schedule, 90_000, Some(64), Some(4_210_000_000)),
        run(2, Some(JobState::Failed), GarbageWhy::Asked, 190_000, Some(30), None),
        run(3, None, GarbageWhy::Space, 900_000, Some(400), Some(0)),
    ];
    let disk = Some(Disk { free: 2_000_000_000, total: 50_000_000_000 });
    match managed::ids().iter().position(|other| other == id) {
        Some(0) => Garbage {
            rule: GarbageRule { every_hours: Some(168), below: Some(Below::Percent(10)) },
            due: Some(now() + 500_000),
            disk,
            runs,
            ..Garbage::default()
        },
        Some(2) => Garbage {
            shut_since: Some(now() - 40),
            job: Some(JobId::from_random(bits(1))),
            rule: GarbageRule { every_hours: None, below: Some(Below::Bytes(20_000_000_000)) },
            disk,
            runs,
            ..Garbage::default()
        },
        _ => Garbage::default(),
    }
}
