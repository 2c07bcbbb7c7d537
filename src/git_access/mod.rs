//! How to sign in at git hosts: tokens, and deploy keys with the keys of their hosts.
//!
//! What must always hold: a token or private key is sealed, and is opened for a repository of its own host alone; it reaches
//! git by a file of a private folder; a deploy key is shown to a host only after somebody confirmed the host's own key.
//!
//! `key` makes deploy keys; `host_keys` looks at what hosts show.

mod host_keys;
mod key;
mod store;

use crate::activity;
use crate::clock::{Clock, random};
use crate::problems;
use crate::process::Runner;
use crate::storage::{Db, Tx};
use crate::vault::{Vault, VaultError};
use app::api::git_access::GitAccessApi;
use app::error::{AppError, Blocker, Link, Problem};
use app::model::account::{Action, Actor};
use app::model::git_access::{AccessKind, GitAccess, GitAccessForm, checked, fingerprints};
use app::model::id::GitAccessId;
use app::model::image_ref::RegistryHost;
use app::model::secret::Secret;
use app::model::service::GitUrl;
use app::paths;
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};

/// The name of an access' token or private key among the secrets; the owner is its id.
const SECRET: &str = "secret";

/// How to sign in at git hosts. Cheap to clone.
#[derive(Clone)]
pub struct GitAccesses {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    vault: Vault,
    clock: Clock,
    runner: Runner,
    reader: OnceLock<Arc<dyn Reader>>,
}

/// Reads a repository; implemented by builds, which have git, and plugged in by `start.rs`.
#[async_trait]
pub trait Reader: Send + Sync {
    /// How many branches it has.
    async fn branches(&self, url: &GitUrl, access: &Opened) -> Result<u64, Problem>;
}

/// An access, opened for one repository.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Which.
    pub id: GitAccessId,
    /// What people call it.
    pub name: String,
    /// What is shown to the host.
    pub way: Way,
}

/// What is shown to a git host.
#[derive(Clone, Debug)]
pub enum Way {
    /// By https.
    Token {
        /// Whose token.
        username: String,
        /// The token.
        token: Secret,
    },
    /// By ssh.
    Key {
        /// As OpenSSH keeps it.
        private: Secret,
        /// The only keys that the host may show, a line each.
        known_hosts: String,
    },
}

impl Opened {
    /// The same failure with what to do about it here: at the access, not at the server.
    pub fn explain(&self, problem: Problem) -> Problem {
        let name = &self.name;
        let (cause, remedy) = match (problem.code.as_str(), &self.way) {
            ("git.denied", Way::Token { .. }) => (
                format!("The repository's host doesn't accept the token of the access {name}."),
                "It may have expired, or lack the right to read this repository. Make a new one there and replace it here.",
            ),
            ("git.denied", Way::Key { .. }) => (
                format!("The repository's host doesn't accept the deploy key of the access {name}."),
                "Add its public key to the repository's deploy keys; reading is enough.",
            ),
            // Hosts say so of private repositories as well.
            ("git.not_found", _) => (
                format!("There is no such repository, or the access {name} may not read it."),
                "Check the address, and what the token or key may read at its host.",
            ),
            ("git.host_key", Way::Key { .. }) => (
                format!(
                    "The repository's host shows another key than the one that was confirmed for the access {name}."
                ),
                "Nothing was sent to it. If the host's key was changed on purpose, look at its keys anew and confirm them; \
                 else somebody is in between.",
            ),
            _ => return problem,
        };
        let Problem { code, details, .. } = problem;
        Problem { details, ..Problem::new(&code, cause, remedy) }
            .with_link(paths::git_access(&self.id), "Open the access")
    }
}

impl GitAccesses {
    /// Over the parts; then [`GitAccesses::set_reader`].
    pub fn new(db: Db, vault: Vault, clock: Clock, runner: Runner) -> Self {
        Self { inner: Arc::new(Inner { db, vault, clock, runner, reader: OnceLock::new() }) }
    }

    /// Plugs in what reads repositories. Once, before anything is tested.
    pub fn set_reader(&self, reader: Arc<dyn Reader>) {
        if self.inner.reader.set(reader).is_err() {
            tracing::warn!("git accesses have their reader already");
        }
    }

    /// Opens an access for a repository. A problem when it is gone, for another host, or when the host's keys wait to be
    /// confirmed.
    pub async fn open(&self, id: &GitAccessId, url: &GitUrl) -> Result<Opened, AppError> {
        let inner = &self.inner;
        let Some(access) = store::find(inner.db.read(), id).await.map_err(problems::of)? else {
            let gone = "The access that this repository is read with was deleted.";
            return Err(Problem::new("git.access_gone", gone, "Choose another one on the service.").into());
        };
        if !access.fits(url) {
            let cause = format!(
                "The access {} is for {} by {}, and isn't sent anywhere else.",
                access.name,
                access.host,
                access.kind.protocol()
            );
            return Err(Problem::new(
                "git.access_other_host",
                cause,
                "Choose one of the repository's host on the service.",
            )
            .with_link(paths::GIT_ACCESSES, "See the accesses")
            .into());
        }
        if !access.is_ready() {
            let cause = format!("Nobody confirmed the keys of {} for the access {} yet.", access.host, access.name);
            let remedy = "Compare their fingerprints with those that the host publishes, and confirm them.";
            return Err(Problem::new("git.host_key_unconfirmed", cause, remedy)
                .with_link(paths::git_access(id), "Open the access")
                .into());
        }
        let secret = inner.vault.get(inner.db.read(), id.as_str(), SECRET).await.map_err(problems::of::<VaultError>)?;
        let way = match access.kind {
            AccessKind::Token => Way::Token { username: access.username, token: secret },
            AccessKind::Key => {
                Way::Key { private: secret, known_hosts: host_keys::known_hosts(&access.host, &access.trusted) }
            }
        };
        Ok(Opened { id: access.id, name: access.name, way })
    }

    async fn found(&self, id: &GitAccessId) -> Result<GitAccess, AppError> {
        let found = store::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("access".into()))
    }

    async fn key(&self, id: &GitAccessId) -> Result<GitAccess, AppError> {
        let access = self.found(id).await?;
        match access.kind {
            AccessKind::Key => Ok(access),
            AccessKind::Token => Err(AppError::NotFound("deploy key".into())),
        }
    }

    async fn look_at(&self, id: &GitAccessId, host: &RegistryHost) -> Result<(), AppError> {
        let keys = host_keys::ask(&self.inner.runner, host).await?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        store::set_found(&mut tx, id, &keys).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        verb: &str,
        access: &GitAccessId,
        detail: &str,
    ) -> Result<(), AppError> {
        activity::record(tx, &self.inner.clock, &actor.username, verb, access.as_str(), detail)
            .await
            .map_err(problems::of)
    }
}

#[async_trait]
impl GitAccessApi for GitAccesses {
    async fn list(&self, actor: &Actor) -> Result<Vec<GitAccess>, AppError> {
        actor.may(Action::Read)?;
        store::list(self.inner.db.read()).await.map_err(problems::of)
    }

    async fn get(&self, actor: &Actor, id: &GitAccessId) -> Result<GitAccess, AppError> {
        actor.may(Action::Read)?;
        self.found(id).await
    }

    async fn create(&self, actor: &Actor, form: GitAccessForm) -> Result<GitAccessId, AppError> {
        actor.may(Action::ManageCredentials)?;
        let fields = form.validated()?;
        let inner = &self.inner;
        let id = GitAccessId::from_random(random());
        let (secret, public_key) = match fields.token {
            Some(token) => (token, None),
            None => {
                let pair = key::Pair::new(&format!("slipway {}", id.short())).map_err(problems::of)?;
                (pair.private, Some(pair.public))
            }
        };
        let access = GitAccess {
            id: id.clone(),
            name: fields.name,
            kind: fields.kind,
            host: fields.host.clone(),
            username: fields.username,
            public_key,
            trusted: Vec::new(),
            found: Vec::new(),
            created_at: inner.clock.seconds(),
            services: Vec::new(),
        };
        let mut tx = inner.db.write().await.map_err(problems::of)?;
        if !store::insert(&mut tx, &access).await.map_err(problems::of)? {
            return Err(AppError::field("name", "Another access has this name. Choose a different one."));
        }
        inner
            .vault
            .put(&mut tx, &inner.clock, id.as_str(), SECRET, &secret)
            .await
            .map_err(problems::of::<VaultError>)?;
        let detail = format!("{} ({} for {})", access.name, access.kind.as_str(), access.host);
        self.record(&mut tx, actor, "git_access.created", &id, &detail).await?;
        tx.commit().await.map_err(problems::of)?;
        if access.kind == AccessKind::Key
            && let Err(error) = self.look_at(&id, &fields.host).await
        {
            // It is there, with its public key; the page offers to look again.
            tracing::info!(access.id = %id, %error, "the keys of a git host couldn't be looked at");
        }
        Ok(id)
    }

    async fn replace_token(&self, actor: &Actor, id: &GitAccessId, token: Secret) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let access = self.found(id).await?;
        if access.kind != AccessKind::Token {
            return Err(AppError::NotFound("token".into()));
        }
        let token = checked(token).map_err(|words| AppError::field("token", words))?;
        let inner = &self.inner;
        let mut tx = inner.db.write().await.map_err(problems::of)?;
        inner
            .vault
            .put(&mut tx, &inner.clock, id.as_str(), SECRET, &token)
            .await
            .map_err(problems::of::<VaultError>)?;
        self.record(&mut tx, actor, "git_access.changed", id, &access.name).await?;
        tx.commit().await.map_err(problems::of)
    }

    async fn look(&self, actor: &Actor, id: &GitAccessId) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let access = self.key(id).await?;
        self.look_at(id, &access.host).await
    }

    async fn trust(&self, actor: &Actor, id: &GitAccessId, seen: &str) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let access = store::find(&mut *tx, id).await.map_err(problems::of)?;
        let access = access.ok_or_else(|| AppError::NotFound("access".into()))?;
        if access.found.is_empty() || fingerprints(&access.found) != seen {
            return Err(AppError::field(
                "",
                "The keys on the page are no longer those that were found last. Look at them once more.",
            ));
        }
        store::trust(&mut tx, id, &access.found).await.map_err(problems::of)?;
        let detail = format!("{}: {seen}", access.name);
        self.record(&mut tx, actor, "git_access.trusted", id, &detail).await?;
        tx.commit().await.map_err(problems::of)
    }

    async fn test(&self, actor: &Actor, id: &GitAccessId, repository: &str) -> Result<u64, AppError> {
        actor.may(Action::ManageCredentials)?;
        let url: GitUrl = repository
            .parse()
            .map_err(|error: app::model::image_ref::Malformed| AppError::field("repository", error.0))?;
        let access = self.found(id).await?;
        if !access.fits(&url) {
            let words = format!("This access is for {} by {}.", access.host, access.kind.protocol());
            return Err(AppError::field("repository", words));
        }
        let opened = self.open(id, &url).await?;
        let reader = self.inner.reader.get().ok_or_else(|| AppError::NotFound("git".into()))?;
        Ok(reader.branches(&url, &opened).await?)
    }

    async fn delete(&self, actor: &Actor, id: &GitAccessId) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let inner = &self.inner;
        let mut tx = inner.db.write().await.map_err(problems::of)?;
        let access = store::find(&mut *tx, id).await.map_err(problems::of)?;
        let access = access.ok_or_else(|| AppError::NotFound("access".into()))?;
        if !access.services.is_empty() {
            let blocker = |(service, name): (_, String)| Blocker {
                reason: format!("The service {name} reads its repository with it."),
                link: Some(Link { href: paths::edit_service(&service), text: format!("Edit {name}") }),
            };
            return Err(AppError::Blocked(access.services.into_iter().map(blocker).collect()));
        }
        store::delete(&mut tx, id).await.map_err(problems::of)?;
        inner.vault.forget(&mut tx, id.as_str()).await.map_err(problems::of::<VaultError>)?;
        self.record(&mut tx, actor, "git_access.deleted", id, &access.name).await?;
        tx.commit().await.map_err(problems::of)
    }
}
