//! Services of images that are there already.

use super::world::{Sweep, World, form, unique};
use crate::liar::{Heard, Liar, Reply};
use crate::swarm::{Lab, free_port};
use app::api::credentials::CredentialsApi as _;
use app::api::services::ServicesApi as _;
use app::error::{AppError, Problem};
use app::model::credential::CredentialForm;
use app::model::id::{CredentialId, DeploymentId, ServiceId};
use app::model::job::JobState;
use app::model::secret::Secret;
use app::model::service::{Origin, ServiceForm, Source};
use app::model::standing::Back;
use slipway::builds::Services as _;
use slipway::images::Swarm as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

fn digest(n: u8) -> String {
    format!("sha256:{}", format!("{n:x}").repeat(64))
}

fn of_image(image: &str, credential: &str, name: &str) -> ServiceForm {
    ServiceForm {
        kind: "image".into(),
        image: image.into(),
        credential: credential.into(),
        repository: String::new(),
        branch: String::new(),
        ..form("Shop", name)
    }
}

/// A registry with the tag `1`, whose digest `moved` chooses.
async fn registry(moved: &Arc<AtomicU8>) -> Liar {
    let moved = Arc::clone(moved);
    Liar::start(move |heard: &Heard| {
        if heard.authorization().is_none() {
            return Reply::challenge(&["Basic realm=\"x\""]);
        }
        match heard.path() {
            "/v2/" => Reply::status(200),
            "/v2/team/app/manifests/1" => {
                Reply::status(200).with("docker-content-digest", digest(moved.load(Ordering::Relaxed)))
            }
            "/v2/team/app/manifests/denied" => {
                Reply::json(403, r#"{"errors":[{"code":"DENIED","message":"no pull"}]}"#)
            }
            "/v2/team/app/manifests/limited" => Reply::status(429).with("retry-after", "60"),
            _ => Reply::json(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not there"}]}"#),
        }
    })
    .await
}

async fn credential(world: &World, url: &str, name: &str) -> CredentialId {
    let form = CredentialForm {
        name: name.into(),
        url: url.into(),
        username: "ada".into(),
        password: Secret::new("secret".into()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    world.credentials.create(&world.actor, form).await.expect("a credential")
}

async fn world() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), "unix:///nowhere/docker.sock").await;
    (folder, world)
}

fn field<T: std::fmt::Debug>(result: Result<T, AppError>) -> String {
    match result {
        Err(AppError::Invalid(errors)) => {
            errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn problem(result: Result<DeploymentId, AppError>) -> Problem {
    match result {
        Err(AppError::Problem(problem)) => *problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_image_service_keeps_its_image_and_a_credential_of_its_host() {
    let (_folder, world) = world().await;
    let liar = registry(&Arc::default()).await;
    let id = credential(&world, &liar.url().to_string(), "Team").await;
    let host = liar.url().host.to_string();
    let image = format!("{host}/team/app:1");
    let get = async |service: &ServiceId| world.services.get(&world.actor, service).await.expect("there");
    let chosen = async |service: &ServiceId| match get(service).await.source {
        Source::Image(source) => source.credential,
        Source::Git(_) => panic!("it is an image"),
    };

    let automatic = world.create(of_image(&image, "", "One")).await.expect("created");
    assert_eq!(chosen(&automatic).await.as_ref(), Some(&id));
    let public = world.create(of_image(&image, "none", "Two")).await.expect("created");
    assert_eq!(chosen(&public).await, None);
    let typed = world.create(of_image(&image, id.as_str(), "Three")).await.expect("created");
    assert_eq!(chosen(&typed).await.as_ref(), Some(&id));
    let nobody = world.create(of_image("quay.io/team/app:1", "", "Four")).await.expect("created");
    assert_eq!(chosen(&nobody).await, None);
    assert!(world.deployments(&automatic).await.is_empty(), "saving deploys nothing");

    // A password goes to its own host alone.
    let said = field(world.create(of_image("quay.io/team/app:1", id.as_str(), "Five")).await);
    assert!(said.starts_with("credential: ") && said.contains("quay.io"), "{said}");
    let gone = CredentialId::from_random([9; 8]);
    let said = field(world.create(of_image(&image, gone.as_str(), "Five")).await);
    assert!(said.contains("deleted"), "{said}");

    // Its kind stays; there is nothing to build.
    let service = get(&typed).await;
    let git = world.services.update(&world.actor, &typed, service.version, form("Shop", "Three")).await;
    assert!(matches!(git, Err(AppError::Blocked(_))), "{git:?}");
    let facts = world.services.facts(&typed).await;
    assert!(matches!(&facts, Err(AppError::Blocked(why)) if why[0].link.is_some()), "{facts:?}");
    let git = world.create(form("Shop", "Six")).await.expect("created");
    let refused = world.services.deploy_image(&world.actor, &git).await;
    assert!(matches!(refused, Err(AppError::Blocked(_))), "{refused:?}");

    // In use, a credential stays: by the service, and by what runs; what is deleted holds nothing.
    let users = async || {
        let refused = world.credentials.delete(&world.actor, &id).await;
        let used: Vec<_> = world.credentials.get(&world.actor, &id).await.expect("there").services;
        match refused {
            Err(AppError::Blocked(blockers)) => (blockers.len(), used.len()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(users().await, (2, 2));
    let deployment = world.services.deploy_image(&world.actor, &typed).await.expect("asked for");
    let mut tx = world.db.write().await.expect("a transaction");
    let sql = "UPDATE services SET current_deployment = ? WHERE id = ?";
    sqlx::query(sql).bind(deployment.as_str()).bind(typed.as_str()).execute(&mut *tx).await.expect("as if it ran");
    tx.commit().await.expect("committed");
    let version = get(&typed).await.version;
    let without = of_image(&image, "none", "Three");
    world.services.update(&world.actor, &typed, version, without).await.expect("changed");
    assert_eq!(users().await, (2, 2));
    for service in [&automatic, &typed] {
        world.services.delete(&world.actor, service).await.expect("deleted");
    }
    world.credentials.delete(&world.actor, &id).await.expect("nobody uses it any more");
}

#[tokio::test]
async fn deploying_finds_the_digest_or_says_what_to_do() {
    let (_folder, world) = world().await;
    let moved = Arc::new(AtomicU8::new(1));
    let liar = registry(&moved).await;
    let id = credential(&world, &liar.url().to_string(), "Team").await;
    let host = liar.url().host.to_string();
    let image = format!("{host}/team/app:1");
    let deploy = async |service: &ServiceId| world.services.deploy_image(&world.actor, service).await;

    let service = world.create(of_image(&image, "", "One")).await.expect("created");
    let first = world.deployment(&deploy(&service).await.expect("asked for")).await;
    assert_eq!(first.image.to_string(), format!("{image}@{}", digest(1)), "by digest, with the tag for people");
    assert_eq!((&first.origin, &first.commit, first.number), (&Origin::Image, &None, 1));
    moved.store(2, Ordering::Relaxed);
    let second = world.deployment(&deploy(&service).await.expect("asked for")).await;
    assert_eq!(second.image.to_string(), format!("{image}@{}", digest(2)), "what the tag leads to now");
    assert_eq!(world.deployment(&first.id).await.state, JobState::Superseded);

    // A digest that was typed stays, and nobody is asked for it.
    let pinned = format!("{image}@{}", digest(7));
    let service = world.create(of_image(&pinned, "", "Two")).await.expect("created");
    let asked = liar.heard().len();
    let third = world.deployment(&deploy(&service).await.expect("asked for")).await;
    assert_eq!((third.image.to_string(), liar.heard().len()), (pinned, asked));

    let with = async |tag: &str, credential: &str| {
        let service =
            world.create(of_image(&format!("{host}/team/app:{tag}"), credential, tag)).await.expect("created");
        let problem = problem(deploy(&service).await);
        assert!(world.deployments(&service).await.is_empty(), "{tag}");
        assert!(problem.cause.contains(&format!("{host}/team/app:{tag}")), "{problem:?}");
        problem
    };
    assert_eq!(with("missing", "").await.code, "deploy.no_such_image");
    let denied = with("denied", "").await;
    assert_eq!(denied.link.map(|link| link.href), Some(app::paths::credential(&id)));
    let limited = with("limited", "").await;
    assert!(limited.code == "registry.rate_limited" && limited.remedy.contains("60 s"), "{limited:?}");
    let stranger = with("1", "none").await;
    assert!(stranger.remedy.contains("credential"), "{stranger:?}");
}

/// A web server that says one line.
fn says(text: &str) -> String {
    format!(
        "RUN mkdir /www && echo {text} > /www/index.html\nCMD [\"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/www\"]"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_goes_up_over_and_back_by_its_digest() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.registry(&lab).await;
    world.start();
    let port = free_port();
    let repository = format!("swarm/{}", unique("image"));
    let image = format!("{}/{repository}:1", lab.registry);
    let new = ServiceForm { ports: format!("{port}:80"), ..of_image(&image, "", "Web") };
    let service = world.create(ServiceForm { project: unique("image"), ..new }).await.expect("created");
    let _sweep = Sweep(lab.clone(), service.clone());

    let one = lab.push(&repository, "1", &says("version-1"));
    let first = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    let first = world.succeeded(&first).await;
    assert_eq!(first.image, one);
    world.answers(port, "version-1").await;
    let running = world.services.running().await.expect("asked");
    assert!(matches!(running.as_slice(), [runs] if runs.service == service && runs.image == one), "{running:?}");
    world.services.look().await.expect("looked");
    assert_eq!(world.services.platforms().len(), 1, "the lab has one node");

    // The tag moves.
    let two = lab.push(&repository, "1", &says("version-2"));
    let second = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    assert_eq!(world.succeeded(&second).await.image, two);
    world.answers(port, "version-2").await;

    let back = world.services.roll_back(&world.actor, &first.id, Back::All).await.expect("asked for");
    let back = world.succeeded(&back).await;
    assert_eq!((&back.image, &back.commit), (&one, &None));
    world.answers(port, "version-1").await;
    let image =
        ["service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", &world.in_swarm(&lab, &service)];
    assert_eq!(lab.docker(&image).trim(), one.to_string());
    lab.docker(&["service", "rm", &world.in_swarm(&lab, &service)]);
    let images = lab.docker(&["image", "ls", "-q", "--filter", &format!("reference=*/{repository}")]);
    for id in images.split_whitespace() {
        // A task that is stopping may hold it still; the lab forgets it later.
        let _ = std::process::Command::new("docker").args(["-H", &lab.docker_host, "image", "rm", "-f", id]).output();
    }
}
