//! What tests of managed registries need on top of [`World`]: a form, a look at jobs and the Swarm, a push, a sweep.

use crate::services::world::World;
use crate::swarm::{Lab, eventually};
use app::api::registries::RegistriesApi as _;
use app::error::Problem;
use app::model::id::{JobId, RegistryId};
use app::model::job::JobState;
use app::model::registry::{ManagedForm, Registry};
use base64::Engine as _;
use std::process::Command;
use std::time::Duration;

/// A registry of the lab's image with a volume, on a free port.
pub fn form(name: &str) -> ManagedForm {
    ManagedForm { name: name.into(), port: crate::swarm::free_port().to_string(), ..ManagedForm::default() }
}

/// How a job ended.
pub async fn ended(world: &World, job: &JobId) -> (JobState, Option<Problem>) {
    eventually(Duration::from_secs(300), "the job ends", || async {
        let (state, problem): (String, Option<String>) = sqlx::query_as("SELECT state, problem FROM jobs WHERE id = ?")
            .bind(job.as_str())
            .fetch_one(world.db.read())
            .await
            .expect("asked");
        let state: JobState = state.parse().expect("a state");
        state.is_final().then(|| (state, problem.map(|json| serde_json::from_str(&json).expect("a problem"))))
    })
    .await
}

/// Waits for the good end of a job.
pub async fn succeeded(world: &World, job: &JobId) {
    let (state, problem) = ended(world, job).await;
    assert_eq!(state, JobState::Succeeded, "{problem:?}\n{:#?}", steps(world, job).await);
}

/// Waits for the bad end of a job; why.
pub async fn failed(world: &World, job: &JobId) -> Problem {
    let (state, problem) = ended(world, job).await;
    assert_eq!(state, JobState::Failed, "{:#?}", steps(world, job).await);
    problem.expect("a reason")
}

/// The steps of a job and their states, in order.
pub async fn steps(world: &World, job: &JobId) -> Vec<(String, String)> {
    sqlx::query_as("SELECT name, state FROM job_steps WHERE job_id = ? ORDER BY position")
        .bind(job.as_str())
        .fetch_all(world.db.read())
        .await
        .expect("asked")
}

/// Creates one and waits until it runs.
pub async fn created(world: &World, lab: &Lab, form: ManagedForm) -> (RegistryId, Sweep) {
    let (id, job) = world.registries.create_managed(&world.actor, form).await.expect("asked for");
    let sweep = Sweep(lab.clone(), id.clone());
    succeeded(world, &job).await;
    (id, sweep)
}

/// As people see it.
pub async fn get(world: &World, id: &RegistryId) -> Registry {
    world.registries.get(&world.actor, id).await.expect("it is there")
}

/// All that the engine has with the label of this registry, one a line: services, secrets, volumes.
pub fn in_docker(lab: &Lab, id: &RegistryId) -> Vec<String> {
    let filter = format!("label=slipway.registry={id}");
    let mut found = Vec::new();
    for (kind, format) in [("service", "{{.Name}}"), ("secret", "{{.Name}}"), ("volume", "{{.Name}}")] {
        let names = lab.docker(&[kind, "ls", "--filter", &filter, "--format", format]);
        found.extend(names.lines().map(|name| format!("{kind} {name}")));
    }
    found.sort();
    found
}

/// The ids of the tasks that are to run.
pub fn tasks(lab: &Lab, id: &RegistryId) -> Vec<String> {
    let name = format!("slipway-registry-{}", id.short());
    let found = lab.docker(&["service", "ps", "-q", "--no-trunc", "--filter", "desired-state=running", &name]);
    found.lines().map(str::to_owned).collect()
}

/// Pushes an image with the registry's own login and pulls it back, by the engine.
pub async fn push_and_pull(world: &World, lab: &Lab, id: &RegistryId) {
    let target = world.registries.target(id).await.expect("asked").expect("it is there");
    let login = target.access.login.expect("a login");
    let host = target.access.url.host.to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let plain = format!("{}:{}", login.username, login.password.expose("the test signs in"));
    let auth = base64::engine::general_purpose::STANDARD.encode(plain);
    let config = serde_json::json!({"auths": {&host: {"auth": auth}}});
    std::fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
    let image = format!("{host}/shop/web:1");
    let docker = |args: &[&str]| {
        let output = Command::new("docker")
            .arg("-H")
            .arg(&lab.docker_host)
            .args(args)
            .env("DOCKER_CONFIG", folder.path())
            .output()
            .expect("docker runs");
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    docker(&["tag", "slipway-lab/base:1", &image]);
    docker(&["push", "-q", &image]);
    docker(&["image", "rm", "-f", &image]);
    docker(&["pull", "-q", &image]);
    docker(&["image", "rm", "-f", &image]);
}

/// Removes what a test left in the Swarm, also when it failed.
pub struct Sweep(pub Lab, pub RegistryId);

impl Drop for Sweep {
    fn drop(&mut self) {
        let docker = |args: &[&str]| {
            let output = Command::new("docker").arg("-H").arg(&self.0.docker_host).args(args).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
        };
        let filter = format!("label=slipway.registry={}", self.1);
        for _ in 0..80 {
            let mut left = 0;
            for kind in ["service", "secret", "volume"] {
                for name in docker(&[kind, "ls", "-q", "--filter", &filter]).lines() {
                    left += 1;
                    docker(&[kind, "rm", name]);
                }
            }
            if left == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }
}
