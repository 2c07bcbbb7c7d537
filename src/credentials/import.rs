//! Importing what Docker's tools keep: read, sealed for half an hour, shown without the passwords, imported line by line.
//!
//! Why sealed and not sent along in the page: a page that holds passwords lies in the browser's memory, history and
//! developer tools. The list is one secret of the vault under a random id; only who made it sees it; the passwords of
//! imported lines go out of it at once, the rest with the sweep.

use super::{Credentials, store};
use crate::clock::random;
use crate::problems;
use crate::vault::VaultError;
use app::api::credentials::CredentialsApi as _;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::credential::{Credential, CredentialForm, ImportLine, ImportPick, ImportState, ImportText};
use app::model::docker_config::{self, Entry, FoundLogin};
use app::model::id::{AccountId, ImportId};
use app::model::look_alike;
use app::model::secret::Secret;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

/// Seconds for which a list is kept.
const KEPT: i64 = 1_800;
/// Tests at one time.
const AT_ONCE: usize = 4;
/// The name of the list among the vault's secrets.
const LIST: &str = "import";

/// What is sealed.
#[derive(Deserialize)]
struct List {
    account: AccountId,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    shown: ImportLine,
    password: Secret,
}

/// The same on its way to the vault, which is the only place that a password is written to.
#[derive(Serialize)]
struct Sealing<'a> {
    account: &'a AccountId,
    lines: Vec<SealingLine<'a>>,
}

#[derive(Serialize)]
struct SealingLine<'a> {
    shown: &'a ImportLine,
    password: &'a str,
}

impl List {
    fn text(&self) -> Result<Secret, AppError> {
        let lines = self
            .lines
            .iter()
            .map(|line| SealingLine { shown: &line.shown, password: line.password.expose("it goes into the vault") });
        let sealing = Sealing { account: &self.account, lines: lines.collect() };
        serde_json::to_string(&sealing).map(Secret::new).map_err(problems::of)
    }
}

impl Credentials {
    pub(super) async fn read_list(&self, actor: &Actor, text: ImportText) -> Result<ImportId, AppError> {
        actor.may(Action::ManageCredentials)?;
        let (field, text) = if text.secret_text.is_empty() {
            ("secret_file", text.secret_file)
        } else {
            ("secret_text", text.secret_text)
        };
        // Nothing at all is an error of the first field.
        let field = if text.is_empty() { "secret_text" } else { field };
        let entries = docker_config::parse(text.expose("logins are looked for in it"))
            .map_err(|error| AppError::field(field, error.0))?;
        let credentials = self.every().await?;
        let mut list = List { account: actor.account.clone(), lines: Vec::new() };
        for entry in entries {
            let line = match entry {
                Entry::Login(found) => offer(found, &credentials, &list.lines),
                Entry::Skipped { what, why } => skipped(what, why),
            };
            list.lines.push(line);
        }
        let id = ImportId::from_random(random());
        self.keep_list(&id, &list).await?;
        tracing::info!(lines = list.lines.len(), "logins were read for import");
        Ok(id)
    }

    pub(super) async fn list_lines(&self, actor: &Actor, id: &ImportId) -> Result<Vec<ImportLine>, AppError> {
        actor.may(Action::ManageCredentials)?;
        let list = self.open_list(actor, id).await?;
        Ok(list.lines.into_iter().map(|line| line.shown).collect())
    }

    pub(super) async fn import_lines(
        &self,
        actor: &Actor,
        id: &ImportId,
        picks: Vec<ImportPick>,
    ) -> Result<usize, AppError> {
        actor.may(Action::ManageCredentials)?;
        let mut list = self.open_list(actor, id).await?;
        let wanted: Vec<(usize, CredentialForm)> = list
            .lines
            .iter()
            .zip(picks)
            .enumerate()
            .filter(|(_, (line, pick))| pick.pick.is_some() && line.shown.state.is_open())
            .filter_map(|(index, (line, pick))| Some((index, form_of(line, pick)?)))
            .collect();
        if wanted.is_empty() {
            return Err(AppError::field("", "Tick at least one login to import."));
        }
        let tried = wanted.into_iter().map(|(index, form)| async move {
            let name = form.name.clone();
            (index, name, self.create(actor, form).await)
        });
        let outcomes: Vec<_> = futures::stream::iter(tried).buffer_unordered(AT_ONCE).collect().await;
        let mut done = 0;
        for (index, name, outcome) in outcomes {
            let Some(line) = list.lines.get_mut(index) else { continue };
            line.shown.name = name;
            line.shown.state = match outcome {
                Ok(id) => {
                    done += 1;
                    line.password = Secret::default();
                    ImportState::Imported(id)
                }
                Err(error @ AppError::Internal { .. }) => return Err(error),
                Err(error) => ImportState::Refused(error.to_string()),
            };
        }
        self.keep_list(id, &list).await?;
        Ok(done)
    }

    /// Forgets lists whose time is over.
    pub(super) async fn sweep_imports(&self) -> Result<(), AppError> {
        let before = self.clock.seconds() - KEPT;
        if !store::has_old_imports(self.db.read(), before).await.map_err(problems::of)? {
            return Ok(());
        }
        let mut tx = self.db.write().await.map_err(problems::of)?;
        store::forget_old_imports(&mut tx, before).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    async fn keep_list(&self, id: &ImportId, list: &List) -> Result<(), AppError> {
        let mut tx = self.db.write().await.map_err(problems::of)?;
        self.vault.put(&mut tx, &self.clock, id.as_str(), LIST, &list.text()?).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    /// The list, for who made it, while it is kept.
    async fn open_list(&self, actor: &Actor, id: &ImportId) -> Result<List, AppError> {
        let gone = || AppError::NotFound("list of logins any more; it is kept for half an hour. Import again".into());
        let set_at = store::import_set_at(self.db.read(), id).await.map_err(problems::of)?.ok_or_else(gone)?;
        if set_at < self.clock.seconds() - KEPT {
            return Err(gone());
        }
        let text = match self.vault.get(self.db.read(), id.as_str(), LIST).await {
            Ok(text) => text,
            Err(VaultError::NotThere { .. } | VaultError::Sealed { .. }) => return Err(gone()),
            Err(error) => return Err(problems::of(error)),
        };
        let list: List = serde_json::from_str(text.expose("the list is read")).map_err(|_| gone())?;
        if list.account == actor.account { Ok(list) } else { Err(gone()) }
    }
}

/// A login as a line that can be imported, or why it needn't be.
fn offer(found: FoundLogin, credentials: &[Credential], above: &[Line]) -> Line {
    let FoundLogin { url, username, password } = found;
    let is_same = |other: &ImportLine| {
        other.url.as_ref().is_some_and(|other| other.host == url.host) && other.username == username
    };
    let there = credentials.iter().find(|other| other.url.host == url.host && other.username == username);
    let state = if above.iter().any(|line| is_same(&line.shown)) {
        ImportState::Duplicate
    } else if let Some(there) = there {
        ImportState::There(there.id.clone(), there.name.clone())
    } else {
        ImportState::Waiting
    };
    let is_taken = |name: &str| {
        let is_name = |other: &str| other.eq_ignore_ascii_case(name);
        credentials.iter().any(|other| is_name(&other.name)) || above.iter().any(|line| is_name(&line.shown.name))
    };
    let host: String = url.host.as_str().chars().take(40).collect();
    let numbered = (2..).map(|n| format!("{host} {n}"));
    let user: String = username.chars().take(15).collect();
    let candidates = [host.clone(), format!("{host} ({user})")].into_iter().chain(numbered);
    let name = candidates.take(200).find(|name| !is_taken(name)).unwrap_or(host);
    let password = if state.is_open() { password } else { Secret::default() };
    let shown = ImportLine {
        what: url.to_string(),
        wants_internal: url.plain || url.host.is_loopback(),
        looks_like: look_alike::imitated(&url.host).map(str::to_owned),
        url: Some(url),
        username,
        name,
        state,
    };
    Line { shown, password }
}

fn skipped(what: String, why: String) -> Line {
    let shown = ImportLine {
        what,
        url: None,
        username: String::new(),
        name: String::new(),
        wants_internal: false,
        looks_like: None,
        state: ImportState::Skipped(why),
    };
    Line { shown, password: Secret::default() }
}

fn form_of(line: &Line, pick: ImportPick) -> Option<CredentialForm> {
    Some(CredentialForm {
        name: pick.name,
        url: line.shown.url.as_ref()?.to_string(),
        username: line.shown.username.clone(),
        password: line.password.clone(),
        internal: pick.internal,
        sure: pick.sure,
        ..CredentialForm::default()
    })
}
