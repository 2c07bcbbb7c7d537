//! A run of the rules: judges all tags, deletes those that nothing keeps, throws out what was in the trash for long enough,
//! and says what it did.
//!
//! What must always hold: each tag is looked at once more right before it goes (where it leads, who needs it); its row in the
//! trash is written before the registry is asked; and the report is written line by line, in the transaction of what it
//! tells of. So this may be broken off anywhere and taken up again.

use super::family::{self, Family};
use super::store_trash::Entry;
use super::untag::{Broken, Gone};
use super::{Retention, store_runs, store_trash, survey, words};
use crate::activity;
use crate::clock::random;
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::oci::OciError;
use crate::registries::Target;
use crate::services::Kept;
use app::error::{AppError, Problem};
use app::model::id::{RegistryId, TrashId};
use app::model::image_ref::{Digest, Repository, Tag};
use app::model::text;
use app::model::trash::{Outcome, ReportLine, TrashState};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// The job's kind.
pub(super) const KIND: &str = "run_retention";
/// A registry that is away is asked again after this time.
const AFTER: Duration = Duration::from_secs(30);
/// Failures in a row after which a run stops.
const MOST_FAILURES: usize = 5;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// Other tags of a digest that are looked after.
const SIBLINGS: usize = 20;

/// Runs the rules.
pub(super) struct Run(pub(super) Retention);

/// A tag that nothing keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub repository: Repository,
    pub tag: Tag,
    pub digest: Digest,
    /// Other tags of the same digest.
    #[serde(default)]
    pub siblings: Vec<Tag>,
}

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let (retention, id) = (&self.0, registry_of(payload)?);
        retention.begin(&id, true, cx).await?;
        retention.settle_all(&id, cx).await?;
        // The rules judge what is there now, and not what was there at the last look.
        retention.look(&id, cx).await?;
        let plan = cx.step("judge", "Judge all tags", retention.plan(&id, cx)).await?;
        let delete = retention.delete_all(&id, &plan, cx);
        cx.step("delete", "Delete tags that nothing keeps", delete).await?;
        let expire = retention.expire(&id, false, cx);
        cx.step("expire", "Throw out what was in the trash for long enough", expire).await?;
        cx.step("report", "Write the report", retention.end(&id, "retention.ran", cx)).await
    }

    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        self.0.put_right(payload, "retention.broken_off", cx).await;
    }
}

/// The registry that a job is about.
pub(super) fn registry_of(payload: &serde_json::Value) -> Result<RegistryId, JobError> {
    let id = payload["registry"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| jobs::internal(std::io::Error::other("a job without its registry")))
}

/// What another noun says, for a job.
pub(super) fn inner(error: AppError) -> JobError {
    match error {
        AppError::Problem(problem) => (*problem).into(),
        AppError::NotFound(_) => words::no_registry().into(),
        other => jobs::internal(std::io::Error::other(format!("{other:?}"))),
    }
}

/// Whether a registry is away for everything, so that trying the next tag makes no sense.
pub(super) fn is_away(error: &OciError) -> bool {
    matches!(
        error,
        OciError::Dns { .. }
            | OciError::Refused { .. }
            | OciError::Tls { .. }
            | OciError::Timeout { .. }
            | OciError::RateLimited { .. }
            | OciError::WrongCredentials { .. }
    )
}

impl Retention {
    /// Where the registry is, and how to sign in.
    pub(super) async fn target(&self, id: &RegistryId, cx: &JobContext) -> Result<Target, JobError> {
        let target = self.parts.registries.target(id).await.map_err(inner)?.ok_or_else(words::no_registry)?;
        if let Some(login) = &target.access.login {
            cx.mask(&login.password);
        }
        Ok(target)
    }

    /// A failure of the registry, in its provider's words; away: later again.
    pub(super) fn failed(&self, target: &Target, error: &OciError) -> JobError {
        let problem = self.parts.credentials.explain(target.provider, error);
        if is_away(error) { JobError::Retry { after: AFTER, problem } } else { JobError::Fail(problem) }
    }

    /// The report begins.
    pub(super) async fn begin(&self, id: &RegistryId, by_rules: bool, cx: &JobContext) -> Result<(), JobError> {
        let Some(_) = self.parts.registries.target(id).await.map_err(inner)? else {
            return Err(words::no_registry().into());
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let now = self.parts.clock.seconds();
        store_runs::begin(&mut tx, &cx.id, id, by_rules, &cx.asked_by, now).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)
    }

    /// What nothing keeps, as the rules say it now.
    async fn plan(&self, id: &RegistryId, cx: &JobContext) -> Result<Vec<Item>, JobError> {
        let preview = self.select(id).await.map_err(inner)?;
        let mut by_digest: HashMap<(&Repository, &Digest), Vec<Tag>> = HashMap::new();
        for tag in &preview.tags {
            if let (Some(digest), Ok(name)) = (&tag.digest, tag.tag.parse()) {
                by_digest.entry((&tag.repository, digest)).or_default().push(name);
            }
        }
        let mut plan = Vec::new();
        for judged in preview.tags.iter().filter(|judged| judged.keeps.is_empty()) {
            let (Some(digest), Ok(tag)) = (&judged.digest, judged.tag.parse::<Tag>()) else { continue };
            let siblings = by_digest.get(&(&judged.repository, digest)).into_iter().flatten();
            let siblings = siblings.filter(|other| **other != tag).take(SIBLINGS).cloned().collect();
            plan.push(Item { repository: judged.repository.clone(), tag, digest: digest.clone(), siblings });
        }
        let (all, going) = (preview.tags.len(), plan.len());
        cx.log(&format!("{} judged; {} to be deleted.", text::tags(all as u64), text::tags(going as u64)));
        for unread in &preview.unread {
            cx.log(&format!("Not read, so not touched: {unread}"));
        }
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let frees = if plan.is_empty() { 0 } else { preview.frees };
        store_runs::judged(&mut tx, &cx.id, all, frees, &preview.unread).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        Ok(plan)
    }

    /// One tag after the other.
    async fn delete_all(&self, id: &RegistryId, plan: &[Item], cx: &JobContext) -> Result<(), JobError> {
        if plan.is_empty() {
            return Ok(());
        }
        let target = self.target(id, cx).await?;
        let days = self.trash_days(id).await.map_err(inner)?;
        let done = store_runs::spoken_of(self.parts.db.read(), &cx.id).await.map_err(jobs::internal)?;
        let mut failures = 0;
        for item in plan {
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            if done.contains(&(item.repository.to_string(), item.tag.to_string())) {
                continue;
            }
            match self.delete_one(&target, item, days, cx).await {
                Ok(None) => failures = 0,
                Ok(Some(problem)) => {
                    failures += 1;
                    if failures >= MOST_FAILURES {
                        return Err(words::gave_up(&problem).into());
                    }
                }
                Err(Broken::Job(error)) => return Err(error),
                Err(Broken::Registry(error)) => return Err(self.failed(&target, &error)),
            }
        }
        Ok(())
    }

    /// One tag; a problem when it couldn't be deleted although it should.
    async fn delete_one(
        &self,
        target: &Target,
        item: &Item,
        days: u32,
        cx: &JobContext,
    ) -> Result<Option<Problem>, Broken> {
        let (oci, access) = (&self.parts.oci, &target.access);
        match oci.digest(access, &item.repository, item.tag.as_str()).await? {
            None => return self.skip(item, "It was gone already.", cx).await,
            Some(now) if now != item.digest => {
                return self.skip(item, "It leads to another image by now.", cx).await;
            }
            Some(_) => {}
        }
        let family = match family::read(oci, access, &item.repository, &item.digest).await {
            Ok(Some(family)) => family,
            Ok(None) => return self.skip(item, "What it leads to isn't there.", cx).await,
            Err(error) if is_away(&error) => return Err(error.into()),
            Err(error) => {
                let problem = self.parts.credentials.explain(target.provider, &error);
                self.skip(item, &format!("It couldn't be read: {}", problem.cause), cx).await?;
                return Ok(Some(problem));
            }
        };
        if let Some(why) = self.needed(&family.digests()).await? {
            return self.skip(item, &why, cx).await;
        }
        let now = self.parts.clock.seconds();
        let entry = Entry {
            id: TrashId::from_random(random()),
            registry: target.id.clone(),
            repository: item.repository.clone(),
            tag: item.tag.clone(),
            digest: item.digest.clone(),
            manifests: family.digests(),
            size: family.size,
            at: now,
            until: now + i64::from(days) * DAY,
            by: cx.asked_by.clone(),
            run: cx.id.clone(),
            state: TrashState::Deleting,
            stand_in: None,
            trouble: None,
            job: None,
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::insert(&mut tx, &entry, &family.manifests).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.point("tag.written").await;
        let gone = match self.untag(target, &entry, &family, cx).await {
            // What was done already is seen when this is tried again.
            Err(Broken::Registry(error)) if !is_away(&error) => {
                let settled = self.settle(access, &entry).await?;
                let problem = self.parts.credentials.explain(target.provider, &error);
                if settled { Gone::Yes } else { Gone::Failed(problem) }
            }
            outcome => outcome?,
        };
        match gone {
            Gone::Yes => {
                self.keep_siblings(target, item, &family, cx).await?;
                self.deleted(&entry, cx).await?;
                Ok(None)
            }
            Gone::Moved => {
                self.forget(&entry, Some("It leads to another image by now."), cx).await?;
                Ok(None)
            }
            Gone::Failed(problem) => {
                self.forget(&entry, Some(&problem.cause), cx).await?;
                Ok(Some(problem))
            }
            Gone::Never(problem) => {
                self.forget(&entry, Some(&problem.cause), cx).await?;
                Err(JobError::Fail(problem).into())
            }
        }
    }

    /// Other tags of the same digest are as they were; a registry that took them too gets them back, and no further tag is
    /// deleted there.
    async fn keep_siblings(
        &self,
        target: &Target,
        item: &Item,
        family: &Family,
        cx: &JobContext,
    ) -> Result<(), Broken> {
        let (oci, access) = (&self.parts.oci, &target.access);
        if item.siblings.is_empty() {
            return Ok(());
        }
        let mut lost = false;
        let is_in_trash = store_runs::spoken_of(self.parts.db.read(), &cx.id).await.map_err(jobs::internal)?;
        for sibling in &item.siblings {
            if is_in_trash.contains(&(item.repository.to_string(), sibling.to_string())) {
                continue;
            }
            if oci.digest(access, &item.repository, sibling.as_str()).await?.is_some() {
                continue;
            }
            cx.log(&format!("{}:{sibling} went with {}; it is put back.", item.repository, item.tag));
            if let Some(root) = family.root() {
                oci.put_manifest(access, &item.repository, Some(sibling), root).await?;
                lost = true;
            }
        }
        if lost { Err(JobError::Fail(words::no_tags(&access.host())).into()) } else { Ok(()) }
    }

    /// The tag is gone: it can come back from now on.
    pub(super) async fn deleted(&self, entry: &Entry, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::set_state(&mut tx, &entry.id, TrashState::Kept).await.map_err(jobs::internal)?;
        store_runs::line(&mut tx, &entry.run, &line(entry, Outcome::Deleted, "")).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&format!("{}:{} is deleted.", entry.repository, entry.tag));
        cx.point("tag.marked").await;
        Ok(())
    }

    /// The tag stayed: its row goes.
    pub(super) async fn forget(&self, entry: &Entry, why: Option<&str>, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::remove(&mut tx, entry).await.map_err(jobs::internal)?;
        if let Some(why) = why {
            store_runs::line(&mut tx, &entry.run, &line(entry, Outcome::Skipped, why)).await.map_err(jobs::internal)?;
            cx.log(&format!("{}:{} stays. {why}", entry.repository, entry.tag));
        }
        tx.commit().await.map_err(jobs::internal)
    }

    async fn skip(&self, item: &Item, why: &str, cx: &JobContext) -> Result<Option<Problem>, Broken> {
        let line = ReportLine {
            repository: item.repository.clone(),
            tag: item.tag.to_string(),
            digest: item.digest.clone(),
            outcome: Outcome::Skipped,
            note: why.to_owned(),
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_runs::line(&mut tx, &cx.id, &line).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&format!("{}:{} stays. {why}", item.repository, item.tag));
        Ok(None)
    }

    /// Who needs one of these digests by now, in a sentence.
    pub(super) async fn needed(&self, digests: &[Digest]) -> Result<Option<String>, JobError> {
        let kept = self.parts.services.kept().await.map_err(inner)?;
        let needs = |kept: &&Kept| kept.image.digest.as_ref().is_some_and(|digest| digests.contains(digest));
        Ok(kept.iter().find(needs).map(|kept| {
            let (name, number, what) = (&kept.name, kept.number, words::need(kept.need));
            format!("{name} needs it by now: its deployment {number} {what}.")
        }))
    }

    /// Deletions that were broken off, by this run or one before it, are ended: the tag is gone or it stays.
    pub(super) async fn settle_all(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let all = store_trash::list(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        let open: Vec<_> = all.into_iter().filter(|entry| entry.state == TrashState::Deleting).collect();
        if open.is_empty() {
            return Ok(());
        }
        let target = self.target(id, cx).await?;
        for entry in open {
            let settled = self.settle(&target.access, &entry).await;
            if settled.map_err(|error| self.failed(&target, &error))? {
                let manifests = store_trash::manifests(self.parts.db.read(), &entry).await.map_err(jobs::internal)?;
                let family = Family { manifests, size: entry.size };
                match self.keep_digest(&target.access, &entry.repository, &family).await {
                    Ok(()) => self.deleted(&entry, cx).await?,
                    Err(Broken::Job(error)) => return Err(error),
                    Err(Broken::Registry(error)) => return Err(self.failed(&target, &error)),
                }
            } else {
                self.forget(&entry, None, cx).await?;
            }
        }
        Ok(())
    }

    /// The report ends, and the record says so.
    pub(super) async fn end(&self, id: &RegistryId, verb: &str, cx: &JobContext) -> Result<(), JobError> {
        let report = store_runs::report(self.parts.db.read(), id, &cx.id).await.map_err(jobs::internal)?;
        let Some(report) = report else { return Ok(()) };
        if report.summary.ended.is_some() {
            return Ok(());
        }
        let of = report.summary;
        let said = format!(
            "{} deleted, {} skipped, {} thrown out of the trash, {} kept in it.",
            of.deleted, of.skipped, of.expired, of.stayed
        );
        cx.log(&said);
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_runs::end(&mut tx, &cx.id, self.parts.clock.seconds()).await.map_err(jobs::internal)?;
        let (clock, by) = (&self.parts.clock, &cx.asked_by);
        activity::record(&mut tx, clock, by, verb, id.as_str(), &said).await.map_err(jobs::internal)?;
        if of.deleted + of.expired > 0 {
            // So that the next preview shows what is left.
            survey::enqueue(&self.parts.jobs, &mut tx, id, "slipway").await.map_err(inner)?;
        }
        tx.commit().await.map_err(jobs::internal)?;
        self.parts.jobs.wake();
        Ok(())
    }

    /// After a failure or a cancel: what was begun is ended, and the report too.
    pub(super) async fn put_right(&self, payload: &serde_json::Value, verb: &str, cx: &JobContext) {
        let Ok(id) = registry_of(payload) else { return };
        // What can't be settled now is settled by the next run.
        if let Err(JobError::Retry { problem, .. } | JobError::Fail(problem)) = self.settle_all(&id, cx).await {
            cx.log(&format!("A deletion that was begun is looked at again by the next run: {problem}"));
        }
        if let Err(JobError::Retry { problem, .. } | JobError::Fail(problem)) = self.end(&id, verb, cx).await {
            cx.log(&format!("The report couldn't be ended: {problem}"));
        }
    }
}

/// A line about a row of the trash.
pub(super) fn line(entry: &Entry, outcome: Outcome, note: &str) -> ReportLine {
    ReportLine {
        repository: entry.repository.clone(),
        tag: entry.tag.to_string(),
        digest: entry.digest.clone(),
        outcome,
        note: note.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_noun_says_ends_a_job_with_its_words() {
        let problem = Problem::new("x", "It is so.", "Do this.");
        assert!(matches!(inner(problem.clone().into()), JobError::Fail(same) if same == problem));
        assert!(
            matches!(inner(AppError::NotFound("registry".into())), JobError::Fail(of) if of.code == "retention.no_registry")
        );
    }
}
