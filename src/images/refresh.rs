//! Keeps the lists of repositories fresh: stale-while-revalidate, one pass at a time for each credential.
//!
//! What must always hold: pages never wait for it; a page of names is kept and shown as soon as it is there; a pass goes on
//! after a restart; a pass that breaks off takes nothing away.

use super::index::Marks;
use super::pass::{self, Ending, List};
use super::shelf::Shelf;
use super::state::{Progress, State};
use super::{Inner, store};
use crate::oci::{Access, OciError};
use crate::problems;
use crate::providers::{Adapter, Asker, ListError, ListedRepository, Page};
use app::error::{AppError, Problem};
use app::model::credential::Credential;
use app::model::text::is_hidden;
use app::paths;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Most repositories of a credential.
const REPOSITORIES: usize = 1_000_000;
/// Between two looks at what is due.
const TICK: Duration = Duration::from_secs(5);
/// Passes at the same time.
const PASSES: usize = 8;
/// Characters of a description that are kept.
const ABOUT: usize = 200;

/// Marks the shelf as being read, until it goes out of scope.
struct Reading(Arc<Shelf>);

impl Reading {
    fn begin(shelf: &Arc<Shelf>, now: i64) -> Self {
        shelf.state().begin(now);
        Self(Arc::clone(shelf))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.state().is_reading = false;
    }
}

/// The repositories of a credential.
struct Repositories<'a> {
    inner: &'a Inner,
    credential: &'a Credential,
    shelf: &'a Shelf,
    marks: Marks,
    generation: i64,
    access: Access,
    adapter: &'a dyn Adapter,
}

#[async_trait]
impl List for Repositories<'_> {
    type Item = ListedRepository;

    async fn ask(&self, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let asker = Asker { access: &self.access, namespaces: &self.credential.namespaces };
        match self.adapter.repositories(asker, cursor).await {
            // Who isn't allowed to list may still pull; that is no failure.
            Err(ListError::Failed(error @ (OciError::NotOffered { .. } | OciError::Denied { .. }))) => {
                Err(ListError::CannotList(self.explain(&error).cause))
            }
            outcome => outcome,
        }
    }

    async fn keep(&mut self, mut page: Vec<ListedRepository>, next: Option<&str>) -> Result<Option<usize>, AppError> {
        for item in &mut page {
            item.about = item.about.take().and_then(|about| brief(&about));
        }
        let (id, version) = (&self.credential.id, self.credential.version);
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let is_kept =
            store::keep_page(&mut tx, id, version, self.generation, &page, next).await.map_err(problems::of)?;
        if !is_kept {
            return Ok(None);
        }
        tx.commit().await.map_err(problems::of)?;
        let mut index = self.shelf.change_index();
        let new = page.iter().filter(|item| index.see(&mut self.marks, item.name.as_str(), item.about.as_deref()));
        Ok(Some(new.count()))
    }

    fn explain(&self, error: &OciError) -> Problem {
        let problem = self.adapter.explain(error).unwrap_or_else(|| error.problem());
        problem.with_link(paths::credential(&self.credential.id), "Open the credential")
    }

    fn host(&self) -> String {
        self.access.host()
    }
}

/// What a registry says about a repository, fit to be shown.
pub(super) fn brief(about: &str) -> Option<String> {
    let clean: String = about.trim().chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(ABOUT).collect();
    Some(clean).filter(|about| !about.trim().is_empty())
}

impl Inner {
    /// Reads what is kept into memory.
    pub(super) async fn load(&self) -> Result<(), AppError> {
        let credentials = self.credentials.every().await?;
        for (id, version, kept) in store::lists(self.db.read()).await.map_err(problems::of)? {
            let Some(credential) = credentials.iter().find(|it| it.id == id && it.version == version) else { continue };
            let (mut names, mut abouts) = (super::names::Names::default(), Vec::new());
            store::each_name(self.db.read(), &id, |name, _, about| {
                if names.push(name) {
                    abouts.extend(about.map(|about| (name.to_owned(), about.to_owned())));
                }
            })
            .await
            .map_err(problems::of)?;
            let shelf = self.shelves.of(credential);
            *shelf.change_index() = super::index::Index::of_sorted(names, abouts);
            shelf.state().kept = kept;
        }
        Ok(())
    }

    /// Begins a pass for each credential whose list is due, until told to stop.
    pub(super) async fn keep_fresh(self: &Arc<Self>, stop: &CancellationToken) {
        let mut passes = JoinSet::new();
        loop {
            match self.due().await {
                Ok(due) => {
                    for (credential, shelf) in due.into_iter().take(PASSES.saturating_sub(passes.len())) {
                        let (inner, reading) = (Arc::clone(self), Reading::begin(&shelf, self.clock.seconds()));
                        passes.spawn(async move {
                            if let Err(error) = inner.read_list(&credential, &reading.0).await {
                                tracing::error!(credential.id = %credential.id, %error, "a list of repositories wasn't kept");
                            }
                        });
                    }
                }
                Err(error) => tracing::error!(%error, "what is due can't be found"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
                Some(done) = passes.join_next(), if !passes.is_empty() => {
                    if let Err(error) = done {
                        tracing::error!(%error, "a pass over a list of repositories ended in a panic");
                    }
                }
            }
        }
        self.stop.cancel();
        while passes.join_next().await.is_some() {}
    }

    async fn due(&self) -> Result<Vec<(Credential, Arc<Shelf>)>, AppError> {
        let (credentials, now) = (self.credentials.every().await?, self.clock.seconds());
        self.shelves.keep(&credentials);
        self.books.keep(&credentials);
        let with_shelf = credentials.into_iter().map(|credential| {
            let shelf = self.shelves.of(&credential);
            (credential, shelf)
        });
        Ok(with_shelf.filter(|(_, shelf)| shelf.state().is_due(now)).collect())
    }

    /// One pass.
    async fn read_list(&self, credential: &Credential, shelf: &Arc<Shelf>) -> Result<(), AppError> {
        let Some((generation, cursor, marks)) = self.begin_pass(credential, shelf).await? else { return Ok(()) };
        let ending = match self.credentials.access(&credential.id).await {
            Ok(access) => {
                let adapter = self.providers.of(credential.provider);
                let mut list = Repositories { inner: self, credential, shelf, marks, generation, access, adapter };
                let ending = pass::run(&mut list, cursor, REPOSITORIES, &self.stop).await?;
                if let Some(Ending::Complete { is_whole }) = &ending {
                    shelf.change_index().finish(&list.marks, *is_whole);
                }
                ending
            }
            Err(AppError::Problem(problem)) => {
                Some(Ending::Failed { problem: *problem, goes_on: true, is_refusal: true, wait: None })
            }
            Err(AppError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let Some(ending) = ending else { return Ok(()) };
        let now = self.clock.seconds();
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let is_kept = store::end(&mut tx, &credential.id, credential.version, generation, &ending, now).await;
        if is_kept.map_err(problems::of)? {
            tx.commit().await.map_err(problems::of)?;
            shelf.state().end(&ending, now);
            let found = shelf.index().len();
            tracing::debug!(credential.id = %credential.id, found, ?ending, "a pass over a list of repositories ended");
        }
        Ok(())
    }

    /// Generation, cursor and what was seen already. None: the credential changed or is gone.
    async fn begin_pass(
        &self,
        credential: &Credential,
        shelf: &Shelf,
    ) -> Result<Option<(i64, Option<String>, Marks)>, AppError> {
        let (id, version, now) = (&credential.id, credential.version, self.clock.seconds());
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let Some(kept) = store::open(&mut tx, id, version).await.map_err(problems::of)? else { return Ok(None) };
        let cursor = State::resumable(&kept, now);
        let generation = if cursor.is_some() { kept.generation } else { kept.generation + 1 };
        if cursor.is_none() && !store::begin(&mut tx, id, version, generation, now).await.map_err(problems::of)? {
            return Ok(None);
        }
        tx.commit().await.map_err(problems::of)?;
        let mut marks = shelf.change_index().begin();
        if cursor.is_some() {
            let mut seen = Vec::new();
            let note = |name: &str, of: i64, _: Option<&str>| {
                if of == generation {
                    seen.push(name.to_owned());
                }
            };
            store::each_name(self.db.read(), id, note).await.map_err(problems::of)?;
            let mut index = shelf.change_index();
            for name in seen {
                let about = index.about(&name).map(str::to_owned);
                index.see(&mut marks, &name, about.as_deref());
            }
        }
        let mut state = shelf.state();
        state.kept.generation = generation;
        state.kept.under_way = Some(Progress { began_at: now, cursor: cursor.clone() });
        Ok(Some((generation, cursor, marks)))
    }
}
