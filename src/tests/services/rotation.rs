//! A password that changes while services run with it.

use super::pair::Pair;
use super::world::{Sweep, World, form, unique};
use crate::swarm::{Lab, eventually};
use app::api::credentials::CredentialsApi as _;
use app::api::services::ServicesApi as _;
use app::model::credential::CredentialForm;
use app::model::id::CredentialId;
use app::model::secret::Secret;
use app::model::service::ServiceForm;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(90);

/// How the jobs that send logins stand: (all, succeeded).
async fn sent(world: &World) -> (i64, i64) {
    sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE state IN ('succeeded', 'superseded')) FROM jobs WHERE kind = 'resend_login'",
    )
    .fetch_one(world.db.read())
    .await
    .expect("counted")
}

/// Changes the password in Slipway, and waits until the Swarm was told.
async fn rotate(world: &World, credential: &CredentialId, form: CredentialForm) {
    let (before, _) = sent(world).await;
    let version = world.credentials.get(&world.actor, credential).await.expect("there").version;
    world.credentials.update(&world.actor, credential, version, form).await.expect("changed");
    eventually(LONG, "the login is sent", || async {
        let (all, done) = sent(world).await;
        (all > before && all == done).then_some(())
    })
    .await;
}

/// Node and id of each task that should run and does, by id.
fn running(pair: &Pair, service: &str) -> Vec<(String, String)> {
    let ids =
        pair.docker(&pair.manager, &["service", "ps", "-q", "--no-trunc", "-f", "desired-state=running", service]);
    let mut tasks: Vec<(String, String)> = ids
        .lines()
        .filter_map(|id| {
            let told = pair.docker(&pair.manager, &["inspect", "-f", "{{.Status.State}} {{.NodeID}}", id]);
            let (state, node) = told.trim().split_once(' ')?;
            (state == "running").then(|| (node.to_owned(), id.to_owned()))
        })
        .collect();
    tasks.sort();
    tasks
}

/// Acceptance 5: a private image is pulled on nodes that have never seen it, before and after the password changed; and the
/// change leaves running tasks as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_private_image_is_pulled_on_new_nodes_before_and_after_its_password_changes() {
    let Some(pair) = Lab::find().and_then(|lab| Pair::start(lab, "one")) else { return };
    let image = pair.push("1", "one");
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &pair.manager).await;
    world.start();
    let credential = world.credentials.create(&world.actor, pair.credential("one")).await.expect("a credential");
    let new = ServiceForm {
        kind: "image".into(),
        image: image.to_string(),
        credential: credential.to_string(),
        replicas: "2".into(),
        ..form(&unique("pair"), "App")
    };
    let service = world.create(new).await.expect("a service");
    let (manager, worker) = pair.ids();
    assert_eq!((pair.images(&pair.manager), pair.images(&pair.worker)), (0, 0), "no node has seen it");

    let deployment = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    world.succeeded(&deployment).await;
    let filter = format!("label=slipway.service={service}");
    let name = pair.docker(&pair.manager, &["service", "ls", "-q", "--filter", &filter]).trim().to_owned();
    let before = running(&pair, &name);
    let mut nodes: Vec<_> = before.iter().map(|(node, _)| node.clone()).collect();
    let mut both = vec![manager.clone(), worker.clone()];
    nodes.sort();
    both.sort();
    assert_eq!(nodes, both, "one on each node, and each pulled it");

    // The password changes at the registry and in Slipway: the tasks are the same ones.
    let spec = |what: &str| pair.docker(&pair.manager, &["service", "inspect", "-f", what, &name]);
    let index = spec("{{.Version.Index}}");
    let unchanged = spec("{{json .Spec}}");
    pair.set_password("two");
    rotate(&world, &credential, pair.credential("two")).await;
    assert_ne!(spec("{{.Version.Index}}"), index, "the Swarm was told");
    assert_eq!(spec("{{json .Spec}}"), unchanged);
    assert_eq!(running(&pair, &name), before, "no task was started anew");

    // The worker forgets the image and gets everything: it pulls with the new password.
    let availability =
        |node: &str, to: &str| pair.docker(&pair.manager, &["node", "update", "--availability", to, node]);
    let on = async |node: &str, what: &str| {
        eventually(LONG, what, || async {
            let tasks = running(&pair, &name);
            (tasks.len() == 2 && tasks.iter().all(|(at, _)| at == node)).then_some(())
        })
        .await;
    };
    availability(&worker, "drain");
    on(&manager, "all run on the manager").await;
    let kept: Vec<_> = before.iter().filter(|(node, _)| *node == manager).collect();
    assert!(kept.iter().all(|task| running(&pair, &name).contains(task)), "the manager's own task goes on");
    eventually(LONG, "the worker has forgotten it", || async {
        pair.forget_images(&pair.worker);
        (pair.images(&pair.worker) == 0).then_some(())
    })
    .await;
    availability(&worker, "active");
    availability(&manager, "drain");
    on(&worker, "the worker pulled with the new password").await;

    // Changed at the registry alone, a new node can't pull; as soon as Slipway knows, it can.
    eventually(LONG, "the manager has forgotten it", || async {
        pair.forget_images(&pair.manager);
        (pair.images(&pair.manager) == 0).then_some(())
    })
    .await;
    pair.set_password("three");
    availability(&manager, "active");
    availability(&worker, "drain");
    eventually(LONG, "the manager is refused", || async {
        let said = pair.docker(&pair.manager, &["service", "ps", "--no-trunc", "--format", "{{.Error}}", &name]);
        said.contains("No such image").then_some(())
    })
    .await;
    rotate(&world, &credential, pair.credential("three")).await;
    on(&manager, "the manager pulled with the newest password").await;
}

/// A registry's credential is used by what was built to it, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_registrys_services_get_its_new_login() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let registry = world.registry(&lab).await;
    let service = world.create(form(&unique("rotation"), "Web")).await.expect("a service");
    let _sweep = Sweep(lab.clone(), service.clone());
    let image = lab.push(&format!("swarm/{}", service.short()), "1", "CMD [\"sleep\", \"100000\"]");
    let deployment = world.deploy(&service, &registry, &image).await;
    world.succeeded(&deployment.id).await;
    let credential = world.credentials.every().await.expect("listed").remove(0);
    let tasks = || lab.docker(&["service", "ps", "-q", "--no-trunc", &world.in_swarm(&lab, &service)]);
    let before = tasks();
    let again = CredentialForm {
        name: credential.name.clone(),
        url: credential.url.to_string(),
        username: lab.username.clone(),
        password: Secret::new(lab.password.clone()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    rotate(&world, &credential.id, again).await;
    assert_eq!(tasks(), before, "no task was started anew");

    // What is deleted isn't told.
    world.services.delete(&world.actor, &service).await.expect("deleted");
    let mut tx = world.db.write().await.expect("a transaction");
    let (all, _) = sent(&world).await;
    slipway::credentials::Users::login_changed(&world.services, &mut tx, &credential.id, "owner").await.expect("told");
    tx.commit().await.expect("committed");
    assert_eq!(sent(&world).await.0, all);
    assert_eq!(world.removed().await, "succeeded");
}
