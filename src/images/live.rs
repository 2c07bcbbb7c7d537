//! What registries find themselves while somebody types, and how many pulls Docker Hub has left.
//!
//! Never on page load; a registry that doesn't answer is left out and takes nothing from the others.

use super::query::Query;
use super::refresh::brief;
use super::{Inner, hub};
use crate::oci::Access;
use crate::providers::{Asker, ListedRepository};
use app::error::AppError;
use app::model::credential::Credential;
use app::model::id::CredentialId;
use app::model::image::Allowance;
use app::model::image_ref::Repository;
use futures::{StreamExt as _, stream};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An answer is used again for so many seconds.
const KEPT: i64 = 60;
/// Answers that are kept.
const ANSWERS: usize = 200;
/// Hits of one registry.
const HITS: usize = 50;
/// A registry has so much time.
const PATIENCE: Duration = Duration::from_secs(4);
/// Registries that are asked at the same time.
const AT_ONCE: usize = 4;
/// The allowance is read again after so many seconds.
const ALLOWANCE: i64 = 5 * 60;

/// Who was asked what: a credential with its version (None: Docker Hub as anybody), and the text.
type Question = (Option<(CredentialId, i64)>, String);

/// A repository that a registry found itself.
pub(super) type Found = (Repository, Option<String>);

/// Answers and allowances in memory.
#[derive(Default)]
pub(super) struct Live {
    answers: Mutex<HashMap<Question, (Vec<Found>, i64)>>,
    allowances: Mutex<Allowances>,
}

/// Docker Hub's allowance of a credential (None: as anybody) with the time of the last question.
type Allowances = HashMap<Option<CredentialId>, (Option<Allowance>, i64)>;

impl Live {
    fn answers(&self) -> MutexGuard<'_, HashMap<Question, (Vec<Found>, i64)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn allowances(&self) -> MutexGuard<'_, Allowances> {
        self.allowances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of Docker Hub's allowance.
    pub(super) fn allowance(&self, credential: Option<&CredentialId>) -> Option<Allowance> {
        self.allowances().get(&credential.cloned()).and_then(|(allowance, _)| *allowance)
    }

    fn keep(&self, question: Question, found: &[Found], now: i64) {
        let mut answers = self.answers();
        if answers.len() >= ANSWERS {
            answers.retain(|_, (_, at)| now.saturating_sub(*at) < KEPT);
        }
        if answers.len() < ANSWERS {
            answers.insert(question, (found.to_vec(), now));
        }
    }
}

impl Inner {
    /// What the registries of these credentials, and Docker Hub as anybody, find. By the place of the credential.
    pub(super) async fn search_live(
        &self,
        credentials: &[Credential],
        with_hub: bool,
        query: &Query,
    ) -> Vec<(Option<usize>, Vec<Found>)> {
        let text = query.text();
        let mut askers: Vec<Option<usize>> = (0..credentials.len()).map(Some).collect();
        // Docker Hub comes last: what is one's own is nearer.
        askers.extend(with_hub.then_some(None));
        stream::iter(askers)
            .map(async |asker| {
                let credential = asker.and_then(|at| credentials.get(at));
                let answer = tokio::time::timeout(PATIENCE, self.ask_live(credential, &text)).await;
                (asker, answer.unwrap_or_default())
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn ask_live(&self, credential: Option<&Credential>, text: &str) -> Vec<Found> {
        let now = self.clock.seconds();
        let asker = credential.map(|credential| (credential.id.clone(), credential.version));
        let question = (asker, text.to_owned());
        if let Some((found, at)) = self.live.answers().get(&question)
            && now.saturating_sub(*at) < KEPT
        {
            return found.clone();
        }
        match self.ask_registry(credential, text).await {
            Ok(found) => {
                let fit = |item: ListedRepository| (item.name, item.about.as_deref().and_then(brief));
                let found: Vec<Found> = found.into_iter().take(HITS).map(fit).collect();
                self.live.keep(question, &found, now);
                found
            }
            Err(error) => {
                tracing::debug!(error, "a registry's own search gave nothing");
                Vec::new()
            }
        }
    }

    async fn ask_registry(&self, credential: Option<&Credential>, text: &str) -> Result<Vec<ListedRepository>, String> {
        let Some(credential) = credential else {
            return self.providers.search_hub(text).await.map_err(|error| error.to_string());
        };
        let access = self.credentials.access(&credential.id).await.map_err(|error| error.to_string())?;
        let asker = Asker { access: &access, namespaces: &credential.namespaces };
        let found = self.providers.of(credential.provider).search(asker, text).await;
        found.map(Option::unwrap_or_default).map_err(|error| error.to_string())
    }

    /// Docker Hub is used: reads the allowance again in the background, at most once in five minutes.
    pub(super) fn note_hub_use(self: &Arc<Self>, credential: Option<&CredentialId>) {
        let (credential, now) = (credential.cloned(), self.clock.seconds());
        {
            let mut allowances = self.live.allowances();
            let known = allowances.entry(credential.clone()).or_insert((None, i64::MIN));
            if now.saturating_sub(known.1) < ALLOWANCE {
                return;
            }
            known.1 = now;
        }
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = inner.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                outcome = inner.read_allowance(credential) => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "Docker Hub's allowance isn't known");
                    }
                }
            }
        });
    }

    async fn read_allowance(&self, credential: Option<CredentialId>) -> Result<(), AppError> {
        let access = match &credential {
            Some(id) => self.credentials.access(id).await?,
            None => Access::public(hub()),
        };
        let now = self.clock.seconds();
        let allowance = self.providers.allowance(&access, now).await.map_err(|error| error.problem())?;
        self.live.allowances().insert(credential, (allowance, now));
        Ok(())
    }
}
