//! One Slipway with a repository, a service and the lab's registry.

use crate::lab::Lab;
use app::api::builds::BuildsApi as _;
use app::api::credentials::CredentialsApi as _;
use app::api::jobs::JobsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::{AppError, Problem};
use app::model::account::{Actor, Role};
use app::model::build::Build;
use app::model::build_options::BuildOptions;
use app::model::credential::CredentialForm;
use app::model::id::{AccountId, BuildId, ServiceId};
use app::model::job::{JobState, LogLine, Step};
use app::model::registry::RegistryForm;
use app::model::secret::Secret;
use app::model::service::GitSource;
use async_trait::async_trait;
use slipway::builders::{self, Builders};
use slipway::builds::{Builds, FinishedBuild, HandedOver, Parts, ServiceFacts, Services};
use slipway::clock::{Clock, random};
use slipway::config::{Config, LogFormat};
use slipway::credentials::Credentials;
use slipway::disk::{self, Disks};
use slipway::docker::Docker;
use slipway::git_access::GitAccesses;
use slipway::jobs::{Jobs, Lane};
use slipway::oci;
use slipway::process::Runner;
use slipway::providers::{Endpoints, Providers};
use slipway::registries::Registries;
use slipway::settings::Settings;
use slipway::storage::{Db, Tx};
use slipway::vault::Vault;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The lab's facts that only builds need.
pub struct Facts {
    pub lab: Lab,
    pub docker_host: String,
    pub base: String,
}

impl Facts {
    pub fn find() -> Option<Self> {
        let lab = Lab::find()?;
        let file = std::fs::read(std::env::var_os("SLIPWAY_LAB_FILE")?).expect("the lab's file");
        let file: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
        let text = |key: &str| file[key].as_str().unwrap_or_else(|| panic!("the lab's {key}")).to_owned();
        Some(Self { docker_host: text("docker_host"), base: text("base"), lab })
    }
}

/// Stands in for services: gives the facts and keeps what is handed over.
pub struct Kept {
    pub facts: Mutex<Option<ServiceFacts>>,
    pub deployed: Mutex<Vec<FinishedBuild>>,
}

#[async_trait]
impl Services for Kept {
    async fn facts(&self, _: &ServiceId) -> Result<ServiceFacts, AppError> {
        self.facts.lock().expect("a lock").clone().ok_or_else(|| AppError::NotFound("service".into()))
    }

    async fn deploy(&self, _: &mut Tx, build: &FinishedBuild) -> Result<HandedOver, AppError> {
        self.deployed.lock().expect("a lock").push(build.clone());
        Ok(HandedOver::Queued)
    }
}

pub struct House {
    pub facts: Facts,
    pub folder: tempfile::TempDir,
    pub db: Db,
    pub clock: Clock,
    pub jobs: Jobs,
    pub builds: Builds,
    pub settings: Settings,
    pub git_accesses: GitAccesses,
    pub disks: Disks,
    pub registries: Registries,
    pub credentials: Credentials,
    pub oci: oci::Client,
    pub kept: Arc<Kept>,
    pub service: ServiceId,
    more: Mutex<Vec<ServiceId>>,
    pub actor: Actor,
    pub stop: CancellationToken,
}

impl House {
    /// Everything but a registry; None where no lab runs.
    pub async fn empty() -> Option<Self> {
        let facts = Facts::find()?;
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder");
        let db = Db::open(&data).await.expect("a database");
        let clock = Clock::system();
        let vault = Vault::open(&data.join("master.key"), true).expect("a vault");
        let oci = oci::Client::new().expect("a client");
        let providers = Providers::new(oci.clone(), Endpoints::default());
        let credentials = Credentials::new(db.clone(), vault.clone(), clock.clone(), oci.clone(), providers);
        let registries = crate::app::registries(&db, &clock, &vault, &credentials, &data);
        let service = ServiceId::from_random(random());
        let source = GitSource {
            repository: folder.path().join("repos/shop").to_string_lossy().parse().expect("an address"),
            branch: "main".parse().expect("a branch"),
            dockerfile: "Dockerfile".parse().expect("a path"),
            context: "".parse().expect("a path"),
            base_path: None,
            registry: None,
            access: None,
            build: BuildOptions::default(),
        };
        let facts_of_service =
            ServiceFacts { name: "Web".into(), slug: "web".into(), project_slug: "shop".into(), source };
        let kept = Arc::new(Kept { facts: Mutex::new(Some(facts_of_service)), deployed: Mutex::default() });
        let mut tx = db.write().await.expect("a transaction");
        sqlx::query("INSERT INTO projects (id, name, slug, created_at) VALUES ('prj_000000000000', 'Shop', 'shop', 0)")
            .execute(&mut *tx)
            .await
            .expect("a project");
        sqlx::query(
            "INSERT INTO services (id, project_id, name, slug, source, settings, created_at, changed)
             VALUES (?, 'prj_000000000000', 'Web', 'web', '{}', '{}', 0, 0)",
        )
        .bind(service.as_str())
        .execute(&mut *tx)
        .await
        .expect("a service");
        tx.commit().await.expect("committed");
        let stop = CancellationToken::new();
        let (jobs, builds, settings, git_accesses, disks) =
            wire(&facts, &folder, &db, &clock, &credentials, &registries, &oci, &kept);
        let actor = Actor { account: AccountId::from_random(random()), username: "ada".into(), role: Role::Owner };
        let house = Self {
            facts,
            folder,
            db,
            clock,
            jobs,
            builds,
            settings,
            git_accesses,
            disks,
            registries,
            credentials,
            oci,
            kept,
            service,
            more: Mutex::default(),
            actor,
            stop,
        };
        house.repository();
        Some(house)
    }

    /// With the lab's registry, and workers that run.
    pub async fn ready() -> Option<Self> {
        let house = Self::empty().await?;
        let url = house.facts.lab.url().to_string();
        house.registry(&url).await;
        house.jobs.start(house.stop.clone());
        Some(house)
    }

    /// One more service of the same repository; its images go when the house does.
    pub async fn another_service(&self, number: u32) -> ServiceId {
        let service = ServiceId::from_random(random());
        let mut tx = self.db.write().await.expect("a transaction");
        sqlx::query(
            "INSERT INTO services (id, project_id, name, slug, source, settings, created_at, changed)
             VALUES (?, 'prj_000000000000', ?, 'web', '{}', '{}', 0, 0)",
        )
        .bind(service.as_str())
        .bind(format!("Web {number}"))
        .execute(&mut *tx)
        .await
        .expect("a service");
        tx.commit().await.expect("committed");
        self.more.lock().expect("a lock").push(service.clone());
        service
    }

    pub async fn registry(&self, url: &str) {
        let form = CredentialForm {
            name: "Lab".into(),
            url: url.into(),
            username: self.facts.lab.username.clone(),
            password: Secret::new(self.facts.lab.password.clone()),
            internal: Some("on".into()),
            ..CredentialForm::default()
        };
        let credential = self.credentials.create(&self.actor, form).await.expect("a credential");
        let form = RegistryForm {
            name: "Lab".into(),
            credential: credential.to_string(),
            // Of this test alone, so that tests don't meet in the registry.
            base_path: format!("tests/{}", self.service.short()),
            is_default: Some("on".into()),
            platforms: String::new(),
        };
        self.registries.create(&self.actor, form).await.expect("a registry");
    }

    /// The next run of the program on the same data.
    pub fn boot(&mut self) {
        self.stop = CancellationToken::new();
        let parts = wire(
            &self.facts,
            &self.folder,
            &self.db,
            &self.clock,
            &self.credentials,
            &self.registries,
            &self.oci,
            &self.kept,
        );
        (self.jobs, self.builds, self.settings, self.git_accesses, self.disks) = parts;
    }

    pub fn builds_dir(&self) -> PathBuf {
        self.folder.path().join("data/builds")
    }

    pub fn repo(&self) -> PathBuf {
        self.folder.path().join("repos/shop")
    }

    fn repository(&self) {
        std::fs::create_dir_all(self.repo()).expect("a folder");
        git(&self.repo(), &["init", "--quiet", "--initial-branch=main"]);
    }

    /// Writes files and commits them; returns the commit.
    pub fn commit(&self, subject: &str, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            let path = self.repo().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        git(&self.repo(), &["add", "--all"]);
        git(&self.repo(), &["commit", "--quiet", "--allow-empty", "--message", subject]);
        git(&self.repo(), &["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Keeps a value of a build secret of the service.
    pub async fn seal(&self, name: &str, value: &str) {
        let vault = Vault::open(&self.folder.path().join("data/master.key"), false).expect("a vault");
        let owner = slipway::builds::secrets_of(&self.service);
        let mut tx = self.db.write().await.expect("a transaction");
        vault.put(&mut tx, &self.clock, &owner, name, &Secret::new(value.into())).await.expect("sealed");
        tx.commit().await.expect("committed");
    }

    /// A Dockerfile on the lab's base image. The variable keeps BuildKit from taking commands of an earlier run from
    /// its cache.
    pub fn dockerfile(&self, rest: &str) -> String {
        self.dockerfile_from(&self.facts.base, rest)
    }

    pub fn dockerfile_from(&self, base: &str, rest: &str) -> String {
        format!("FROM {base}\nENV TEST={}\n{rest}\n", self.service.short())
    }

    pub fn change(&self, change: impl FnOnce(&mut ServiceFacts)) {
        change(self.kept.facts.lock().expect("a lock").as_mut().expect("facts"));
    }

    pub async fn start(&self) -> BuildId {
        self.builds.start(&self.actor, &self.service, true, false).await.expect("it is queued")
    }

    pub async fn get(&self, id: &BuildId) -> Build {
        self.builds.get(&self.actor, id).await.expect("the build")
    }

    pub async fn steps(&self, id: &BuildId) -> Vec<Step> {
        self.jobs.get(&self.actor, &self.get(id).await.job).await.expect("the job").1
    }

    pub async fn log(&self, id: &BuildId) -> Vec<LogLine> {
        self.jobs.tail(&self.actor, &self.get(id).await.job, 10_000).await.expect("the log").0
    }

    pub async fn text(&self, id: &BuildId) -> String {
        self.log(id).await.into_iter().map(|line| line.text + "\n").collect()
    }

    pub async fn until(&self, id: &BuildId, state: JobState) -> Build {
        let started = Instant::now();
        loop {
            let build = self.get(id).await;
            if build.state == state {
                return build;
            }
            if build.state.is_final() || started.elapsed() > Duration::from_secs(120) {
                panic!("it is {:?}: {:?}\n{}", build.state, build.problem, self.text(id).await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The build is over, with this problem.
    pub async fn fails(&self, id: &BuildId) -> Problem {
        let problem = self.until(id, JobState::Failed).await.problem.expect("a problem");
        assert!(!problem.cause.is_empty() && !problem.remedy.is_empty());
        self.is_clean();
        problem
    }

    /// The log has this line.
    pub async fn says(&self, id: &BuildId, text: &str) {
        let started = Instant::now();
        while !self.log(id).await.iter().any(|line| line.text == text) {
            if self.get(id).await.state.is_final() || started.elapsed() > Duration::from_secs(60) {
                panic!("the log never says {text:?}:\n{}", self.text(id).await);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// No build folder is left.
    pub fn is_clean(&self) {
        let left: Vec<_> = match std::fs::read_dir(self.builds_dir()) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(_) => Vec::new(),
        };
        assert!(left.is_empty(), "left: {left:?}");
    }

    /// The digest that the registry has under a tag of the service.
    pub async fn in_registry(&self, tag: &str) -> Option<String> {
        let repository = format!("tests/{0}/shop/web-{0}", self.service.short()).parse().expect("a repository");
        let lab = &self.facts.lab;
        let found = self.oci.digest(&lab.access(), &repository, tag).await.expect("an answer");
        found.map(|digest| digest.to_string())
    }
}

impl Drop for House {
    /// Leaves nothing in the lab's engine.
    fn drop(&mut self) {
        self.stop.cancel();
        let docker =
            |args: &[&str]| Command::new("docker").args(args).env("DOCKER_HOST", &self.facts.docker_host).output();
        let more = self.more.lock().map(|more| more.clone()).unwrap_or_default();
        for service in more.iter().chain([&self.service]) {
            let label = format!("label=slipway.service={service}");
            if let Ok(listed) = docker(&["image", "ls", "--quiet", "--filter", &label]) {
                let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
                let ids: Vec<_> = listed.split_whitespace().collect();
                if !ids.is_empty() {
                    let _ = docker(&[&["image", "rm", "--force"], ids.as_slice()].concat());
                }
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "wires the parts once, by name")]
fn wire(
    facts: &Facts,
    folder: &tempfile::TempDir,
    db: &Db,
    clock: &Clock,
    credentials: &Credentials,
    registries: &Registries,
    oci: &oci::Client,
    kept: &Arc<Kept>,
) -> (Jobs, Builds, Settings, GitAccesses, Disks) {
    let data_dir = folder.path().join("data");
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        docker_host: facts.docker_host.clone(),
        master_key_file: data_dir.join("master.key"),
        log_format: LogFormat::Text,
        local_repositories: vec![folder.path().join("repos")],
        trusted_proxies: Vec::new(),
        registry_image: "slipway-lab/registry:2".parse().expect("an image"),
        proxy_image: None,
        builds_need: app::model::disk::Needs::default(),
        data_dir,
    };
    let jobs = Jobs::new(db.clone(), clock.clone(), config.logs_dir());
    jobs.limit(Lane::Build, 1);
    let runner = Runner::new(env!("CARGO_BIN_EXE_slipway"));
    let vault = Vault::open(&config.master_key_file, true).expect("a vault");
    let docker = Docker::connect(&config.docker_host).expect("an engine");
    let settings = Settings::new(db.clone(), clock.clone(), config.clone(), docker.clone(), runner.clone());
    settings.set_jobs(jobs.clone());
    let ca = folder.path().join("authority.pem");
    std::fs::write(&ca, crate::oci::certificates::authority()).expect("a file");
    let git_accesses = GitAccesses::new(db.clone(), vault.clone(), clock.clone(), runner.clone());
    let builders = Builders::new(builders::Parts {
        db: db.clone(),
        clock: clock.clone(),
        vault: vault.clone(),
        jobs: jobs.clone(),
        docker: docker.clone(),
        runner: runner.clone(),
        config: config.clone(),
    });
    let disks = Disks::new(disk::Parts { docker, config: config.clone() });
    let builds = Builds::new(Parts {
        db: db.clone(),
        clock: clock.clone(),
        vault,
        jobs: jobs.clone(),
        settings: settings.clone(),
        credentials: credentials.clone(),
        registries: registries.clone(),
        disks: disks.clone(),
        git_accesses: git_accesses.clone(),
        builders,
        oci: oci.clone(),
        runner,
        config,
        git_ca: Some(ca.into()),
    });
    builds.set_services(kept.clone());
    git_accesses.set_reader(Arc::new(builds.clone()));
    jobs.register(builds.handler());
    (jobs, builds, settings, git_accesses, disks)
}

pub fn git(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH"))
        .env("HOME", "/nonexistent")
        .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Ada L.")))
        .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ada@example.org")))
        .output()
        .expect("git");
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

/// Command lines on this machine that have this text.
pub fn processes(text: &str) -> Vec<String> {
    let me = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter(|entry| entry.file_name().to_str() != Some(&me))
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

/// Ids of processes on this machine that have this text in their command line.
pub fn pids(text: &str) -> Vec<i32> {
    let ids = std::fs::read_dir("/proc").expect("/proc").flatten();
    ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id: &i32| id.unsigned_abs() != std::process::id())
        .filter(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
        })
        .collect()
}

pub async fn until_gone(text: &str, within: Duration) {
    let started = Instant::now();
    while !processes(text).is_empty() {
        assert!(started.elapsed() < within, "still there: {:?}", processes(text));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
