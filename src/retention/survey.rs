//! A look at a registry: repositories, tags and what stands behind them, kept for previews and runs.
//!
//! What must always hold: only a whole look takes anything away; a tag that a list leaves out isn't gone before the registry
//! says so when it is asked for that very tag (distribution 3.1 leaves out tags on S3); what can't be read is kept as unread.

use super::content::Mark;
use super::read::{Reader, is_fatal};
use super::{Retention, store, store_survey};
use crate::jobs::{self, Handler, JobContext, JobError, Jobs, Lane, NewJob};
use crate::problems;
use crate::registries::Target;
use crate::storage::Tx;
use app::error::{AppError, Problem};
use app::model::id::{JobId, RegistryId};
use app::model::image_ref::{Digest, Repository, Tag};
use app::model::text;
use app::paths;
use async_trait::async_trait;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The job's kind.
pub(super) const KIND: &str = "survey_registry";
/// Questions under way at once; the registry client lets fewer through.
const AT_ONCE: usize = 8;
/// What is written in one transaction.
const BATCH: usize = 500;

/// Whose look a job is.
pub(super) fn subject(registry: &RegistryId) -> String {
    format!("retention:{registry}")
}

/// Asks for a look; the one that is under way, if one is.
pub(super) async fn enqueue(jobs: &Jobs, tx: &mut Tx, id: &RegistryId, asked_by: &str) -> Result<JobId, AppError> {
    let job = NewJob {
        kind: KIND,
        payload: serde_json::json!({ "registry": id }),
        subject: subject(id),
        key: Some(format!("{KIND}:{id}")),
        lane: Lane::Swarm,
        resource: None,
        asked_by: asked_by.to_owned(),
        max_attempts: 3,
    };
    jobs.enqueue(tx, job).await.map_err(problems::of)
}

/// Looks at registries.
pub(super) struct Survey(pub(super) Retention);

#[async_trait]
impl Handler for Survey {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let id: RegistryId = serde_json::from_value(payload["registry"].clone()).map_err(jobs::internal)?;
        self.0.look(&id, cx).await
    }
}

/// A look under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Look {
    generation: i64,
    /// Unix seconds.
    began: i64,
}

/// What a use case says, for a job.
pub(super) fn failed(error: AppError) -> JobError {
    match error {
        AppError::Problem(problem) => JobError::Fail(*problem),
        AppError::NotFound(_) => {
            let remedy = "There is nothing left to do.";
            JobError::Fail(Problem::new("registry.deleted", "The registry was deleted meanwhile.", remedy))
        }
        other => JobError::Fail(Problem::new("retention.failed", other.to_string(), "Try again.")),
    }
}

impl Retention {
    /// Looks at a registry, in steps of the caller's job; afterwards [`Retention::select`] knows what was there when it
    /// began. Reads again only what isn't known: what stands behind a digest never changes.
    pub async fn look(&self, registry: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let target = self.open(registry, cx).await?;
        // Two looks at once would sweep each other's findings away.
        let turn = self.turn(registry);
        let _turn = cx.or_cancel(turn.lock()).await?;
        let look: Look = cx
            .step("look", "Begin to look at the registry", async {
                let began = self.parts.clock.seconds();
                let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
                let generation = store_survey::begin(&mut tx, registry).await.map_err(jobs::internal)?;
                tx.commit().await.map_err(jobs::internal)?;
                Ok(Look { generation, began })
            })
            .await?;
        let names: Vec<Repository> =
            cx.step("look.repositories", "List repositories", self.list(registry, &target, cx)).await?;
        cx.step("look.tags", "List tags", async {
            for name in &names {
                self.read_tags(registry, &target, name, &look, cx).await?;
            }
            Ok(())
        })
        .await?;
        cx.step("look.images", "Read what stands behind them", async {
            for name in &names {
                self.read_images(registry, &target, name, &look, cx).await?;
            }
            Ok(())
        })
        .await?;
        cx.step("look.end", "Keep what was seen", async {
            let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
            store_survey::end(&mut tx, registry, look.generation, look.began).await.map_err(jobs::internal)?;
            tx.commit().await.map_err(jobs::internal)
        })
        .await
    }

    /// Opens a registry for a job.
    pub(super) async fn open(&self, registry: &RegistryId, cx: &JobContext) -> Result<Target, JobError> {
        let target = self.parts.registries.target(registry).await.map_err(failed)?;
        let target = target.ok_or_else(|| failed(AppError::NotFound("registry".into())))?;
        if let Some(login) = &target.access.login {
            cx.mask(&login.password);
        }
        Ok(target)
    }

    /// The repositories that count: where builds pushed, and all of a registry that Slipway runs. What others keep at a
    /// registry that isn't ours is none of our business.
    async fn list(&self, registry: &RegistryId, target: &Target, cx: &JobContext) -> Result<Vec<Repository>, JobError> {
        let host = &target.access.url.host;
        let pushes = store::pushes(self.parts.db.read(), registry, host, None).await.map_err(jobs::internal)?;
        let own = pushes.into_iter().filter(|pushed| !pushed.push.is_others);
        let mut names: BTreeSet<String> = own.map(|pushed| pushed.repository).collect();
        let is_managed = self.parts.registries.of(registry).await.map_err(failed)?.managed.is_some();
        if is_managed {
            let reader = self.reader(target, cx);
            names.extend(reader.repositories().await?.map_err(|error| self.fault(target, &error))?);
        }
        cx.log(&format!("{}.", text::repositories(u64::try_from(names.len()).unwrap_or(u64::MAX))));
        Ok(names.into_iter().filter_map(|name| name.parse().ok()).collect())
    }

    fn reader<'a>(&'a self, target: &'a Target, cx: &'a JobContext) -> Reader<'a> {
        Reader { oci: &self.parts.oci, access: &target.access, cx }
    }

    fn fault(&self, target: &Target, error: &crate::oci::OciError) -> JobError {
        let problem = self.parts.credentials.explain(target.provider, error);
        JobError::Fail(problem.with_link(paths::registry(&target.id), "Open the registry"))
    }

    async fn read_tags(
        &self,
        registry: &RegistryId,
        target: &Target,
        name: &Repository,
        look: &Look,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let reader = self.reader(target, cx);
        let (listed, problem) = match reader.tags(name).await? {
            Ok(tags) => (tags, None),
            Err(error) if is_fatal(&error) => return Err(self.fault(target, &error)),
            Err(error) => {
                let problem = self.parts.credentials.explain(target.provider, &error).cause;
                cx.log(&format!("{name}: {problem}"));
                (Vec::new(), Some(problem))
            }
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let place = store_survey::Place { registry, repository: name.as_str(), generation: look.generation };
        store_survey::keep_repository(&mut tx, place, problem.as_deref()).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        if problem.is_some() {
            return Ok(());
        }
        let before = store_survey::tags_of(self.parts.db.read(), place).await.map_err(jobs::internal)?;
        // A look that was broken off goes on.
        let done = |tag: &str| before.get(tag).is_some_and(|known| known.generation == look.generation);
        let todo: Vec<Tag> = listed.iter().filter(|tag| !done(tag.as_str())).cloned().collect();
        let mut digests: HashSet<Mark> = before
            .iter()
            .filter(|(tag, _)| done(tag))
            .filter_map(|(_, known)| known.digest.as_ref().map(Mark::of))
            .collect();
        digests.extend(self.resolve(target, place, name, &todo, look, cx).await?);
        // What the list leaves out although it was there, or may share an image with what is there.
        let known: HashSet<&str> = listed.iter().map(Tag::as_str).collect();
        let host = &target.access.url.host;
        let pushes = store::pushes(self.parts.db.read(), registry, host, None).await.map_err(jobs::internal)?;
        let pushed = pushes.into_iter().filter(|pushed| pushed.repository == name.as_str()).map(|pushed| pushed.push);
        let shares = pushed.filter(|push| push.mark.is_some_and(|mark| digests.contains(&mark))).map(|push| push.tag);
        let missing: BTreeSet<String> = before.keys().cloned().chain(shares).collect();
        let missing = missing.into_iter().filter(|tag| !known.contains(tag.as_str()) && !done(tag));
        let missing: Vec<Tag> = missing.filter_map(|tag| tag.parse().ok()).collect();
        let found = self.resolve(target, place, name, &missing, look, cx).await?;
        if !found.is_empty() {
            let count = text::tags(u64::try_from(found.len()).unwrap_or(u64::MAX));
            cx.log(&format!("{name}: the registry's list leaves out {count} that it has when asked for."));
        }
        Ok(())
    }

    /// Asks where tags lead to and keeps it; the digests that were found. What the registry doesn't have isn't kept.
    async fn resolve(
        &self,
        target: &Target,
        place: store_survey::Place<'_>,
        name: &Repository,
        tags: &[Tag],
        look: &Look,
        cx: &JobContext,
    ) -> Result<Vec<Mark>, JobError> {
        let reader = &self.reader(target, cx);
        let mut found = Vec::with_capacity(tags.len());
        for (part, batch) in tags.chunks(BATCH).enumerate() {
            let mut asked = Vec::with_capacity(batch.len());
            for tag in batch {
                asked.push(async move { Ok::<_, JobError>((tag, reader.digest(name, tag).await?)) });
            }
            let answers: Vec<_> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
            let mut rows: Vec<(String, Option<Digest>)> = Vec::with_capacity(batch.len());
            for answer in answers {
                match answer? {
                    (tag, Ok(Some(digest))) => rows.push((tag.to_string(), Some(digest))),
                    (_, Ok(None)) => {}
                    (_, Err(error)) if is_fatal(&error) => return Err(self.fault(target, &error)),
                    (tag, Err(_)) => rows.push((tag.to_string(), None)),
                }
            }
            let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
            store_survey::keep_tags(&mut tx, place, &rows, look.began).await.map_err(jobs::internal)?;
            tx.commit().await.map_err(jobs::internal)?;
            found.extend(rows.iter().filter_map(|(_, digest)| digest.as_ref().map(Mark::of)));
            let so_far = u64::try_from(part * BATCH + batch.len()).unwrap_or(u64::MAX);
            let all = text::tags(u64::try_from(tags.len()).unwrap_or(u64::MAX));
            cx.log(&format!("{name}: {} of {all}.", text::figure(so_far)));
        }
        Ok(found)
    }

    async fn read_images(
        &self,
        registry: &RegistryId,
        target: &Target,
        name: &Repository,
        look: &Look,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let place = store_survey::Place { registry, repository: name.as_str(), generation: look.generation };
        let host = &target.access.url.host;
        let tags = store_survey::tags_of(self.parts.db.read(), place).await.map_err(jobs::internal)?;
        // Must be there: a registry that says otherwise is asked again each time.
        let mut needed: BTreeSet<String> = tags.into_values().filter_map(|tag| tag.digest).map(String::from).collect();
        let kept = self.parts.services.kept().await.map_err(failed)?;
        let kept = kept.into_iter().filter(|kept| kept.image.host == *host && kept.image.repository == *name);
        needed.extend(kept.filter_map(|kept| kept.image.digest).map(String::from));
        let mut all = needed.clone();
        let pushes = store::pushes(self.parts.db.read(), registry, host, None).await.map_err(jobs::internal)?;
        let pushed = pushes.into_iter().filter(|pushed| pushed.repository == name.as_str());
        all.extend(pushed.filter(|pushed| pushed.push.mark.is_some()).filter_map(|pushed| pushed.digest));
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_survey::want_images(&mut tx, place, &all).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        let states = store_survey::states(self.parts.db.read(), place).await.map_err(jobs::internal)?;
        let is_due = |(digest, state): &(String, String)| match state.as_str() {
            "known" => false,
            "gone" => needed.contains(digest),
            _ => all.contains(digest),
        };
        let due = states.into_iter().filter(is_due).filter_map(|(digest, _)| digest.parse().ok());
        let due: Vec<Digest> = due.collect();
        let reader = &self.reader(target, cx);
        let memo = &super::read::Memo::default();
        for (part, batch) in due.chunks(BATCH).enumerate() {
            let mut asked = Vec::with_capacity(batch.len());
            for digest in batch {
                asked.push(async move { Ok::<_, JobError>((digest, reader.image(name, digest, memo).await?)) });
            }
            let answers: Vec<_> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
            let mut rows = HashMap::with_capacity(batch.len());
            for answer in answers {
                let (digest, known) = answer?;
                rows.insert(digest.as_str(), known.map_err(|error| self.fault(target, &error))?);
            }
            let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
            store_survey::keep_images(&mut tx, place, &rows).await.map_err(jobs::internal)?;
            tx.commit().await.map_err(jobs::internal)?;
            let so_far = u64::try_from(part * BATCH + batch.len()).unwrap_or(u64::MAX);
            let count = text::figure(u64::try_from(due.len()).unwrap_or(u64::MAX));
            cx.log(&format!("{name}: {} of {count} images.", text::figure(so_far)));
        }
        Ok(())
    }
}
