//! A whole Slipway with a registry, and images for two platforms that are pushed by hand.

use crate::lab::{self, internal};
use crate::swarm::{Lab, config, eventually, free_port};
use app::error::Problem;
use app::model::account::{Actor, Role};
use app::model::credential::CredentialForm;
use app::model::id::{AccountId, BuildId, DeploymentId, JobId, RegistryId, ServiceId};
use app::model::image_ref::{Digest, Repository};
use app::model::job::JobState;
use app::model::registry::{ManagedForm, RegistryForm};
use app::model::retention::{PolicyForm, Scope};
use app::model::secret::Secret;
use app::model::trash::{RunReport, Trashed};
use serde_json::{Value, json};
use slipway::clock::{Clock, random, random_hex};
use slipway::oci::{Access, Client, Login, Manifest, Put};
use slipway::process::Runner;
use slipway::start::Slipway;
use slipway::storage::Db;
use std::path::Path;
use std::time::Duration;

pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Opens Slipway over a folder.
pub async fn slipway(folder: &Path, lab: &Lab, clock: &Clock) -> Slipway {
    let runner = Runner::new(env!("CARGO_BIN_EXE_slipway"));
    Slipway::open(config(folder, &lab.docker_host), clock.clone(), runner).await.expect("Slipway opens")
}

pub struct House {
    pub folder: tempfile::TempDir,
    pub lab: Lab,
    pub clock: Clock,
    pub slipway: Option<Slipway>,
    pub actor: Actor,
    pub registry: RegistryId,
    pub service: ServiceId,
    pub repository: Repository,
    pub oci: Client,
    pub access: Access,
}

impl House {
    /// With the lab's registry; None where no lab runs. Jobs wait.
    pub async fn open() -> Option<Self> {
        let access = lab::Lab::find()?.access();
        Some(Self::at(access).await.expect("a lab"))
    }

    /// With the lab's registry, and workers.
    pub async fn ready() -> Option<Self> {
        let house = Self::open().await?;
        house.work();
        Some(house)
    }

    /// With any registry; None where no lab runs.
    pub async fn at(access: Access) -> Option<Self> {
        let lab = Lab::find()?;
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let slipway = slipway(folder.path(), &lab, &clock).await;
        let actor = Actor { account: AccountId::from_random([1; 8]), username: "owner".into(), role: Role::Owner };
        let login = access.login.clone().unwrap_or(Login { username: "x".into(), password: Secret::new("y".into()) });
        let form = CredentialForm {
            name: "Lab".into(),
            url: access.url.to_string(),
            username: login.username,
            password: login.password,
            internal: Some("on".into()),
            ..CredentialForm::default()
        };
        let credential = slipway.backend.credentials.create(&actor, form).await.expect("a credential");
        let form = RegistryForm {
            name: "Lab".into(),
            credential: credential.to_string(),
            base_path: String::new(),
            is_default: Some("yes".into()),
            platforms: String::new(),
        };
        let registry = slipway.backend.registries.create(&actor, form).await.expect("a registry");
        Some(Self::with(folder, lab, clock, slipway, actor, registry, access).await)
    }

    /// With a registry that Slipway runs itself, and all its loops.
    pub async fn managed() -> Option<(Self, crate::registries::managed::house::Sweep)> {
        let lab = Lab::find()?;
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let slipway = slipway(folder.path(), &lab, &clock).await;
        slipway.start_loops();
        let actor = Actor { account: AccountId::from_random([1; 8]), username: "owner".into(), role: Role::Owner };
        let registries = slipway.backend.registries.clone();
        let form = ManagedForm { name: "Ours".into(), port: free_port().to_string(), ..ManagedForm::default() };
        let (registry, job) = eventually(Duration::from_secs(60), "the Swarm is seen", || async {
            registries.create_managed(&actor, form.clone()).await.ok()
        })
        .await;
        let sweep = crate::registries::managed::house::Sweep(lab.clone(), registry.clone());
        let found = registries.get(&actor, &registry).await.expect("it is there");
        let (username, password) = registries.reveal(&actor, &registry).await.expect("its login");
        let access = Access {
            url: format!("http://{}", found.host).parse().expect("an address"),
            login: Some(Login { username, password }),
            trust: internal(),
        };
        let house = Self::with(folder, lab, clock, slipway, actor, registry, access).await;
        house.succeeded(&job).await;
        Some((house, sweep))
    }

    async fn with(
        folder: tempfile::TempDir,
        lab: Lab,
        clock: Clock,
        slipway: Slipway,
        actor: Actor,
        registry: RegistryId,
        access: Access,
    ) -> Self {
        let repository: Repository = format!("retention/{}", random_hex::<6>()).parse().expect("a repository");
        let oci = Client::new().expect("a client");
        let service = ServiceId::from_random(random());
        let house =
            Self { folder, lab, clock, slipway: Some(slipway), actor, registry, service, repository, oci, access };
        house.built().await;
        house
    }

    pub fn work(&self) {
        drop(self.slipway().jobs.start(self.slipway().shutdown.clone()));
    }

    pub fn slipway(&self) -> &Slipway {
        self.slipway.as_ref().expect("it is open")
    }

    /// Slipway ends, and somebody else may open its folder.
    pub async fn close(&mut self) {
        self.slipway.take().expect("it is open").stop().await;
    }

    /// Slipway opens its folder again and works.
    pub async fn reopen(&mut self) {
        self.slipway = Some(slipway(self.folder.path(), &self.lab, &self.clock).await);
        self.work();
    }

    pub async fn db(&self) -> Db {
        match &self.slipway {
            Some(slipway) => slipway.db.clone(),
            None => Db::open(self.folder.path()).await.expect("a database"),
        }
    }

    /// A service whose build pushed to the repository: only such repositories count at a registry of somebody else.
    async fn built(&self) {
        let db = self.db().await;
        let mut tx = db.write().await.expect("a transaction");
        let (build, job) = (BuildId::from_random(random()), JobId::from_random(random()));
        let host = &self.access.url.host;
        let reference = format!("{host}/{}:first", self.repository);
        for sql in [
            "INSERT INTO projects (id, name, slug, created_at) VALUES ('prj_000000000000', 'Shop', 'shop', 0)",
            "INSERT INTO services (id, project_id, name, slug, source, settings, created_at, changed)
             VALUES (?1, 'prj_000000000000', 'Web', 'web', '{}', '{}', 0, 0)",
            "INSERT INTO jobs (id, kind, payload, subject, lane, run_after, state, asked_by, created)
             VALUES (?2, 'build_image', '{}', 'build', 'build', 0, 'succeeded', 'owner', 0)",
            "INSERT INTO builds (id, service_id, number, job_id, registry_id, deploys, reference, digest, commit_sha, created)
             VALUES (?3, ?1, 1, ?2, ?4, 1, ?5, ?6, ?7, 0)",
        ] {
            let query = sqlx::query(sql)
                .bind(self.service.as_str())
                .bind(job.as_str())
                .bind(build.as_str())
                .bind(self.registry.as_str())
                .bind(&reference)
                .bind(format!("sha256:{}", "0".repeat(64)))
                .bind("a".repeat(40));
            query.execute(&mut *tx).await.expect("a row");
        }
        tx.commit().await.expect("committed");
    }

    /// A pinned deployment of a digest.
    pub async fn pinned(&self, digest: &Digest) -> DeploymentId {
        let db = self.db().await;
        let mut tx = db.write().await.expect("a transaction");
        let (deployment, job) = (DeploymentId::from_random(random()), JobId::from_random(random()));
        let image = format!("{}/{}@{digest}", self.access.url.host, self.repository);
        sqlx::query(
            "INSERT INTO jobs (id, kind, payload, subject, lane, run_after, state, asked_by, created)
             VALUES (?, 'deploy', '{}', 'deploy', 'swarm', 0, 'succeeded', 'owner', 0)",
        )
        .bind(job.as_str())
        .execute(&mut *tx)
        .await
        .expect("a job");
        sqlx::query(
            "INSERT INTO deployments (id, service_id, number, job_id, image, registry_id, commit_sha, settings, origin, asked_by,
                                      created, pinned_at, pinned_by)
             SELECT ?1, ?2, (SELECT count(*) + 1 FROM deployments), ?3, ?4, ?5, 'aaaaaaa', '{}', '{}', 'owner', 0, 1,
                    'owner'",
        )
        .bind(deployment.as_str())
        .bind(self.service.as_str())
        .bind(job.as_str())
        .bind(image)
        .bind(self.registry.as_str())
        .execute(&mut *tx)
        .await
        .expect("a deployment");
        tx.commit().await.expect("committed");
        deployment
    }

    /// It is needed no more.
    pub async fn unpinned(&self, deployment: &DeploymentId) {
        let db = self.db().await;
        let mut tx = db.write().await.expect("a transaction");
        let sql = "DELETE FROM deployments WHERE id = ?";
        sqlx::query(sql).bind(deployment.as_str()).execute(&mut *tx).await.expect("gone");
        tx.commit().await.expect("committed");
    }

    /// Tags that fit stay, all others go.
    pub async fn keep(&self, patterns: &str, every_hours: &str) {
        let form = PolicyForm {
            keep_matching: patterns.into(),
            foreign: Some("on".into()),
            trash_days: "7".into(),
            every_hours: every_hours.into(),
            ..PolicyForm::default()
        };
        let scope = Scope::Registry(self.registry.clone());
        self.slipway().backend.retention.set_policy(&self.actor, &scope, form).await.expect("rules");
    }

    pub async fn ask(&self) -> JobId {
        self.slipway().backend.trash.run(&self.actor, &self.registry).await.expect("asked for")
    }

    /// How a job ended.
    pub async fn ended(&self, job: &JobId) -> (JobState, Option<Problem>) {
        let db = self.db().await;
        eventually(Duration::from_secs(120), "the job ends", || async {
            let (state, problem): (String, Option<String>) =
                sqlx::query_as("SELECT state, problem FROM jobs WHERE id = ?")
                    .bind(job.as_str())
                    .fetch_one(db.read())
                    .await
                    .expect("asked");
            let state: JobState = state.parse().expect("a state");
            state.is_final().then(|| (state, problem.map(|json| serde_json::from_str(&json).expect("a problem"))))
        })
        .await
    }

    /// Waits for its good end; the report.
    pub async fn succeeded(&self, job: &JobId) {
        let (state, problem) = self.ended(job).await;
        assert_eq!(state, JobState::Succeeded, "{problem:?}");
    }

    pub async fn report(&self, job: &JobId) -> RunReport {
        self.slipway().backend.trash.report(&self.actor, &self.registry, job).await.expect("a report")
    }

    /// Runs the rules.
    pub async fn ran(&self) -> RunReport {
        let job = self.ask().await;
        self.succeeded(&job).await;
        self.report(&job).await
    }

    pub async fn trash(&self) -> Vec<Trashed> {
        self.slipway().backend.trash.trash(&self.actor, &self.registry).await.expect("the trash")
    }

    /// Throws out all that is in the trash.
    pub async fn emptied(&self) -> RunReport {
        let form = app::model::trash::EmptyForm { sure: Some("on".into()) };
        let job = self.slipway().backend.trash.empty(&self.actor, &self.registry, form).await.expect("asked for");
        self.succeeded(&job).await;
        self.report(&job).await
    }

    pub async fn blob(&self, bytes: &[u8]) -> Value {
        let digest = self.oci.push_blob(&self.access, &self.repository, bytes).await.expect("pushed");
        json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": bytes.len()})
    }

    pub async fn put(&self, tag: Option<&str>, kind: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = digest_of(&bytes);
        let manifest = Manifest { digest: digest.clone(), media_type: kind.into(), bytes };
        let tag = tag.map(|tag| tag.parse().expect("a tag"));
        let put = self.oci.put_manifest(&self.access, &self.repository, tag.as_ref(), &manifest).await;
        assert_eq!(put.expect("an answer"), Put::Stored);
        json!({"mediaType": kind, "digest": digest, "size": manifest.bytes.len()})
    }

    /// An image for one platform, of a shared layer and one of its own.
    pub async fn platform(&self, base: &Value, architecture: &str) -> Value {
        let config = json!({"architecture": architecture, "os": "linux", "nonce": random_hex::<8>()}).to_string();
        let mut config = self.blob(config.as_bytes()).await;
        config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let layer = self.blob(random_hex::<400>().as_bytes()).await;
        let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [base, layer]});
        let mut descriptor = self.put(None, IMAGE, &manifest).await;
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        descriptor
    }

    /// An index under a tag.
    pub async fn index(&self, tag: &str, manifests: &[Value]) -> Digest {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.put(Some(tag), INDEX, &index).await["digest"].as_str().expect("text").parse().expect("a digest")
    }

    /// An image for two platforms, with what BuildKit says about one of them.
    pub async fn image(&self, tag: &str) -> Digest {
        let base = self.blob(b"what all images of these tests share").await;
        let (amd, arm) = (self.platform(&base, "amd64").await, self.platform(&base, "arm64").await);
        let mut said = self.platform(&base, "unknown").await;
        said["platform"] = json!({"architecture": "unknown", "os": "unknown"});
        said["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": amd["digest"],
        });
        self.index(tag, &[amd, arm, said]).await
    }

    /// One more tag for a digest.
    pub async fn tag(&self, tag: &str, digest: &Digest) {
        let found = self.oci.manifest(&self.access, &self.repository, digest.as_str()).await.expect("asked");
        let tag = tag.parse().expect("a tag");
        let put = self.oci.put_manifest(&self.access, &self.repository, Some(&tag), &found.expect("it is there")).await;
        assert_eq!(put.expect("an answer"), Put::Stored);
    }

    /// What a tag or digest leads to.
    pub async fn leads_to(&self, reference: &str) -> Option<Digest> {
        self.oci.digest(&self.access, &self.repository, reference).await.expect("an answer")
    }

    /// Fetches all that a tag or digest leads to; every byte is hashed by the client. How many blobs.
    pub async fn pull(&self, reference: &str) -> usize {
        let (mut wanted, mut blobs) = (vec![reference.to_owned()], 0);
        while let Some(reference) = wanted.pop() {
            let manifest = self.oci.manifest(&self.access, &self.repository, &reference).await.expect("an answer");
            let manifest = manifest.unwrap_or_else(|| panic!("{reference} isn't there"));
            let read: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
            let digest = |of: &Value| of["digest"].as_str().expect("a digest").to_owned();
            wanted.extend(read["manifests"].as_array().into_iter().flatten().map(digest));
            for blob in read["layers"].as_array().into_iter().flatten().chain(read.get("config")) {
                let digest: Digest = digest(blob).parse().expect("a digest");
                let bytes = self.oci.blob(&self.access, &self.repository, &digest, 1 << 20).await.expect("an answer");
                assert!(bytes.is_some(), "{digest} isn't there");
                blobs += 1;
            }
        }
        blobs
    }
}

pub fn digest_of(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    format!("sha256:{}", app::model::text::hex(&sha2::Sha256::digest(bytes))).parse().expect("a digest")
}

/// An open registry at an address of this machine.
pub fn open_at(port: u16) -> Access {
    let url = format!("http://127.0.0.1:{port}").parse().expect("an address");
    Access { url, login: None, trust: internal() }
}
