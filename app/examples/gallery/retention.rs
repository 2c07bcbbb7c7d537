//! Samples of what may be deleted from registries.

use super::Samples;
use app::api::retention::RetentionApi;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::{DeploymentId, JobId, RegistryId, ServiceId};
use app::model::retention::{Judged, Need, Policy, PolicyForm, PreviewPage, PreviewSearch, Scope, Why};
use async_trait::async_trait;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    vec![
        format!("/registries/{}/retention", RegistryId::from_random(super::bits(1))),
        format!("/registries/{}/retention?fate=goes&q=web&from=50", RegistryId::from_random(super::bits(1))),
        format!("/services/{}/retention", ServiceId::from_random(super::bits(1))),
    ]
}

fn policy() -> Policy {
    Policy {
        keep_last: Some(10),
        keep_days: Some(30),
        keep_matching: vec!["v*".into(), "release-*".into()],
        foreign: false,
        trash_days: 7,
        every_hours: Some(24),
    }
}

fn digest(n: u8) -> app::model::image_ref::Digest {
    format!("sha256:{}", app::model::text::hex(&[n; 32])).parse().expect("a digest")
}

fn tag(tag: &str, n: u8, keeps: Vec<Why>) -> Judged {
    Judged {
        repository: "team/shop/<web>".replace(['<', '>'], "").parse().expect("a repository"),
        tag: tag.into(),
        digest: Some(digest(n)),
        at: Some(1_760_000_000),
        size: Some(48_000_000),
        keeps,
    }
}

#[async_trait]
impl RetentionApi for Samples {
    async fn policy(&self, _: &Actor, _: &Scope) -> Result<Option<Policy>, AppError> {
        Ok(Some(policy()))
    }

    async fn set_policy(&self, _: &Actor, _: &Scope, _: PolicyForm) -> Result<(), AppError> {
        Ok(())
    }

    async fn remove_policy(&self, _: &Actor, _: &Scope) -> Result<(), AppError> {
        Ok(())
    }

    async fn preview(&self, _: &Actor, _: &RegistryId, _: &PreviewSearch) -> Result<PreviewPage, AppError> {
        let runs = Why::Deployment {
            service: ServiceId::from_random(super::bits(1)),
            name: "Web <shop>".into(),
            deployment: DeploymentId::from_random(super::bits(1)),
            number: 12,
            need: Need::Runs,
        };
        let newest = Why::Newest { branch: Some("main".into()), place: 1 };
        Ok(PreviewPage {
            tags: vec![
                tag("8f3a2c1d", 1, vec![runs, newest, Why::Young { days: 2 }]),
                tag("v1.2.0", 2, vec![Why::Matches { pattern: "v*".into() }]),
                tag("buildcache", 3, vec![Why::Cache]),
                tag("latest", 4, vec![Why::Foreign]),
                tag("0b1c2d3e", 5, Vec::new()),
            ],
            found: 1_204,
            total: 1_204,
            goes: 412,
            frees: 18_300_000_000,
            unread: vec!["team/old: 2 tags couldn't be read.".into()],
            as_of: Some(1_760_000_000),
            looking: None,
        })
    }

    async fn look(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(AppError::NotFound("registry".into()))
    }
}
