//! Samples of runs, and of what they deleted.

use super::{Samples, World, bits, now, parsed};
use app::api::trash::TrashApi;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId, TrashId};
use app::model::image_ref::Digest;
use app::model::trash::{EmptyForm, Outcome, ReportLine, RunReport, RunSummary, TAG_TAKEN, TrashState, Trashed};
use async_trait::async_trait;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    let (external, managed) = (RegistryId::from_random(bits(1)), super::managed::ids().remove(0));
    let runs = [1, 2, 90].map(|n| app::paths::retention_run(&managed, &JobId::from_random(bits(n))));
    let mut paths = vec![app::paths::trash(&external), app::paths::trash(&managed)];
    paths.extend(runs);
    paths
}

fn digest(n: u8) -> Digest {
    parsed(&format!("sha256:{}", format!("{n:02x}").repeat(32)))
}

fn entry(n: u8, tag: &str, state: TrashState, trouble: Option<Problem>) -> Trashed {
    Trashed {
        id: TrashId::from_random(bits(n)),
        registry: super::managed::ids().remove(0),
        repository: parsed("shop/a-service-with-a-long-name/web"),
        tag: tag.into(),
        digest: digest(n),
        size: 48_000_000 * u64::from(n),
        at: now() - 86_400 * i64::from(n),
        until: now() + 86_400 * (7 - i64::from(n)),
        by: if n.is_multiple_of(2) { "slipway".into() } else { "ada".into() },
        state,
        trouble,
        job: Some(JobId::from_random(bits(1))),
    }
}

fn summary(n: u8) -> RunSummary {
    RunSummary {
        job: JobId::from_random(bits(n)),
        by_rules: n != 2,
        by: "ada".into(),
        at: now() - 3_600 * i64::from(n),
        ended: (n != 90).then(|| now() - 3_500),
        judged: 1_234,
        frees: 2_400_000_000,
        deleted: u64::from(n == 1) * 2,
        skipped: u64::from(n == 1),
        expired: u64::from(n == 2),
        stayed: u64::from(n == 2),
    }
}

#[async_trait]
impl TrashApi for Samples {
    async fn trash(&self, _: &Actor, _: &RegistryId) -> Result<Vec<Trashed>, AppError> {
        if matches!(self.0, World::Empty | World::NoSwarm) {
            return Ok(Vec::new());
        }
        let taken = Problem::new(
            TAG_TAKEN,
            "The tag main leads to another image by now (sha256:3f9a1b2c0d1e…), so it wasn't touched.",
            "Restore it over that one, if that may lose its tag; its image stays by its digest.",
        );
        let needed = Problem::new(
            "trash.needed",
            "web needs it: its deployment 3 is pinned.",
            "It is looked at again in a day.",
        );
        Ok(vec![
            entry(1, "4c1d0b7e2a91", TrashState::Deleting, None),
            entry(2, "main", TrashState::Kept, Some(taken)),
            entry(
                3,
                "a-tag-that-is-quite-long-because-somebody-put-the-branch-and-the-commit-into-it",
                TrashState::Kept,
                None,
            ),
            entry(8, "v0.9", TrashState::Kept, Some(needed)),
            entry(9, "v0.8", TrashState::Expiring, None),
        ])
    }

    async fn runs(&self, _: &Actor, _: &RegistryId) -> Result<Vec<RunSummary>, AppError> {
        if matches!(self.0, World::Empty | World::NoSwarm) {
            return Ok(Vec::new());
        }
        Ok(vec![summary(90), summary(1), summary(2)])
    }

    async fn report(&self, _: &Actor, _: &RegistryId, run: &JobId) -> Result<RunReport, AppError> {
        let n = [1, 2, 90].into_iter().find(|n| JobId::from_random(bits(*n)) == *run);
        let n = n.ok_or_else(|| AppError::NotFound("run".into()))?;
        let line = |n: u8, tag: &str, outcome, note: &str| ReportLine {
            repository: parsed("shop/web"),
            tag: tag.into(),
            digest: digest(n),
            outcome,
            note: note.into(),
        };
        let lines = match n {
            1 => vec![
                line(1, "4c1d0b7e2a91", Outcome::Deleted, ""),
                line(2, "latest", Outcome::Skipped, "It leads to another image by now."),
                line(3, "b7e2a914c1d0", Outcome::Deleted, ""),
            ],
            2 => vec![
                line(4, "v1", Outcome::Expired, "One of its manifests stays: another image has it too."),
                line(5, "v2", Outcome::Stayed, "web needs it: its deployment 3 <b>is pinned</b>."),
            ],
            _ => Vec::new(),
        };
        let unread = if n == 1 { vec!["shop/legacy: its list of tags wasn't given.".to_owned()] } else { Vec::new() };
        Ok(RunReport { summary: summary(n), unread, lines })
    }

    async fn run(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Ok(JobId::from_random(bits(1)))
    }

    async fn restore(&self, _: &Actor, _: &TrashId, _: bool) -> Result<JobId, AppError> {
        Ok(JobId::from_random(bits(1)))
    }

    async fn empty(&self, _: &Actor, _: &RegistryId, _: EmptyForm) -> Result<JobId, AppError> {
        Ok(JobId::from_random(bits(2)))
    }
}
