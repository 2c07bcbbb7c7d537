//! Credentials, on a real database, against the lab's registry and one that lies.

mod check;
mod create;
mod delete;
mod doctor;
mod import;
mod logs;
mod owned;
mod renewal;
mod schedule;
mod trust;
mod update;

use crate::liar::{Heard, Liar, Reply};
use app::error::{AppError, FieldError};
use app::model::account::{Actor, Role};
use app::model::credential::CredentialForm;
use app::model::id::{AccountId, CredentialId};
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use slipway::clock::{Clock, random};
use slipway::credentials::{Credentials, Users};
use slipway::oci::{Client, Limits};
use slipway::providers::{Endpoints, Providers};
use slipway::registries::Registries;
use slipway::storage::{Db, Tx};
use slipway::vault::Vault;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A password that can be found again wherever it leaks to.
pub const CANARY: &str = "canary-7f3k9q2m5x~?>ü";

/// The use cases over a database in a folder of their own.
pub struct House {
    pub folder: tempfile::TempDir,
    pub db: Db,
    pub credentials: Credentials,
    pub registries: Registries,
    pub actor: Actor,
    pub clock: Clock,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(Endpoints::default()).await
    }

    /// With other services of the providers.
    pub async fn open_with(endpoints: Endpoints) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(folder.path()).await.expect("a database");
        let vault = Vault::open(&folder.path().join("master.key"), true).expect("a vault");
        let clock = Clock::system();
        let limits =
            Limits { connect: Duration::from_secs(2), answer: Duration::from_secs(2), check: Duration::from_secs(3) };
        let oci = Client::with_limits(limits).expect("a client");
        let providers = Providers::with_clock(oci.clone(), endpoints, clock.clone());
        let credentials = Credentials::new(db.clone(), vault.clone(), clock.clone(), oci, providers);
        let registries = crate::app::registries(&db, &clock, &vault, &credentials, folder.path());
        Self { folder, db, credentials, registries, actor: actor(), clock }
    }

    /// All bytes that the database has on disk.
    pub fn bytes_on_disk(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).expect("the folder");
        let files = files.map(|entry| entry.expect("an entry").path());
        let files = files.filter(|path| path.to_string_lossy().contains("state.db"));
        files.flat_map(|path| std::fs::read(path).expect("a file")).collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.db.read()).await.expect("a number")
    }

    pub async fn run(&self, sql: &'static str) {
        let mut tx = self.db.write().await.expect("a transaction");
        sqlx::query(sql).execute(&mut *tx).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        tx.commit().await.expect("a commit");
    }
}

/// Remembers whom it was told of, and by whom; may refuse.
#[derive(Default)]
pub struct Told {
    pub log: Mutex<Vec<(String, String)>>,
    pub refuses: AtomicBool,
}

impl Told {
    pub fn count(&self) -> usize {
        self.log.lock().expect("a lock").len()
    }
}

#[async_trait::async_trait]
impl Users for Told {
    async fn login_changed(&self, _: &mut Tx, credential: &CredentialId, by: &str) -> Result<(), AppError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(AppError::Internal { ticket: "told".into() });
        }
        self.log.lock().expect("a lock").push((credential.to_string(), by.to_owned()));
        Ok(())
    }
}

/// An owner with an allowance of their own.
pub fn actor() -> Actor {
    Actor { account: AccountId::from_random(random()), username: "ada".into(), role: Role::Owner }
}

pub fn form(name: &str, url: &str, password: &str) -> CredentialForm {
    CredentialForm {
        name: name.into(),
        url: url.into(),
        username: "deploy".into(),
        password: Secret::new(password.into()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    }
}

/// A registry with Basic authentication that accepts [`CANARY`] alone.
pub async fn honest() -> Liar {
    Liar::start(accepts_canary).await
}

pub fn accepts_canary(heard: &Heard) -> Reply {
    let right = format!("Basic {}", STANDARD.encode(format!("deploy:{CANARY}")));
    if heard.authorization() == Some(&right) {
        Reply::json(200, "{}")
    } else {
        Reply::challenge(&[r#"Basic realm="registry""#])
    }
}

/// The one field error of a refusal.
pub fn field_error<T: std::fmt::Debug>(outcome: Result<T, AppError>) -> FieldError {
    match outcome {
        Err(AppError::Invalid(mut errors)) if errors.len() == 1 => errors.remove(0),
        other => panic!("not one field error: {other:?}"),
    }
}

/// K1: neither the password nor an encoding of it.
pub fn assert_no_canary(bytes: &[u8], place: &str) {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let forms = [
        CANARY.to_owned(),
        "7f3k9q2m5x".to_owned(),
        STANDARD.encode(CANARY),
        STANDARD.encode(format!("deploy:{CANARY}")),
        hex,
    ];
    for form in forms {
        let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "the password lies readable in {place} as {form}");
    }
}
