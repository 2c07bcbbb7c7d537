//! The clean-up in the lab's engine, with things of others around.

use crate::services::world::{Sweep, World, form, unique};
use crate::swarm::{Lab, config, eventually};
use app::api::cleanup::CleanupApi as _;
use app::api::jobs::JobsApi as _;
use app::api::services::ServicesApi as _;
use app::model::cleanup::{CleanupRulesForm, Stays};
use app::model::image_ref::ImageRef;
use app::model::job::JobState;
use app::model::retention::Need;
use app::model::standing::Back;
use slipway::builders::{self, Builders};
use slipway::cleanup::{Cleanup, Parts};
use slipway::clock::Clock;
use slipway::docker::Docker;
use slipway::process::Runner;
use slipway::vault::Vault;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A clean-up of the engine at an address.
fn cleanup(world: &World, folder: &Path, docker_host: &str, clock: Clock) -> Cleanup {
    let docker = Docker::connect(docker_host).expect("an address");
    let config = config(folder, docker_host);
    let builders = Builders::new(builders::Parts {
        db: world.db.clone(),
        clock: clock.clone(),
        vault: Vault::open(&config.master_key_file, true).expect("a vault"),
        jobs: world.jobs.clone(),
        docker: docker.clone(),
        runner: Runner::new(env!("CARGO_BIN_EXE_slipway")),
        config,
    });
    Cleanup::new(Parts {
        db: world.db.clone(),
        clock,
        jobs: world.jobs.clone(),
        docker,
        services: world.services.clone(),
        builders,
    })
}

/// What others have, and goes with the test.
struct Others {
    lab: Lab,
    name: String,
}

impl Others {
    fn tag(&self, what: &str) -> String {
        format!("{}-{what}:1", self.name)
    }

    /// Everything that can be told about it.
    fn inspected(&self) -> Vec<String> {
        let lab = &self.lab;
        let container = |what: &str| lab.docker(&["container", "inspect", &format!("{}-{what}", self.name)]);
        vec![
            lab.docker(&["image", "inspect", &self.tag("layers")]),
            lab.docker(&["image", "inspect", &self.tag("plain")]),
            lab.docker(&["image", "inspect", &self.tag("same")]),
            container("on-ours"),
            container("on-theirs"),
            lab.docker(&["volume", "inspect", &self.name]),
            lab.docker(&["network", "inspect", &self.name]),
        ]
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        let docker = |args: &[&str]| {
            let _ = Command::new("docker").arg("-H").arg(&self.lab.docker_host).args(args).output();
        };
        docker(&["rm", "-f", &format!("{}-on-ours", self.name), &format!("{}-on-theirs", self.name)]);
        docker(&["image", "rm", "-f", &self.tag("layers"), &self.tag("plain"), &self.tag("same")]);
        docker(&["volume", "rm", &self.name]);
        docker(&["network", "rm", &self.name]);
    }
}

/// An image of others: on the one that is given, so that they share its layers and its labels.
fn build(lab: &Lab, from: &str, tag: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine"), tag).expect("written");
    std::fs::write(folder.path().join("Dockerfile"), format!("FROM {from}\nCOPY mine /mine\n")).expect("written");
    lab.docker(&["buildx", "build", "--provenance=false", "-q", "-t", tag, &folder.path().to_string_lossy()]);
}

fn is_there(lab: &Lab, image: &ImageRef) -> bool {
    let digest = image.digest.as_ref().expect("by digest").to_string();
    lab.docker(&["image", "ls", "--no-trunc", "--digests", "--format", "{{.ID}} {{.Digest}}"]).contains(&digest)
}

/// Acceptance: foreign images, stopped foreign containers, volumes and networks are untouched; ours beyond the window go;
/// the last ones are still on the node.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_ours_and_not_needed_goes() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    // Two hours later than the deployments, so that none of them is fresh.
    let clock = Clock::system();
    clock.advance(Duration::from_secs(7_200));
    let cleanup = cleanup(&world, folder.path(), &lab.docker_host, clock);
    for handler in cleanup.handlers() {
        world.jobs.register(handler);
    }
    world.start();
    let registry = world.registry(&lab).await;
    let service = world.create(form(&unique("swarm"), "Web")).await.expect("a service");
    let _sweep = Sweep(lab.clone(), service.clone());
    let repository = format!("swarm/{}", service.short());

    let mut images = Vec::new();
    for n in 1..=5 {
        let file = format!("LABEL slipway.service={service}\nRUN echo {n} > /version\nCMD [\"sleep\", \"3600\"]");
        let image = lab.push(&repository, &n.to_string(), &file);
        let deployment = world.deploy(&service, &registry, &image).await;
        world.succeeded(&deployment.id).await;
        images.push(image);
    }
    let [gone, same, held, window, runs] = images.as_slice() else { panic!("five") };

    // Containers of tasks that ended stay a while; the Swarm takes them away with its history. Here that is now.
    let filter = format!("label=slipway.service={service}");
    eventually(Duration::from_secs(60), "the old tasks are gone", || async {
        let all = lab.docker(&["ps", "-aq", "--filter", &filter]);
        let ended = lab.docker(&["ps", "-aq", "--filter", &filter, "--filter", "status=exited"]);
        for id in ended.lines() {
            lab.docker(&["rm", id]);
        }
        (all.lines().count() == 1).then_some(())
    })
    .await;

    let others = Others { lab: lab.clone(), name: unique("others") };
    build(&lab, &gone.to_string(), &others.tag("layers"));
    build(&lab, &lab.base, &others.tag("plain"));
    lab.docker(&["tag", &same.to_string(), &others.tag("same")]);
    lab.docker(&["create", "--name", &format!("{}-on-ours", others.name), &held.to_string()]);
    lab.docker(&["create", "--name", &format!("{}-on-theirs", others.name), &others.tag("plain"), "true"]);
    lab.docker(&["volume", "create", &others.name]);
    lab.docker(&["network", "create", &others.name]);
    let before = others.inspected();

    let rules = CleanupRulesForm { keep_last: "2".into(), ..CleanupRulesForm::default() };
    cleanup.set_rules(&world.actor, rules).await.expect("rules");
    let job = cleanup.run(&world.actor).await.expect("asked for");
    let ended = eventually(Duration::from_secs(120), "the clean-up ends", || async {
        Some(world.jobs.get(&world.actor, &job).await.expect("a job").0).filter(|job| job.state.is_final())
    })
    .await;
    assert_eq!(ended.state, JobState::Succeeded, "{:?}", ended.problem);

    assert_eq!(others.inspected(), before, "nothing of others was touched");
    assert!(!is_there(&lab, gone), "what nobody needs is gone");
    for image in [same, held, window, runs] {
        assert!(is_there(&lab, image), "{image} is still there");
    }
    let run = cleanup.runs(&world.actor).await.expect("runs").remove(0);
    assert_eq!((&run.job, run.report.counts()), (&job, (1, 0)), "{:?}", run.report);
    assert!(run.report.freed() > 0 && run.report.images[0].name.contains(&repository), "{:?}", run.report);

    // The plan after it says why each of the rest stays.
    let plan = cleanup.plan(&world.actor).await.expect("a plan");
    let stays = |image: &ImageRef| {
        let digest = image.digest.as_ref().expect("by digest").to_string();
        let found = plan
            .images
            .iter()
            .find(|found| found.id == digest || found.names.iter().any(|name| name.contains(&digest)));
        found.and_then(|found| found.stays.clone())
    };
    let needed = |need| Some(Stays::Service { name: "Web".into(), need });
    assert_eq!(stays(runs), needed(Need::Runs));
    assert_eq!(stays(window), needed(Need::Window));
    assert_eq!(stays(held), Some(Stays::InUse));
    assert_eq!(stays(same), Some(Stays::Foreign));
    assert!(plan.goes().next().is_none() && plan.foreign.0 > 0, "{plan:?}");

    // Going back to the last one finds it on the node: the registry isn't needed for it.
    let fourth = world.deployments(&service).await.remove(1);
    let back = world.services.roll_back(&world.actor, &fourth.id, Back::All).await.expect("asked for");
    assert_eq!(world.succeeded(&back).await.image.digest, window.digest);
}

/// While the engine is away the page has what was seen before, and the reason; a run fails with it and touches nothing.
#[tokio::test]
async fn an_engine_that_is_away_is_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), "unix:///nowhere/docker.sock").await;
    let cleanup = cleanup(&world, folder.path(), "unix:///nowhere/docker.sock", Clock::system());
    for handler in cleanup.handlers() {
        world.jobs.register(handler);
    }
    world.start();
    let rules = CleanupRulesForm { every_hours: "x".into(), ..CleanupRulesForm::default() };
    assert!(cleanup.set_rules(&world.actor, rules).await.is_err());
    let stop = CancellationToken::new();
    let watch = tokio::spawn({
        let (cleanup, stop) = (cleanup.clone(), stop.clone());
        async move { cleanup.watch(stop).await }
    });
    let problem = eventually(Duration::from_secs(20), "the look fails", || async {
        cleanup.plan(&world.actor).await.expect("a plan").problem
    })
    .await;
    assert_eq!(problem.code, "docker.unreachable");
    let job = cleanup.run(&world.actor).await.expect("asked for");
    let ended = eventually(Duration::from_secs(20), "the run ends", || async {
        Some(world.jobs.get(&world.actor, &job).await.expect("a job").0).filter(|job| job.state.is_final())
    })
    .await;
    assert_eq!(ended.problem.map(|problem| problem.code).as_deref(), Some("docker.unreachable"));
    stop.cancel();
    watch.await.expect("the watch ends");
}
