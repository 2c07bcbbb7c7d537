//! Whether what is kept could come up now: with the lab's registry, and with one that refuses and wants to be left alone.

use super::deploy::{Story, says};
use super::world::{World, form};
use crate::liar::{Heard, Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::credential::CredentialForm;
use app::model::id::{DeploymentId, ServiceId};
use app::model::image_ref::ImageRef;
use app::model::report::Lamp;
use app::model::secret::Secret;
use app::model::service::ServiceForm;
use app::model::standing::{Back, Readiness};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

async fn of(world: &World, service: &ServiceId, id: &DeploymentId) -> Option<Readiness> {
    let standing = world.services.standing(&world.actor, service).await.expect("a standing");
    standing.of(id).and_then(|version| version.readiness.clone())
}

/// Takes an image away from the lab's registry.
async fn delete(story: &Story, image: &ImageRef) {
    let digest = image.digest.as_ref().expect("a digest");
    let url = format!("http://{}/v2/{}/manifests/{digest}", story.lab.registry, image.repository);
    let client = reqwest::Client::new();
    let asked = client.delete(url).basic_auth(&story.lab.username, Some(&story.lab.password));
    let answer = asked.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lamp_turns_red_when_the_registry_loses_the_image() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let one = story.push("1", &says("version-1"));
    let first = story.up(&one).await;
    let second = story.up(&story.push("2", &says("version-2"))).await;
    assert_eq!(of(world, &story.service, &first.id).await, None, "nobody looked yet");
    world.services.look().await.expect("looked");
    world.services.look_at_kept().await;
    for deployment in [&first, &second] {
        let found = of(world, &story.service, &deployment.id).await.expect("looked at");
        assert_eq!((found.lamp, found.is_here), (Lamp::Green, Some(true)), "{found:?}");
        assert!(found.reason.contains("on this node already"), "{found:?}");
    }

    // What is no longer on the node has to be pulled, and how much is known.
    story.lab.docker(&["service", "update", "--detach=false", "-q", "--force", &story.in_swarm()]);
    let name = ImageRef { tag: None, ..one.clone() }.to_string();
    let gone = crate::swarm::eventually(std::time::Duration::from_secs(60), "the old tasks are gone", || async {
        let args = ["-H", &story.lab.docker_host, "image", "rm", "-f", &name];
        let output = std::process::Command::new("docker").args(args).output().expect("docker runs");
        let found = world.services.check_readiness(&world.actor, &first.id).await.expect("looked");
        (output.status.success() || found.is_here == Some(false)).then_some(found)
    });
    gone.await;
    let found = world.services.check_readiness(&world.actor, &first.id).await.expect("looked");
    assert_eq!((found.lamp, found.is_here), (Lamp::Green, Some(false)), "{found:?}");
    assert!(found.reason.contains("to pull") && found.pull_bytes.is_some_and(|bytes| bytes > 100_000), "{found:?}");

    delete(&story, &one).await;
    let found = world.services.check_readiness(&world.actor, &first.id).await.expect("looked");
    assert_eq!(found.lamp, Lamp::Red);
    assert!(found.reason.contains("doesn't have"), "{found:?}");
    let refused = world.services.roll_back(&world.actor, &first.id, Back::All).await;
    let Err(AppError::Blocked(blockers)) = refused else { panic!("{refused:?}") };
    assert!(blockers[0].reason.contains(&found.reason), "{blockers:?}");
    let standing = world.services.standing(&world.actor, &story.service).await.expect("a standing");
    assert_eq!(standing.pause, None, "a refusal pauses nothing");

    // A restart shows it at once, with its age.
    world.services.look_at_kept().await;
    let other = World::open(story.folder(), &story.lab.docker_host).await;
    assert_eq!(of(&other, &story.service, &first.id).await, None);
    other.services.load_lamps().await.expect("read");
    assert_eq!(of(&other, &story.service, &first.id).await.map(|found| found.lamp), Some(Lamp::Red));
}

fn of_image(image: String, name: &str) -> ServiceForm {
    ServiceForm { kind: "image".into(), image, repository: String::new(), branch: String::new(), ..form("Shop", name) }
}

#[tokio::test]
async fn a_registry_that_wants_to_be_left_alone_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), "unix:///nowhere/docker.sock").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let (limited, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let liar = {
        let (asked, limited, refused) = (Arc::clone(&asked), Arc::clone(&limited), Arc::clone(&refused));
        Liar::start(move |heard: &Heard| {
            if heard.authorization().is_none() {
                return Reply::challenge(&["Basic realm=\"x\""]);
            }
            if heard.path().contains("/manifests/") {
                asked.fetch_add(1, Ordering::Relaxed);
                if limited.load(Ordering::Relaxed) {
                    return Reply::status(429).with("retry-after", "60");
                }
                if refused.load(Ordering::Relaxed) {
                    return Reply::json(403, r#"{"errors":[{"code":"DENIED","message":"no pull"}]}"#);
                }
                return Reply::status(200).with("docker-content-digest", format!("sha256:{}", "a".repeat(64)));
            }
            Reply::status(200)
        })
        .await
    };
    let credential = CredentialForm {
        name: "Team".into(),
        url: liar.url().to_string(),
        username: "ada".into(),
        password: Secret::new("secret".into()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    world.credentials.create(&world.actor, credential).await.expect("a credential");
    let mut made = Vec::new();
    for n in 1..=3 {
        let image = format!("{}/team/app{n}:1", liar.url().host);
        let service = world.create(of_image(image, &format!("App {n}"))).await.expect("a service");
        let deployment = world.services.deploy_image(&world.actor, &service).await.expect("a deployment");
        made.push((service, deployment));
    }
    let (service, deployment) = &made[0];

    refused.store(true, Ordering::Relaxed);
    let found = world.services.check_readiness(&world.actor, deployment).await.expect("looked");
    assert_eq!(found.lamp, Lamp::Red, "{found:?}");
    assert!(found.reason.contains("denied"), "{found:?}");
    refused.store(false, Ordering::Relaxed);

    // All that is due is asked for once, and then not before its time.
    limited.store(true, Ordering::Relaxed);
    let before = asked.load(Ordering::Relaxed);
    world.services.look_at_kept().await;
    let after = asked.load(Ordering::Relaxed);
    // Those that were on their way together; the gate lets four through.
    assert!((1..=4).contains(&(after - before)), "{before} {after}");
    for (service, deployment) in &made[1..] {
        let found = of(&world, service, deployment).await.expect("looked at");
        assert_eq!(found.lamp, Lamp::Amber, "{found:?}");
        assert!(found.reason.contains("less often") || found.reason.contains("60 s"), "{found:?}");
    }
    world.services.look_at_kept().await;
    assert_eq!(asked.load(Ordering::Relaxed), after, "nothing is due, and the registry is left alone");
    let found = world.services.check_readiness(&world.actor, deployment).await.expect("looked");
    assert_eq!((found.lamp, asked.load(Ordering::Relaxed)), (Lamp::Amber, after), "not even by hand");
    assert_eq!(of(&world, service, deployment).await, Some(found));
}
