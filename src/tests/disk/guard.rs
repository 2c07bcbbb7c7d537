//! HARDENING F3: where a build would write there is no room, so it isn't begun.

use super::tmpfs::Tmpfs;
use crate::builds::house::House;
use app::api::builds::BuildsApi as _;
use app::api::disk::DiskApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::disk::{Level, Place};
use app::model::id::RegistryId;
use app::model::job::JobState;
use async_trait::async_trait;
use slipway::disk::{NO_ROOM, Volume, Volumes};
use std::path::PathBuf;
use std::sync::Arc;

/// The house's registry, as if it kept its images here.
struct One {
    registry: RegistryId,
    folder: PathBuf,
}

#[async_trait]
impl Volumes for One {
    async fn volumes(&self) -> Vec<Volume> {
        vec![
            Volume { registry: self.registry.clone(), name: "Lab".into(), folder: Some(self.folder.clone()) },
            Volume { registry: RegistryId::from_random([9; 8]), name: "far".into(), folder: None },
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_builds_are_refused_where_their_registry_has_no_room_and_begin_when_it_has() {
    let Some(disk) = Tmpfs::mount("size=64m") else { return };
    let Some(house) = House::empty().await else { return };
    house.registry(&house.facts.lab.url().to_string()).await;
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    let registry = house.registries.list(&house.actor).await.expect("a list").remove(0).id;
    house.disks.set_volumes(Arc::new(One { registry: registry.clone(), folder: disk.path().into() }));
    house.disks.look().await;
    let spaces = house.disks.spaces(&house.actor).await.expect("what was seen");
    let of = |id: &RegistryId| {
        let is_it = |place: &Place| matches!(place, Place::Registry { id: it, .. } if it == id);
        spaces.iter().find(|space| space.places.iter().any(is_it)).expect("it is there")
    };
    assert_eq!(of(&registry).level, Level::Fine);
    assert_eq!(of(&RegistryId::from_random([9; 8])).room, None, "a volume elsewhere can't be seen");
    let docker = spaces.iter().find(|space| space.places.contains(&Place::Docker)).expect("Docker's root");
    assert!(docker.room.is_some(), "the lab's engine is on this machine");

    // Asked for in time, but then the disk fills.
    let queued = house.start().await;
    disk.fill();
    house.jobs.start(house.stop.clone());
    let problem = house.fails(&queued).await;
    assert_eq!(problem.code, NO_ROOM, "{problem:?}");
    assert!(problem.cause.contains("registry Lab") && problem.cause.contains("builds need 3.4 MB"), "{problem}");

    // Asked for too late.
    let refused = house.builds.start(&house.actor, &house.service, true, false).await;
    let Err(AppError::Blocked(blockers)) = refused else { panic!("it isn't refused: {refused:?}") };
    assert_eq!(blockers.len(), 1, "{blockers:?}");
    assert!(blockers[0].reason.contains("registry Lab"), "{blockers:?}");
    assert_eq!(
        blockers[0].link.as_ref().map(|link| link.href.as_str()),
        Some(problem.link.expect("a link").href.as_str())
    );
    let builds = house.builds.list(&house.actor, None, 10).await.expect("a list");
    assert_eq!(builds.len(), 1, "nothing was queued");

    disk.make_room();
    let id = house.start().await;
    house.until(&id, JobState::Succeeded).await;
}
