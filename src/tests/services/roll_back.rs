//! Going back: by image or with settings, what waits then, and what comes back by itself when a version fails.

use super::deploy::{Story, says};
use super::restart::Life;
use super::world::{Sweep, World, form, unique};
use crate::swarm::{Lab, eventually, free_port};
use app::api::services::ServicesApi as _;
use app::model::build_record::Trigger;
use app::model::id::DeploymentId;
use app::model::image_ref::ImageRef;
use app::model::job::JobState;
use app::model::retention::Need;
use app::model::service::{Origin, ServiceForm};
use app::model::standing::{Back, PutBack, Standing};
use slipway::builds::{HandedOver, Services as _};
use std::time::Duration;

async fn standing(story: &Story) -> Standing {
    story.world.services.standing(&story.world.actor, &story.service).await.expect("a standing")
}

/// The variables and the image that the Swarm has.
fn runs(story: &Story) -> String {
    let format = "{{.Spec.TaskTemplate.ContainerSpec.Image}} {{.Spec.TaskTemplate.ContainerSpec.Env}}";
    story.lab.docker(&["service", "inspect", "-f", format, &story.in_swarm()])
}

/// What a push's build hands over.
async fn pushed(story: &Story, image: &ImageRef) -> HandedOver {
    let world = &story.world;
    let mut tx = world.db.write().await.expect("a transaction");
    let trigger = Trigger::Push { host: "GitHub".into(), by: "ada".into() };
    let build = world.built(&mut tx, &story.service, &story.registry, image, trigger).await;
    let handed = world.services.deploy(&mut tx, &build).await.expect("handed over");
    tx.commit().await.expect("committed");
    world.jobs.wake();
    handed
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_pauses_and_brings_back_what_was_chosen() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let (one, two) = (story.push("1", &says("version-1")), story.push("2", &says("version-2")));
    let first = story.up(&one).await;
    let service = world.services.get(&world.actor, &story.service).await.expect("there");
    let other = ServiceForm {
        ports: format!("{}:80", story.port),
        env: "MODE=test".into(),
        ..form(&service.project_name, &service.name)
    };
    world.services.update(&world.actor, &story.service, service.version, other).await.expect("changed");
    let second = story.up(&two).await;
    assert!(runs(&story).contains("MODE=test"));
    assert_eq!(standing(&story).await.pause, None);
    assert_eq!(pushed(&story, &two).await, HandedOver::Queued);
    let third = world.deployments(&story.service).await.remove(0);
    world.succeeded(&third.id).await;

    // The image alone, then all of it.
    let back = world.services.roll_back(&world.actor, &first.id, Back::Image).await.expect("asked for");
    let back = world.succeeded(&back).await;
    world.answers(story.port, "version-1").await;
    assert_eq!(back.origin, Origin::RollBack { to: first.id.clone(), number: 1, what: Back::Image });
    assert!(runs(&story).contains("MODE=test") && runs(&story).contains(&one.to_string()), "{}", runs(&story));
    let back = world.services.roll_back(&world.actor, &second.id, Back::All).await.expect("asked for");
    world.succeeded(&back).await;
    let back = world.services.roll_back(&world.actor, &first.id, Back::All).await.expect("asked for");
    world.succeeded(&back).await;
    assert!(runs(&story).contains("MODE=live"), "{}", runs(&story));

    // Pushes wait; what a person deploys doesn't, and the pause stays.
    let pause = standing(&story).await.pause.expect("paused");
    assert_eq!((pause.by.as_str(), pause.to, pause.next), ("owner", Some((first.id.clone(), 1)), None));
    let paused = world.services.paused(&world.actor).await.expect("asked");
    assert_eq!(paused.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&story.service]);
    assert_eq!(pushed(&story, &two).await, HandedOver::Held);
    let next = standing(&story).await.pause.and_then(|pause| pause.next).expect("a build waits");
    assert_eq!(next.number, 4);
    let count = world.deployments(&story.service).await.len();
    assert_eq!(world.services.resume(&world.actor, &story.service, false).await, Ok(None));
    assert_eq!(standing(&story).await.pause, None);
    assert_eq!(world.deployments(&story.service).await.len(), count, "resuming alone deploys nothing");

    let back = world.services.roll_back(&world.actor, &first.id, Back::Image).await.expect("asked for");
    world.succeeded(&back).await;
    let resumed = world.services.resume(&world.actor, &story.service, true).await.expect("resumed");
    let resumed = world.succeeded(&resumed.expect("a deployment")).await;
    assert_eq!((&resumed.image, standing(&story).await.pause), (&two, None));
    world.answers(story.port, "version-2").await;
    let back = world.services.roll_back(&world.actor, &first.id, Back::All).await.expect("asked for");
    world.succeeded(&back).await;
    story.up(&two).await;
    assert!(standing(&story).await.pause.is_some(), "by hand it is deployed, and the pause stays");

    // A pin outlasts the window.
    let need = async |id: &DeploymentId| standing(&story).await.of(id).and_then(|version| version.need);
    world.services.set_keep(&world.actor, &story.service, 1).await.expect("changed");
    assert_eq!((standing(&story).await.keep, need(&first.id).await), (1, None));
    world.services.pin(&world.actor, &first.id, true).await.expect("pinned");
    assert_eq!(need(&first.id).await, Some(Need::Pinned));
    let pin = standing(&story).await.of(&first.id).and_then(|version| version.pin.clone());
    assert_eq!(pin.map(|pin| pin.by), Some("owner".into()));
    world.services.pin(&world.actor, &first.id, false).await.expect("unpinned");
    assert_eq!(need(&first.id).await, None);
}

async fn put_back(world: &World, failed: &DeploymentId) -> Option<PutBack> {
    let service = world.deployment(failed).await.service;
    let standing = world.services.standing(&world.actor, &service).await.expect("a standing");
    standing.of(failed).and_then(|version| version.put_back.clone())
}

/// A version that was healthy at first and then isn't.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_sickens_goes_back_and_that_is_on_record() {
    let Some(story) = Story::begin(|form| form.health_command = "sh -c 'test ! -e /sick'".into()).await else { return };
    let world = &story.world;
    world.start();
    let good = story.up(&story.push("1", &says("version-1"))).await;
    let server = "mkdir -p /www; echo version-2 > /www/index.html; httpd -f -p 80 -h /www";
    let sickens = story.push("2", &format!("CMD [\"sh\", \"-c\", \"(sleep 8; touch /sick) & {server}\"]"));
    let failed = world.deploy(&story.service, &story.registry, &sickens).await;
    world.answers(story.port, "version-2").await;
    let failed = world.ended(&failed.id).await;
    assert_eq!(failed.state, JobState::Failed);
    assert!(failed.problem.as_ref().is_some_and(|problem| problem.cause.contains("health check")), "{failed:?}");
    let back = put_back(world, &failed.id).await.expect("on record");
    assert_eq!((back.number, back.id, back.at.is_some()), (1, good.id, true));
    world.answers(story.port, "version-1").await;
    assert_eq!(story.current().await, 1);
    assert_eq!(standing(&story).await.pause, None, "nobody asked for it, so nothing is paused");
}

/// Killed between the failure and the way back, or in the middle of it: the reason stays, and so does the record.
#[test]
fn a_death_on_the_way_back_changes_nothing() {
    let Some(lab) = Lab::find() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let world = World::open(folder.path(), &lab.docker_host).await;
        let registry = world.registry(&lab).await;
        let form = ServiceForm { ports: format!("{}:80", free_port()), ..form(&unique("killed"), "Web") };
        let service = world.create(form).await.expect("a service");
        let _sweep = Sweep(lab.clone(), service.clone());
        let repository = format!("swarm/{}", service.short());
        let good = lab.push(&repository, "1", &says("version-1"));
        let broken = lab.push(&repository, "0", "CMD [\"sh\", \"-c\", \"exit 3\"]");
        let life = Life::begin(folder.path());
        let first = world.deploy(&service, &registry, &good).await;
        world.succeeded(&first.id).await;
        drop(life);
        for column in ["gave_up", "put_back"] {
            let failing = world.deploy(&service, &registry, &broken).await;
            let life = Life::begin(folder.path());
            let sql = format!("SELECT 1 FROM deployments WHERE id = ? AND {column} IS NOT NULL");
            let begun = std::time::Instant::now();
            while sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql.clone()))
                .bind(failing.id.as_str())
                .fetch_optional(world.db.read())
                .await
                .expect("asked")
                .is_none()
            {
                assert!(begun.elapsed() < Duration::from_secs(60), "{column} was never written");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            drop(life);
            assert!(!world.deployment(&failing.id).await.state.is_final(), "{column}: it died in time");
            let life = Life::begin(folder.path());
            let failed = world.ended(&failing.id).await;
            assert_eq!(failed.problem.map(|problem| problem.code), Some("deploy.task_failed".into()), "{column}");
            let back = eventually(Duration::from_secs(10), "it is on record", || async {
                put_back(&world, &failing.id).await.filter(|back| back.at.is_some())
            });
            assert_eq!(back.await.number, 1, "{column}");
            let format = "{{.Spec.TaskTemplate.ContainerSpec.Image}}";
            let runs = lab.docker(&["service", "inspect", "-f", format, &world.in_swarm(&lab, &service)]);
            assert_eq!(runs.trim(), good.to_string(), "{column}");
            drop(life);
        }
    });
}
