//! Samples of what of our own lies on nodes.

use super::{Samples, World, bits, now};
use app::api::cleanup::CleanupApi;
use app::error::AppError;
use app::model::account::Actor;
use app::model::cleanup::{
    CacheSeen, CleanupPlan, CleanupReport, CleanupRules, CleanupRulesForm, CleanupRun, Handled, LocalImage, Stays,
};
use app::model::id::JobId;
use app::model::job::JobState;
use app::model::retention::Need;
use async_trait::async_trait;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    vec![app::paths::CLEANUP.into()]
}

fn image(n: u8, stays: Option<Stays>) -> LocalImage {
    let digest = format!("sha256:{}", format!("{n:02x}").repeat(32));
    LocalImage {
        names: vec![
            format!("registry.example.com/shop/<web>:{n}@{digest}"),
            format!("registry.example.com/shop/web:{n}"),
        ],
        id: digest,
        size: 241_000_000 + u64::from(n),
        frees: 31_000_000,
        node: "node-1".into(),
        service: Some("Web <shop>".into()),
        at: now() - 86_400 * i64::from(n),
        stays,
    }
}

#[async_trait]
impl CleanupApi for Samples {
    async fn rules(&self, _: &Actor) -> Result<CleanupRules, AppError> {
        Ok(CleanupRules { budget: Some(50_000_000_000), every_hours: Some(24), ..CleanupRules::default() })
    }

    async fn set_rules(&self, _: &Actor, _: CleanupRulesForm) -> Result<(), AppError> {
        Ok(())
    }

    async fn plan(&self, _: &Actor) -> Result<CleanupPlan, AppError> {
        if self.0 != World::Full {
            return Ok(CleanupPlan::default());
        }
        let needs = [Need::Runs, Need::UnderWay, Need::Pinned, Need::Window];
        let needed = needs.map(|need| Stays::Service { name: "Web <shop>".into(), need });
        let all = [None, None]
            .into_iter()
            .chain([Stays::Foreign, Stays::InUse, Stays::Fresh, Stays::Room].into_iter().chain(needed).map(Some));
        Ok(CleanupPlan {
            images: (1..).zip(all).map(|(n, stays)| image(n, stays)).collect(),
            foreign: (12, 4_200_000_000),
            caches: vec![
                CacheSeen { builder: "This engine".into(), is_ours: false, size: Some(9_930_000), is_trimmed: false },
                CacheSeen { builder: "Big <one>".into(), is_ours: true, size: None, is_trimmed: true },
            ],
            unreached: vec![("node-2".into(), "Slipway has no way to another node's engine.".into())],
            at: now() - 40,
            problem: None,
        })
    }

    async fn look(&self, _: &Actor) -> Result<(), AppError> {
        Ok(())
    }

    async fn run(&self, _: &Actor) -> Result<JobId, AppError> {
        Ok(JobId::from_random(bits(1)))
    }

    async fn runs(&self, _: &Actor) -> Result<Vec<CleanupRun>, AppError> {
        if self.0 != World::Full {
            return Ok(Vec::new());
        }
        let handled = |refused: Option<&str>| Handled {
            name: "registry.example.com/shop/<web>:3".into(),
            node: "node-1".into(),
            freed: 31_000_000,
            refused: refused.map(Into::into),
        };
        let report = CleanupReport {
            images: vec![handled(None), handled(Some("a container has it"))],
            caches: vec![("Big <one>".into(), Ok(1_000_000))],
            unreached: Vec::new(),
        };
        let run = |n, state| CleanupRun {
            job: JobId::from_random(bits(n)),
            created: (now() - 3_600) * 1_000,
            asked_by: "ada".into(),
            state,
            report: report.clone(),
        };
        Ok(vec![run(1, JobState::Running), run(2, JobState::Succeeded)])
    }
}
