//! Slipway without its web interface, over a folder and the lab.

use crate::swarm::{Lab, config, eventually};
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::account::{Actor, Role};
use app::model::build_record::Trigger;
use app::model::credential::CredentialForm;
use app::model::id::{AccountId, BuildId, DeploymentId, JobId, RegistryId, ServiceId};
use app::model::image_ref::ImageRef;
use app::model::job::JobState;
use app::model::registry::RegistryForm;
use app::model::secret::Secret;
use app::model::service::{Deployment, ServiceForm};
use slipway::builds::{FinishedBuild, Services as _};
use slipway::clock::{Clock, random};
use slipway::credentials::Credentials;
use slipway::docker::Docker;
use slipway::images::Images;
use slipway::jobs::Jobs;
use slipway::oci;
use slipway::process::Runner;
use slipway::providers::{Endpoints, Providers};
use slipway::registries::{Parts, Registries};
use slipway::services::Services;
use slipway::settings::Settings;
use slipway::storage::{Db, Tx};
use slipway::vault::Vault;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub struct World {
    pub db: Db,
    pub services: Services,
    pub jobs: Jobs,
    pub actor: Actor,
    pub credentials: Credentials,
    pub registries: Registries,
    stop: CancellationToken,
}

impl World {
    /// Opens the folder; jobs don't run yet.
    pub async fn open(folder: &Path, docker_host: &str) -> Self {
        let config = config(folder, docker_host);
        let clock = Clock::system();
        let db = Db::open(folder).await.expect("a database");
        let vault = Vault::open(&config.master_key_file, true).expect("a vault");
        let oci = oci::Client::new().expect("a client");
        let docker = Docker::connect(docker_host).expect("an address");
        let jobs = Jobs::new(db.clone(), clock.clone(), config.logs_dir());
        let providers = Providers::new(oci.clone(), Endpoints::default());
        let credentials = Credentials::new(db.clone(), vault.clone(), clock.clone(), oci.clone(), providers.clone());
        let runner = Runner::new(env!("CARGO_BIN_EXE_slipway"));
        let settings = Settings::new(db.clone(), clock.clone(), config.clone(), docker.clone(), runner);
        settings.look().await;
        let registries = Registries::new(Parts {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            jobs: jobs.clone(),
            credentials: credentials.clone(),
            settings: settings.clone(),
            docker: docker.clone(),
            oci: oci.clone(),
            config: config.clone(),
        });
        let images = Images::new(db.clone(), clock.clone(), credentials.clone(), providers, oci.clone());
        let services = Services::new(
            db.clone(),
            vault,
            clock,
            jobs.clone(),
            credentials.clone(),
            registries.clone(),
            images.clone(),
            oci,
            docker,
            config,
            settings,
        );
        credentials.set_users(Arc::new(services.clone()));
        images.set_swarm(Arc::new(services.clone()));
        for handler in services.handlers().into_iter().chain(registries.handlers()) {
            jobs.register(handler);
        }
        let actor = Actor { account: AccountId::from_random([1; 8]), username: "owner".into(), role: Role::Owner };
        Self { db, services, jobs, actor, credentials, registries, stop: CancellationToken::new() }
    }

    /// Works on jobs from now on.
    pub fn start(&self) {
        drop(self.jobs.start(self.stop.clone()));
    }

    /// The lab's registry with its credential.
    pub async fn registry(&self, lab: &Lab) -> RegistryId {
        let credential = CredentialForm {
            name: "Lab".into(),
            url: format!("http://{}", lab.registry),
            username: lab.username.clone(),
            password: Secret::new(lab.password.clone()),
            internal: Some("on".into()),
            ..CredentialForm::default()
        };
        let credential = self.credentials.create(&self.actor, credential).await.expect("a credential");
        let registry = RegistryForm {
            name: "Lab".into(),
            credential: credential.to_string(),
            base_path: String::new(),
            is_default: Some("yes".into()),
            platforms: String::new(),
        };
        self.registries.create(&self.actor, registry).await.expect("a registry")
    }

    pub async fn create(&self, form: ServiceForm) -> Result<ServiceId, AppError> {
        self.services.create(&self.actor, form).await
    }

    /// What a build leaves when its image is pushed, up to the hand-over.
    pub async fn built(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        registry: &RegistryId,
        image: &ImageRef,
        trigger: Trigger,
    ) -> FinishedBuild {
        let (build, job) = (BuildId::from_random(random()), JobId::from_random(random()));
        sqlx::query(
            "INSERT INTO jobs (id, kind, payload, subject, lane, run_after, state, asked_by, created)
             VALUES (?, 'build_image', '{}', 'build', 'build', 0, 'succeeded', 'owner', 0)",
        )
        .bind(job.as_str())
        .execute(&mut **tx)
        .await
        .expect("a job");
        let commit = "a".repeat(40);
        sqlx::query(
            "INSERT INTO builds (id, service_id, number, job_id, registry_id, deploys, reference, digest, commit_sha, created)
             VALUES (?1, ?2, (SELECT count(*) + 1 FROM builds WHERE service_id = ?2), ?3, ?4, 1, ?5, ?6, ?7, 0)",
        )
        .bind(build.as_str())
        .bind(service.as_str())
        .bind(job.as_str())
        .bind(registry.as_str())
        .bind(ImageRef { digest: None, ..image.clone() }.to_string())
        .bind(image.digest.as_ref().map(ToString::to_string))
        .bind(&commit)
        .execute(&mut **tx)
        .await
        .expect("a build");
        FinishedBuild {
            id: build,
            number: 1,
            service: service.clone(),
            image: image.clone(),
            registry: registry.clone(),
            commit: commit.parse().expect("a commit"),
            commit_subject: Some("A commit".into()),
            asked_by: "owner".into(),
            trigger,
        }
    }

    /// What a finished build does: a row, and a deployment in the same transaction.
    pub async fn deploy(&self, service: &ServiceId, registry: &RegistryId, image: &ImageRef) -> Deployment {
        let mut tx = self.db.write().await.expect("a transaction");
        let finished = self.built(&mut tx, service, registry, image, Trigger::Hand).await;
        self.services.deploy(&mut tx, &finished).await.expect("a deployment");
        // Once per build, however often it is asked for.
        self.services.deploy(&mut tx, &finished).await.expect("the same deployment");
        tx.commit().await.expect("committed");
        self.jobs.wake();
        self.deployments(service).await.remove(0)
    }

    /// The Swarm's id of the service; empty: it has none.
    pub fn in_swarm(&self, lab: &Lab, service: &ServiceId) -> String {
        let filter = format!("label=slipway.service={service}");
        lab.docker(&["service", "ls", "-q", "--filter", &filter]).trim().to_owned()
    }

    /// Newest first.
    pub async fn deployments(&self, service: &ServiceId) -> Vec<Deployment> {
        self.services.deployments(&self.actor, service).await.expect("deployments")
    }

    pub async fn deployment(&self, id: &DeploymentId) -> Deployment {
        self.services.deployment(&self.actor, id).await.expect("a deployment")
    }

    pub async fn ended(&self, id: &DeploymentId) -> Deployment {
        eventually(Duration::from_secs(180), "the deployment ends", || async {
            Some(self.deployment(id).await).filter(|deployment| deployment.state.is_final())
        })
        .await
    }

    pub async fn succeeded(&self, id: &DeploymentId) -> Deployment {
        let deployment = self.ended(id).await;
        assert_eq!(deployment.state, JobState::Succeeded, "{:?}", deployment.problem);
        deployment
    }

    /// How the removal of the only deleted service ended.
    pub async fn removed(&self) -> String {
        eventually(Duration::from_secs(90), "the removal ends", || async {
            let (state, problem): (String, Option<String>) =
                sqlx::query_as("SELECT state, problem FROM jobs WHERE kind = 'remove_service'")
                    .fetch_one(self.db.read())
                    .await
                    .expect("asked");
            let state = state.parse::<JobState>().expect("a state");
            state.is_final().then(|| problem.unwrap_or_else(|| state.as_str().into()))
        })
        .await
    }

    /// Waits until the service says this on its port. What it said last instead is in the panic.
    pub async fn answers(&self, port: u16, text: &str) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().expect("a client");
        let begun = std::time::Instant::now();
        loop {
            let answer = async { client.get(format!("http://127.0.0.1:{port}/")).send().await?.text().await };
            let last = answer.await;
            if last.as_ref().is_ok_and(|answer| answer.trim() == text) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{text} on port {port}: not within 30 s, but {last:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Removes what a test left in the Swarm, also when it failed.
pub struct Sweep(pub Lab, pub ServiceId);

impl Drop for Sweep {
    fn drop(&mut self) {
        let docker = |args: &[&str]| {
            let output = Command::new("docker").arg("-H").arg(&self.0.docker_host).args(args).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
        };
        let found = docker(&["service", "ls", "-q", "--filter", &format!("label=slipway.service={}", self.1)]);
        if !found.is_empty() {
            let network =
                docker(&["service", "inspect", "-f", "{{(index .Spec.TaskTemplate.Networks 0).Target}}", &found]);
            docker(&["service", "rm", &found]);
            for _ in 0..60 {
                docker(&["network", "rm", &network]);
                if docker(&["network", "inspect", "-f", "{{.Id}}", &network]).is_empty() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(250));
            }
        }
        let images = docker(&["image", "ls", "-q", "--filter", &format!("reference=*/swarm/{}", self.1.short())]);
        for image in images.lines() {
            docker(&["image", "rm", "-f", image]);
        }
    }
}

/// A form with what every service has.
pub fn form(project: &str, name: &str) -> ServiceForm {
    ServiceForm {
        project: project.into(),
        name: name.into(),
        repository: "https://git.example.com/shop/web.git".into(),
        branch: "main".into(),
        replicas: "1".into(),
        ..ServiceForm::default()
    }
}

/// A name that nobody else has.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", slipway::clock::random_token().chars().take(8).collect::<String>())
}
