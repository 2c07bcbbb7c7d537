//! Throws out what was in the trash for long enough: the manifest by its digest, then those below it that nothing else leads
//! to. A registry's own garbage collection frees the bytes afterwards.
//!
//! What must always hold: before anything goes, everything that lives in the repository is known (all its tags, what
//! deployments need, the rest of the trash); whatever couldn't be read lets all of the repository stay; nothing is ever
//! deleted because it has no tag.

use super::family::named;
use super::run::{inner, is_away, line, registry_of};
use super::store_trash::Entry;
use super::{Retention, store_runs, store_trash, words};
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::oci::{Manifest, OciError};
use crate::providers::ListError;
use crate::registries::Target;
use crate::services::Kept;
use app::error::Problem;
use app::model::id::RegistryId;
use app::model::image_ref::{Digest, Repository};
use app::model::trash::{Outcome, TrashState};
use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The job's kind.
pub(super) const KIND: &str = "empty_trash";
/// What stays although its time is over is looked at again after so many seconds.
const AGAIN: i64 = 86_400;
/// Tags that are asked for at a time.
const AT_ONCE: usize = 3;
/// Tags of a repository; more is a mistake, or malice.
const MANY: usize = 200_000;

/// Throws out what is in the trash: all of it when somebody asked for that, else what was there for long enough.
pub(super) struct Empty(pub(super) Retention);

#[async_trait]
impl Handler for Empty {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let (retention, id) = (&self.0, registry_of(payload)?);
        let all = payload["all"].as_bool().unwrap_or_default();
        retention.begin(&id, false, cx).await?;
        retention.settle_all(&id, cx).await?;
        cx.step("expire", "Throw out what is in the trash", retention.expire(&id, all, cx)).await?;
        cx.step("report", "Write the report", retention.end(&id, "trash.emptied", cx)).await
    }

    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        self.0.put_right(payload, "trash.broken_off", cx).await;
    }
}

/// Everything in a repository that may not go.
#[derive(Debug, Default)]
struct Living {
    /// What tags lead to, with one of them.
    tagged: HashMap<Digest, String>,
    /// That, what deployments need, what stays in the trash, and all below it.
    all: HashSet<Digest>,
}

impl Retention {
    /// Throws out what is due, or all that was deleted before now.
    pub(super) async fn expire(&self, id: &RegistryId, all: bool, cx: &JobContext) -> Result<(), JobError> {
        let now = self.parts.clock.seconds();
        let trash = store_trash::list(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        let is_due = |entry: &Entry| match entry.state {
            TrashState::Expiring => true,
            TrashState::Kept => all || entry.until <= now,
            TrashState::Deleting => false,
        };
        let mut by_repository: BTreeMap<Repository, (Vec<Entry>, Vec<Entry>)> = BTreeMap::new();
        for entry in trash {
            let (due, stays) = by_repository.entry(entry.repository.clone()).or_default();
            if is_due(&entry) { due.push(entry) } else { stays.push(entry) }
        }
        by_repository.retain(|_, (due, _)| !due.is_empty());
        if by_repository.is_empty() {
            return Ok(());
        }
        let target = self.target(id, cx).await?;
        for (repository, (due, stays)) in by_repository {
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            match self.living(&target, &repository, &stays).await {
                Ok(living) => {
                    for entry in &due {
                        if cx.cancel.is_cancelled() {
                            return Err(JobError::Cancelled);
                        }
                        self.expire_one(&target, entry, &due, &living, cx).await?;
                    }
                }
                Err(Unknown::Job(error)) => return Err(error),
                Err(Unknown::Registry(error)) if is_away(&error) => return Err(self.failed(&target, &error)),
                Err(unknown) => {
                    let why = self.words(&target, unknown);
                    cx.log(&format!("Nothing of {repository} is thrown out: {}", why.cause));
                    for entry in &due {
                        self.stays(entry, &why, cx).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn expire_one(
        &self,
        target: &Target,
        entry: &Entry,
        due: &[Entry],
        living: &Living,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        if let Some(tag) = living.tagged.get(&entry.digest) {
            // Somebody gave it a tag again: it is no business of the trash any more.
            return self.leave(entry, &format!("It isn't touched: the tag {tag} leads to it."), cx).await;
        }
        // Right before it goes: who needs it may have changed since the repository was read.
        let kept = self.parts.services.kept().await.map_err(inner)?;
        let needs = |kept: &Kept, of: &Entry| kept.image.digest.as_ref().is_some_and(|it| of.manifests.contains(it));
        if let Some(kept) = kept.iter().find(|kept| needs(kept, entry)) {
            let (name, number, what) = (&kept.name, kept.number, words::need(kept.need));
            let why = format!("{name} needs it: its deployment {number} {what}.");
            let problem = Problem::new("trash.needed", why, "It is looked at again in a day.");
            return self.stays(entry, &problem, cx).await;
        }
        // Others of this round that are needed by now share nothing that goes.
        let others = due.iter().filter(|other| kept.iter().any(|kept| needs(kept, other)));
        let needed: HashSet<&Digest> = others.flat_map(|other| &other.manifests).collect();
        let lives = |digest: &Digest| living.all.contains(digest) || needed.contains(digest);
        if lives(&entry.digest) {
            return self.leave(entry, "It isn't touched: an image that stays is made of it.", cx).await;
        }
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::set_state(&mut tx, &entry.id, TrashState::Expiring).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.point("entry.marked").await;
        // The one that leads to the others goes first, so that none ever leads to what isn't there.
        let mut shared = 0;
        for digest in entry.manifests.iter().rev() {
            if lives(digest) {
                shared += 1;
                continue;
            }
            match self.parts.oci.delete_manifest(&target.access, &entry.repository, digest).await {
                Ok(_) => cx.point("entry.manifest").await,
                Err(error) if is_away(&error) => return Err(self.failed(target, &error)),
                Err(OciError::NotOffered { .. }) => {
                    let problem = words::deletion_is_off(&target.access.host());
                    self.stays(entry, &problem, cx).await?;
                    return Err(problem.into());
                }
                Err(error) => {
                    let problem = self.parts.credentials.explain(target.provider, &error);
                    return self.stays(entry, &problem, cx).await;
                }
            }
        }
        let note = match shared {
            0 => String::new(),
            1 => "One of its manifests stays: another image has it too.".to_owned(),
            shared => format!("{shared} of its manifests stay: other images have them too."),
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::remove(&mut tx, entry).await.map_err(jobs::internal)?;
        store_runs::line(&mut tx, &cx.id, &line(entry, Outcome::Expired, &note)).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&format!("{}:{} is thrown out. {note}", entry.repository, entry.tag));
        Ok(())
    }

    /// It stays in the trash for another day.
    async fn stays(&self, entry: &Entry, why: &Problem, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let until = self.parts.clock.seconds() + AGAIN;
        store_trash::stay(&mut tx, &entry.id, until, why).await.map_err(jobs::internal)?;
        store_runs::line(&mut tx, &cx.id, &line(entry, Outcome::Stayed, &why.cause)).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&format!("{}:{} stays in the trash. {}", entry.repository, entry.tag, why.cause));
        Ok(())
    }

    /// It leaves the trash, and nothing of it is deleted.
    async fn leave(&self, entry: &Entry, why: &str, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::remove(&mut tx, entry).await.map_err(jobs::internal)?;
        store_runs::line(&mut tx, &cx.id, &line(entry, Outcome::Stayed, why)).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&format!("{}:{} leaves the trash. {why}", entry.repository, entry.tag));
        Ok(())
    }

    /// Reads all that lives in a repository.
    async fn living(&self, target: &Target, repository: &Repository, stays: &[Entry]) -> Result<Living, Unknown> {
        let (oci, access) = (&self.parts.oci, &target.access);
        let tags = self.all_tags(target, repository).await?;
        let digests: Vec<(String, Option<Digest>)> = stream::iter(tags)
            .map(async |tag| Ok::<_, OciError>((tag.clone(), oci.digest(access, repository, &tag).await?)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let mut living = Living::default();
        for (tag, digest) in digests {
            if let Some(digest) = digest {
                living.tagged.insert(digest, tag);
            }
        }
        let kept = self.parts.services.kept().await.map_err(inner)?;
        let kept = kept.into_iter().filter(|kept| kept.image.repository == *repository);
        let kept = kept.filter_map(|kept| kept.image.digest);
        let mut open: Vec<Digest> = living.tagged.keys().cloned().chain(kept).collect();
        // What stays in the trash is known without asking.
        living.all.extend(stays.iter().flat_map(|entry| entry.manifests.iter().cloned()));
        let mut seen: HashSet<Digest> = HashSet::new();
        while let Some(digest) = open.pop() {
            if !seen.insert(digest.clone()) {
                continue;
            }
            living.all.insert(digest.clone());
            // What isn't there leads to nothing: a deployment's image of another registry of the same name.
            let Some(manifest) = oci.manifest(access, repository, digest.as_str()).await? else { continue };
            open.extend(below(&manifest)?);
        }
        Ok(living)
    }

    async fn all_tags(&self, target: &Target, repository: &Repository) -> Result<Vec<String>, Unknown> {
        let adapter = self.parts.providers.of(target.provider);
        let (mut tags, mut cursor) = (Vec::new(), None);
        loop {
            let page = match adapter.tags(&target.access, repository, cursor.as_deref()).await {
                Ok(page) => page,
                // A repository whose last tag is gone.
                Err(ListError::Failed(OciError::NotOffered { .. })) if tags.is_empty() => return Ok(tags),
                Err(error) => return Err(error.into()),
            };
            tags.extend(page.items.into_iter().map(|tag| tag.name.to_string()));
            if tags.len() > MANY {
                return Err(Unknown::List("It has too many tags to read them all.".into()));
            }
            match page.next {
                // A list that goes in circles ends.
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(tags),
            }
        }
    }

    fn words(&self, target: &Target, unknown: Unknown) -> Problem {
        let remedy = "Nothing that isn't known for sure is thrown out. It is tried again in a day.";
        match unknown {
            Unknown::Registry(error) => self.parts.credentials.explain(target.provider, &error),
            Unknown::List(why) => Problem::new("trash.unknown", why, remedy),
            Unknown::Form(digest) => {
                let why = format!("{} is in a form that Slipway can't read.", digest.brief());
                Problem::new("trash.unknown", why, remedy)
            }
            Unknown::Job(_) => Problem::new("trash.unknown", "The repository couldn't be read.", remedy),
        }
    }
}

/// What a living manifest leads to.
fn below(manifest: &Manifest) -> Result<Vec<Digest>, Unknown> {
    named(manifest).map(|named| named.manifests).ok_or_else(|| Unknown::Form(manifest.digest.clone()))
}

/// Why it isn't known what lives in a repository.
enum Unknown {
    Registry(OciError),
    List(String),
    Form(Digest),
    Job(JobError),
}

impl From<OciError> for Unknown {
    fn from(error: OciError) -> Self {
        Self::Registry(error)
    }
}

impl From<JobError> for Unknown {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<ListError> for Unknown {
    fn from(error: ListError) -> Self {
        match error {
            ListError::CannotList(why) => Self::List(why),
            ListError::Wait(seconds) => Self::List(format!("It wants to be asked again in {seconds} s.")),
            ListError::Failed(error) => Self::Registry(error),
        }
    }
}
