//! Registries by script: one that Slipway would run, and what was asked of it.

use app::api::registries::{LogLines, RegistriesApi};
use app::error::{AppError, Blocker, FieldError, Link, Problem};
use app::model::account::{Action, Actor};
use app::model::id::{CredentialId, JobId, RegistryId};
use app::model::registry::{
    DeleteForm, Disk, Garbage, GarbageForm, LogEntry, LogView, Managed, ManagedForm, ManagedState, ManagedStatus,
    Phase, ProbeReport, ProbeStep, Reach, Registry, RegistryForm, RegistryUser, S3Place, Severity, Storage,
    Suggestions, TaskLine, UptimeSlot, Usage,
};
use app::model::secret::Secret;
use async_trait::async_trait;
use futures::StreamExt as _;
use slipway::jobs::{Jobs, Lane, NewJob};
use slipway::storage::Db;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// The key that a program sends; it must not come back.
pub const CANARY: &str = "canary-4d2f8a1b7c";

/// What was asked of it.
#[derive(Debug, Default)]
pub struct Heard {
    pub created: Vec<ManagedForm>,
    pub deleted: Vec<DeleteForm>,
    pub checks: usize,
    pub views: Vec<(LogView, Option<String>)>,
}

/// What a stream gets.
pub type News = mpsc::UnboundedReceiver<Result<LogEntry, AppError>>;

#[derive(Clone)]
pub struct Engine {
    db: Db,
    jobs: Jobs,
    pub heard: Arc<Mutex<Heard>>,
    /// Lines that a stream gets.
    pub lines: Arc<Mutex<Option<News>>>,
}

/// The registry that is there.
pub fn id() -> RegistryId {
    RegistryId::from_random([7; 8])
}

/// Whoever asks how this one is meets a fault of ours.
pub fn breaks() -> RegistryId {
    RegistryId::from_random([9; 8])
}

pub fn line(n: i64, severity: Severity, text: &str) -> LogEntry {
    LogEntry {
        at: 1_700_000_000_000 + n,
        cursor: format!("2023-11-14T22:13:20.{n:09}Z"),
        severity,
        text: text.into(),
        is_own: false,
    }
}

fn registry() -> Registry {
    Registry {
        id: id(),
        name: "Ours".into(),
        host: "127.0.0.1:5001".parse().expect("a host"),
        provider: app::model::provider::Provider::Generic,
        credential: CredentialId::from_random([7; 8]),
        credential_name: "Registry Ours".into(),
        credential_works: true,
        base_path: None,
        is_default: true,
        platforms: vec!["linux/amd64".to_owned().try_into().expect("a platform")],
        managed: Some(Managed {
            phase: Phase::Running,
            image: "registry:2.8.3".into(),
            port: 5001,
            reach: Reach::Host,
            storage: Storage::S3(S3Place {
                region: "eu-1".into(),
                endpoint: Some("https://s3.example".into()),
                bucket: "images".into(),
                prefix: "slipway".into(),
                path_style: true,
                encrypt: false,
                internal: false,
            }),
            node: Some(("n1".into(), "one".into())),
            domain: None,
            username: "slipway".into(),
            revision: 3,
            job: None,
        }),
        created_at: 1_700_000_000,
        version: 2,
    }
}

fn status() -> ManagedStatus {
    let step =
        |name: &str, ok| ProbeStep { name: name.into(), title: name.into(), ok, millis: 5, text: "It did.".into() };
    let problem = Problem::new("registry.full", "The disk is full.", "Make room.").with_details("no space left");
    ManagedStatus {
        state: ManagedState::Failing,
        headline: "Pushes fail.".into(),
        problem: Some(problem.clone()),
        tasks: vec![TaskLine {
            id: "t1".into(),
            node: Some("one".into()),
            state: "running".into(),
            runs: true,
            since: 1_700_000_000,
            error: None,
        }],
        probe: Some(ProbeReport {
            at: 1_700_000_000,
            ok: false,
            millis: 12,
            steps: vec![step("connect", Some(true)), step("push", Some(false)), step("read", None)],
            problem: Some(problem),
        }),
        uptime: vec![UptimeSlot { from: 1_700_000_000, good: 3, bad: 1, problem: Some("It was down.".into()) }],
        usage: Some(Usage { at: 1_700_000_000, repositories: 1, tags: 2, bytes: 3, shared: 4 }),
        growth: vec![(1_700_000_000, 3)],
        disk: Some(Disk { free: 1, total: 2 }),
        shut_since: None,
        looked_at: 1_700_000_000,
    }
}

impl Engine {
    pub fn new(db: Db, jobs: Jobs) -> Self {
        Self { db, jobs, heard: Arc::default(), lines: Arc::default() }
    }

    async fn job(&self, actor: &Actor, kind: &'static str) -> Result<JobId, AppError> {
        let job = NewJob {
            kind,
            payload: serde_json::json!({}),
            subject: format!("registry:{}", id()),
            key: None,
            lane: Lane::Swarm,
            resource: None,
            asked_by: actor.username.clone(),
            max_attempts: 1,
        };
        let mut tx = self.db.write().await.expect("a transaction");
        let id = self.jobs.enqueue(&mut tx, job).await.expect("queued");
        tx.commit().await.expect("written");
        Ok(id)
    }

    fn known(&self, actor: &Actor, action: Action, wanted: &RegistryId) -> Result<(), AppError> {
        actor.may(action)?;
        if *wanted == id() { Ok(()) } else { Err(AppError::NotFound("registry".into())) }
    }
}

fn never() -> AppError {
    AppError::Internal { ticket: "the API doesn't ask this".into() }
}

#[async_trait]
impl RegistriesApi for Engine {
    async fn list(&self, _: &Actor) -> Result<Vec<Registry>, AppError> {
        Ok(vec![registry()])
    }
    async fn get(&self, actor: &Actor, id: &RegistryId) -> Result<Registry, AppError> {
        self.known(actor, Action::Read, id).map(|()| registry())
    }
    async fn create(&self, _: &Actor, _: RegistryForm) -> Result<RegistryId, AppError> {
        Err(never())
    }
    async fn update(&self, _: &Actor, _: &RegistryId, _: i64, _: RegistryForm) -> Result<(), AppError> {
        Err(never())
    }
    async fn make_default(&self, _: &Actor, _: &RegistryId) -> Result<(), AppError> {
        Err(never())
    }
    async fn delete(&self, actor: &Actor, id: &RegistryId, form: DeleteForm) -> Result<Option<JobId>, AppError> {
        self.known(actor, Action::ManageRegistries, id)?;
        let name = form.name.clone();
        self.heard.lock().expect("a lock").deleted.push(form);
        match name.as_str() {
            "Ours" => self.job(actor, "delete_registry").await.map(Some),
            "busy" => {
                let link = Some(Link { href: "/services/srv_0123456789ab".into(), text: "Open web".into() });
                Err(AppError::Blocked(vec![Blocker { reason: "The service web builds to it.".into(), link }]))
            }
            _ => Err(AppError::field("name", "Type the registry's name.")),
        }
    }
    async fn users(&self, _: &Actor, _: &RegistryId) -> Result<Vec<RegistryUser>, AppError> {
        Err(never())
    }
    async fn suggestions(&self, _: &Actor) -> Result<Suggestions, AppError> {
        Err(never())
    }
    async fn create_managed(&self, actor: &Actor, form: ManagedForm) -> Result<(RegistryId, JobId), AppError> {
        actor.may(Action::ManageRegistries)?;
        let bucket = form.s3_bucket.clone();
        self.heard.lock().expect("a lock").created.push(form);
        if bucket == "wrong" {
            return Err(AppError::Invalid(vec![FieldError::new("s3_bucket", "There is no such bucket.")]));
        }
        Ok((id(), self.job(actor, "create_registry").await?))
    }
    async fn update_managed(
        &self,
        _: &Actor,
        _: &RegistryId,
        _: i64,
        _: ManagedForm,
    ) -> Result<Option<JobId>, AppError> {
        Err(never())
    }
    async fn retry(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(never())
    }
    async fn restart(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        self.known(actor, Action::ManageRegistries, id)?;
        self.job(actor, "restart_registry").await
    }
    async fn rotate(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(never())
    }
    async fn reveal(&self, _: &Actor, _: &RegistryId) -> Result<(String, Secret), AppError> {
        Err(never())
    }
    async fn accept_loss(&self, _: &Actor, _: &RegistryId) -> Result<(), AppError> {
        Err(never())
    }
    async fn garbage(&self, _: &Actor, _: &RegistryId) -> Result<Garbage, AppError> {
        Err(never())
    }
    async fn collect_garbage(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(never())
    }
    async fn set_garbage_rule(&self, _: &Actor, _: &RegistryId, _: GarbageForm) -> Result<(), AppError> {
        Err(never())
    }
    async fn waits_for_garbage(&self, _: &Actor, _: &JobId) -> Result<Option<i64>, AppError> {
        Err(never())
    }
    async fn status(&self, actor: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        assert_ne!(*id, breaks(), "on purpose");
        self.known(actor, Action::Read, id).map(|()| status())
    }
    async fn check(&self, actor: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        self.known(actor, Action::ManageRegistries, id)?;
        self.heard.lock().expect("a lock").checks += 1;
        Ok(status())
    }
    async fn log(&self, actor: &Actor, id: &RegistryId, view: LogView) -> Result<Vec<LogEntry>, AppError> {
        self.known(actor, Action::Read, id)?;
        self.heard.lock().expect("a lock").views.push((view, None));
        Ok(vec![line(1, Severity::Info, "first"), line(2, Severity::Error, "second\u{2028}half")])
    }
    async fn follow_log(
        &self,
        actor: &Actor,
        id: &RegistryId,
        view: LogView,
        cursor: Option<String>,
    ) -> Result<LogLines, AppError> {
        self.known(actor, Action::Read, id)?;
        self.heard.lock().expect("a lock").views.push((view, cursor));
        match self.lines.lock().expect("a lock").take() {
            Some(lines) => Ok(Box::pin(tokio_stream::wrappers::UnboundedReceiverStream::new(lines))),
            None => Ok(futures::stream::pending().boxed()),
        }
    }
}
