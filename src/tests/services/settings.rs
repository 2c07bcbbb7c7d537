//! What a service has beside its image, on the real engine: programs, limits, places, data, secrets, networks; copies; a
//! watched tag.

use super::world::{Sweep, World, form, unique};
use crate::swarm::{Lab, free_port};
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::build_form::SecretInput;
use app::model::id::{DeploymentId, ServiceId};
use app::model::job::JobState;
use app::model::secret::Secret;
use app::model::service::{Origin, ServiceForm};
use app::model::standing::Back;
use app::model::tag_watch::Waits;

fn secret(name: &str, value: &str) -> SecretInput {
    SecretInput { name: name.into(), secret: Secret::new(value.into()), ..SecretInput::default() }
}

fn kept(name: &str) -> SecretInput {
    SecretInput { kept: Some("yes".into()), ..secret(name, "") }
}

fn of_image(image: &str, project: &str) -> ServiceForm {
    ServiceForm {
        kind: "image".into(),
        image: image.into(),
        repository: String::new(),
        branch: String::new(),
        ..form(project, "Web")
    }
}

async fn update(world: &World, id: &ServiceId, form: ServiceForm) -> Result<(), AppError> {
    let version = world.services.get(&world.actor, id).await.expect("there").version;
    world.services.update(&world.actor, id, version, form).await
}

async fn changed(world: &World, after: &DeploymentId) -> Vec<String> {
    let service = world.deployment(after).await.service;
    let histories = world.services.histories(&world.actor, &service).await.expect("told");
    let found = histories.into_iter().find(|(id, _)| id == after).expect("it has one before it");
    found.1.into_iter().map(|change| change.what).collect()
}

/// What the data folder's files hold, logs and database.
fn holds(folder: &std::path::Path, text: &str) -> bool {
    let is_in = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .any(|path| if path.is_dir() { holds(&path, text) } else { is_in(&path) })
}

#[tokio::test]
async fn secrets_are_kept_and_slipways_own_data_is_no_mount() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), "unix:///nowhere/docker.sock").await;
    let fields = |result: Result<ServiceId, AppError>| match result {
        Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let new = || of_image("127.0.0.1:1/team/app:1", "Shop");
    let data = folder.path().canonicalize().expect("there");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&data, &link).expect("linked");
    for path in [data.as_path(), data.parent().expect("above"), &data.join("builds"), std::path::Path::new("/nowhere")]
    {
        let mounts = format!("{}:/x", path.display());
        assert_eq!(fields(world.create(ServiceForm { mounts, ..new() }).await), ["mounts"], "{}", path.display());
    }
    let other = tempfile::tempdir().expect("a folder");
    let away = other.path().join("link");
    std::os::unix::fs::symlink(&data, &away).expect("linked");
    let mounts = format!("{}:/x", away.display());
    assert_eq!(fields(world.create(ServiceForm { mounts, ..new() }).await), ["mounts"], "a link leads there");

    let nothing = ServiceForm { sealed: vec![kept("key")], ..new() };
    assert_eq!(fields(world.create(nothing).await), ["sealed][0][secret"]);
    let value = "a-value-nobody-sees";
    let mounts = format!("{}:/x:ro", other.path().display());
    let id = world.create(ServiceForm { sealed: vec![secret("key", value)], mounts, ..new() }).await.expect("created");
    let files = async || world.services.get(&world.actor, &id).await.expect("there").settings.secrets;
    let first = files().await;
    update(&world, &id, ServiceForm { sealed: vec![kept("key"), secret("two", "x")], ..new() }).await.expect("saved");
    let second = files().await;
    assert_eq!((second.len(), &second[0]), (2, &first[0]), "an empty field keeps the value");
    update(&world, &id, ServiceForm { sealed: vec![secret("key", "another")], ..new() }).await.expect("saved");
    assert_ne!(files().await[0].mark, first[0].mark);
    let sealed: i64 = sqlx::query_scalar("SELECT count(*) FROM secrets WHERE owner = ?")
        .bind(format!("{id}/files"))
        .fetch_one(world.db.read())
        .await
        .expect("asked");
    assert_eq!(sealed, 1, "no deployment needs the others");
    assert!(!holds(folder.path(), value));
    for refused in [
        world.services.restart(&world.actor, &id).await,
        world.services.scale(&world.actor, &id, "2").await,
        world.services.look_at_tag(&id).await.map(|found| found.expect("none")),
    ] {
        assert!(matches!(refused, Err(AppError::Blocked(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_has_what_the_settings_say() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.registry(&lab).await;
    world.start();
    let (port, name) = (free_port(), unique("settings"));
    let repository = format!("swarm/{name}");
    lab.push(&repository, "1", "RUN mkdir /www\nCMD [\"false\"]");
    lab.docker(&["network", "create", "--driver", "overlay", &name]);
    let image = format!("{}/{repository}:1", lab.registry);
    let value = format!("value-{}", unique("secret"));
    let new = |sealed: Vec<SecretInput>| ServiceForm {
        ports: format!("{port}:80"),
        command: "sh -c 'touch /data/x; cat /run/secrets/api-key > /www/index.html; exec \"$@\"' --".into(),
        args: "httpd -f -p 80 -h /www".into(),
        memory: "64 MB".into(),
        cpus: "0.5".into(),
        memory_reserved: "16 MB".into(),
        constraints: "node.role==manager".into(),
        mounts: format!("{name}:/data\n/etc/hostname:/host:ro"),
        networks: name.clone(),
        env: "TZ=first-zone".into(),
        health_command: "test -f /data/x".into(),
        health_interval: "1".into(),
        health_timeout: "2".into(),
        sealed,
        ..of_image(&image, &name)
    };
    let service = world.create(new(vec![secret("api-key", &value)])).await.expect("created");
    let _sweep = Sweep(lab.clone(), service.clone());
    let first = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    let first = world.succeeded(&first).await;
    world.answers(port, &value).await;

    let swarm_id = world.in_swarm(&lab, &service);
    let inspected = lab.docker(&["service", "inspect", &swarm_id]);
    let json: serde_json::Value = serde_json::from_str(&inspected).expect("JSON");
    let task = &json[0]["Spec"]["TaskTemplate"];
    let container = &task["ContainerSpec"];
    assert_eq!(container["Args"], serde_json::json!(["httpd", "-f", "-p", "80", "-h", "/www"]));
    assert_eq!(container["Command"][0], "sh");
    assert_eq!(task["Resources"]["Limits"]["MemoryBytes"], 64 << 20);
    assert_eq!(task["Resources"]["Limits"]["NanoCPUs"], 500_000_000);
    assert_eq!(task["Resources"]["Reservations"]["MemoryBytes"], 16 << 20);
    assert_eq!(task["Placement"]["Constraints"], serde_json::json!(["node.role==manager"]));
    assert_eq!(container["Healthcheck"]["Timeout"], 2_000_000_000_i64);
    assert_eq!(container["Mounts"].as_array().map(Vec::len), Some(2));
    assert_eq!(task["Networks"].as_array().map(Vec::len), Some(2));
    assert_eq!(container["Secrets"][0]["File"]["Name"], "api-key");
    let of_service = format!("label=slipway.service={service}");
    let secrets = || lab.docker(&["secret", "ls", "-q", "--filter", &of_service]);
    let one = secrets();
    assert_eq!(one.lines().count(), 1, "{one}");
    assert!(!inspected.contains(&value) && !lab.docker(&["secret", "inspect", one.trim()]).contains(&value));
    assert!(!holds(folder.path(), &value), "in no log and in no row");
    let containers = lab.docker(&["ps", "-q", "--filter", &of_service]);
    let seen = lab.docker(&["exec", containers.lines().next().expect("it runs"), "cat", "/proc/mounts"]);
    assert!(seen.contains(" /data ") && seen.contains(" /host ") && seen.contains("/run/secrets/api-key"), "{seen}");
    let limit = lab.docker(&["inspect", "-f", "{{.HostConfig.Memory}}", containers.lines().next().expect("it runs")]);
    assert_eq!(limit.trim(), (64 << 20).to_string());

    // Another value is another secret; the old one leaves the Swarm and comes back with the way back.
    let other = format!("value-{}", unique("secret"));
    let changed_form = ServiceForm { env: "TZ=second-zone".into(), ..new(vec![secret("api-key", &other)]) };
    update(&world, &service, changed_form).await.expect("saved");
    let second = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    world.succeeded(&second).await;
    world.answers(port, &other).await;
    assert_eq!(changed(&world, &second).await, ["Variable TZ", "Secret api-key"]);
    let two = secrets();
    assert!(two.lines().count() == 1 && two != one, "{two}");
    let restart = world.services.restart(&world.actor, &service).await.expect("asked for");
    assert!(matches!(world.succeeded(&restart).await.origin, Origin::Restart { number: 2, .. }));
    assert_eq!(changed(&world, &restart).await, Vec::<String>::new());
    world.answers(port, &other).await;
    let back = world.services.roll_back(&world.actor, &first.id, Back::All).await.expect("asked for");
    assert_eq!(world.succeeded(&back).await.settings, first.settings);
    world.answers(port, &value).await;

    // A network that isn't there is told by name.
    let networks = format!("{name}\n{name}-gone");
    update(&world, &service, ServiceForm { networks, ..new(vec![kept("api-key")]) }).await.expect("saved");
    let refused = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    let problem = world.ended(&refused).await.problem.expect("it can't run");
    assert!(problem.code == "deploy.no_network" && problem.cause.contains(&format!("{name}-gone")), "{problem:?}");

    world.services.delete(&world.actor, &service).await.expect("deleted");
    assert_eq!(world.removed().await, "succeeded");
    assert_eq!(secrets().trim(), "", "nothing of it stays");
    for what in ["network", "volume"] {
        crate::swarm::eventually(std::time::Duration::from_secs(30), "it goes", async || {
            let tried = std::process::Command::new("docker").args(["-H", &lab.docker_host, what, "rm", &name]).output();
            tried.is_ok_and(|output| output.status.success()).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_tag_is_said_or_deployed_and_never_tried_twice() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.registry(&lab).await;
    world.start();
    let name = unique("watch");
    let repository = format!("swarm/{name}");
    let push = |n: u8, cmd: &str| lab.push(&repository, "1", &format!("RUN echo {n} > /version\nCMD {cmd}"));
    let sleeps = "[\"sleep\", \"1000\"]";
    let new = |watch: &str| ServiceForm {
        watch: watch.into(),
        ..of_image(&format!("{}/{repository}:1", lab.registry), &name)
    };
    push(1, sleeps);
    let service = world.create(new("notify")).await.expect("created");
    let _sweep = Sweep(lab.clone(), service.clone());
    let look = async || world.services.look_at_tag(&service).await.expect("looked");
    let waits = async || {
        let watch = world.services.tag_watch(&world.actor, &service).await.expect("known").expect("watched");
        assert!(watch.looked.is_some() && watch.problem.is_none(), "{watch:?}");
        watch.news.map(|news| news.waits)
    };
    let first = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    world.succeeded(&first).await;
    assert_eq!((look().await, waits().await), (None, None), "the tag leads to what runs");

    // More copies: the one that runs goes on.
    let tasks = || {
        let id = world.in_swarm(&lab, &service);
        let found = lab.docker(&["service", "ps", "-q", "--no-trunc", "--filter", "desired-state=running", &id]);
        found.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let one = tasks();
    let scaled = world.services.scale(&world.actor, &service, "2").await.expect("asked for");
    let scaled = world.succeeded(&scaled).await;
    assert_eq!(scaled.origin, Origin::Scale { tasks: first.clone(), from: 1, to: 2 });
    assert_eq!(changed(&world, &scaled.id).await, ["Replicas"]);
    let two = tasks();
    assert!(two.len() == 2 && one.iter().all(|task| two.contains(task)), "{one:?} {two:?}");
    let same = world.services.scale(&world.actor, &service, "2").await;
    assert!(matches!(same, Err(AppError::Invalid(_))), "{same:?}");

    let second = push(2, sleeps);
    assert_eq!((look().await, waits().await), (None, Some(Waits::Notify)));
    let line = world.services.list(&world.actor).await.expect("listed").remove(0);
    assert_eq!(line.news.map(|news| news.digest), second.digest);
    update(&world, &service, new("deploy")).await.expect("saved");
    let deployed = look().await.expect("it is deployed");
    let deployed = world.succeeded(&deployed).await;
    assert_eq!((&deployed.image, &deployed.origin), (&second, &Origin::Watch));
    assert_eq!((look().await, waits().await), (None, None));

    let pause = async |sql: &'static str| {
        let mut tx = world.db.write().await.expect("a transaction");
        sqlx::query(sql).bind(service.as_str()).execute(&mut *tx).await.expect("set");
        tx.commit().await.expect("committed");
    };
    pause("UPDATE services SET paused_at = 1 WHERE id = ?").await;
    push(3, "[\"false\"]");
    assert_eq!((look().await, waits().await), (None, Some(Waits::Paused)));
    pause("UPDATE services SET paused_at = NULL WHERE id = ?").await;
    let failed = look().await.expect("it waits no longer");
    let failed = world.ended(&failed).await;
    assert_eq!(failed.state, JobState::Failed);
    let count = world.deployments(&service).await.len();
    for _ in 0..2 {
        assert_eq!((look().await, waits().await), (None, Some(Waits::Failed { number: failed.number })));
    }
    assert_eq!(world.deployments(&service).await.len(), count, "it isn't tried again");
}
