//! Samples of what reaches git hosts, and of what reaches us from them.

use super::{Samples, bits, find, now, parsed, refused};
use app::api::git_access::GitAccessApi;
use app::api::triggers::{Answer, Incoming, Refusal, TriggersApi};
use app::error::AppError;
use app::model::account::Actor;
use app::model::git_access::{AccessKind, GitAccess, GitAccessForm, HostKey};
use app::model::id::{BuildId, DeploymentId, GitAccessId, ServiceId, TriggerId};
use app::model::secret::Secret;
use app::model::trigger::{Delivery, Outcome, Trigger, TriggerForm};
use async_trait::async_trait;

/// All pages there are of them.
pub fn paths() -> Vec<String> {
    let service = |n| ServiceId::from_random(bits(n));
    let mut paths = vec!["/settings/git".to_owned(), "/settings/git/new".into(), "/settings/git/new?kind=key".into()];
    for n in 1..=3 {
        let id = GitAccessId::from_random(bits(n));
        paths.extend([format!("/settings/git/{id}"), format!("/settings/git/{id}/delete")]);
    }
    paths.extend([1, 2, 3].map(|n| format!("/services/{}/triggers", service(n))));
    paths
}

fn accesses() -> Vec<GitAccess> {
    let key = |fingerprint: &str| HostKey {
        kind: "ssh-ed25519".into(),
        key: "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl".into(),
        fingerprint: fingerprint.into(),
    };
    let github = key("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    let access = |n, name: &str, kind, host: &str, services| GitAccess {
        id: GitAccessId::from_random(bits(n)),
        name: name.into(),
        kind,
        host: parsed(host),
        username: if kind == AccessKind::Token { "x-access-token".into() } else { String::new() },
        public_key: (kind == AccessKind::Key).then(|| {
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDY0i9fXr0b5fR2b1y1m2y3Q4bq0wF0m7b9cO3d1eXaM slipway 0123456789ab"
                .into()
        }),
        trusted: Vec::new(),
        found: Vec::new(),
        created_at: now() - 400_000,
        services,
    };
    let used = vec![(ServiceId::from_random(bits(1)), "web".to_owned())];
    vec![
        access(1, "Shop at GitHub", AccessKind::Token, "github.com", used),
        GitAccess {
            found: vec![github.clone()],
            ..access(2, "<b>fresh</b>", AccessKind::Key, "github.com", Vec::new())
        },
        GitAccess {
            trusted: vec![github],
            found: vec![key("SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8")],
            ..access(3, "Own host", AccessKind::Key, "git.example.com:2222", Vec::new())
        },
    ]
}

#[async_trait]
impl GitAccessApi for Samples {
    async fn list(&self, _: &Actor) -> Result<Vec<GitAccess>, AppError> {
        Ok(self.some(accesses()))
    }
    async fn get(&self, _: &Actor, id: &GitAccessId) -> Result<GitAccess, AppError> {
        find(accesses(), |access| access.id == *id, "access")
    }
    async fn create(&self, _: &Actor, _: GitAccessForm) -> Result<GitAccessId, AppError> {
        Err(refused())
    }
    async fn replace_token(&self, _: &Actor, _: &GitAccessId, _: Secret) -> Result<(), AppError> {
        Err(refused())
    }
    async fn look(&self, _: &Actor, _: &GitAccessId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn trust(&self, _: &Actor, _: &GitAccessId, _: &str) -> Result<(), AppError> {
        Err(refused())
    }
    async fn test(&self, _: &Actor, _: &GitAccessId, _: &str) -> Result<u64, AppError> {
        Err(refused())
    }
    async fn delete(&self, _: &Actor, _: &GitAccessId) -> Result<(), AppError> {
        Err(refused())
    }
}

#[async_trait]
impl TriggersApi for Samples {
    async fn of_service(&self, _: &Actor, service: &ServiceId) -> Result<Option<Trigger>, AppError> {
        let is_git = *service == ServiceId::from_random(bits(1));
        if !is_git && *service != ServiceId::from_random(bits(3)) {
            return Ok(None);
        }
        Ok(Some(Trigger {
            id: TriggerId::from_random(bits(if is_git { 1 } else { 3 })),
            service: service.clone(),
            enabled: is_git,
            deploys: true,
            branches: vec!["main".into(), "release/*".into()],
            paths: vec!["api/".into()],
            created_at: now() - 90_000,
            refused: is_git.then(|| (3, now() - 500)),
        }))
    }
    async fn deliveries(&self, _: &Actor, id: &TriggerId) -> Result<Vec<Delivery>, AppError> {
        if *id != TriggerId::from_random(bits(1)) {
            return Ok(Vec::new());
        }
        let delivery = |n: i64, host: &str, event: &str, outcome, reason: &str| Delivery {
            id: format!("{host}:{n}"),
            at: (now() - n * 700) * 1_000,
            host: host.into(),
            event: event.into(),
            outcome,
            reason: reason.into(),
            build: (n == 1).then(|| (BuildId::from_random(bits(1)), 4)),
            deployment: (n == 2).then(|| (DeploymentId::from_random(bits(1)), 7)),
        };
        Ok(vec![
            delivery(1, "GitHub", "push", Outcome::Started, "Commit 3f9a1b2c of main, pushed by ada."),
            delivery(2, "Deploy hook", "deploy", Outcome::Started, "Tag 1.4.2."),
            delivery(
                3,
                "GitLab",
                "Push Hook",
                Outcome::Ignored,
                "The branch <script>pwned()</script> isn't one that is built.",
            ),
            delivery(4, "Gitea", "push", Outcome::Failed, "There is no registry to push to. Create a registry first."),
        ])
    }
    async fn save(&self, _: &Actor, _: &ServiceId, _: TriggerForm) -> Result<Option<Secret>, AppError> {
        Err(refused())
    }
    async fn renew(&self, _: &Actor, _: &ServiceId) -> Result<Secret, AppError> {
        Err(refused())
    }
    async fn delete(&self, _: &Actor, _: &ServiceId) -> Result<(), AppError> {
        Err(refused())
    }
    async fn show_once(&self, _: &Actor, _: &ServiceId, _: Secret) {}
    async fn take_shown(&self, _: &Actor, service: &ServiceId) -> Option<Secret> {
        (*service == ServiceId::from_random(bits(1))).then(|| Secret::new("5e".repeat(32)))
    }
    fn public_url(&self) -> Option<String> {
        Some("https://slipway.example".into())
    }
    async fn is_open(&self, _: &TriggerId) -> Result<bool, AppError> {
        Ok(false)
    }
    async fn deliver(&self, _: &TriggerId, _: Incoming) -> Result<Answer, Refusal> {
        Err(Refusal::Unknown)
    }
}
