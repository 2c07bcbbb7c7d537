//! A Slipway with a service that has a trigger.

use crate::app::{Answer, TestApp};
use crate::lab::Lab;
use ::http::{Request, StatusCode};
use app::model::account::{Actor, Role};
use app::model::build::Build;
use app::model::credential::CredentialForm;
use app::model::id::{AccountId, ServiceId};
use app::model::registry::RegistryForm;
use app::model::secret::Secret;
use app::model::service::ServiceForm;
use app::model::text;
use app::model::trigger::{Delivery, Trigger, TriggerForm};
use axum::body::Body;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use slipway::clock::random;

pub const GITHUB: &str = include_str!("payloads/github_push.json");
pub const GITLAB: &str = include_str!("payloads/gitlab_push.json");
pub const GITEA: &str = include_str!("payloads/gitea_push.json");
pub const BITBUCKET: &str = include_str!("payloads/bitbucket_push.json");
pub const BITBUCKET_SERVER: &str = include_str!("payloads/bitbucket_server.json");

pub struct House {
    pub app: TestApp,
    pub actor: Actor,
    pub service: ServiceId,
    pub trigger: Trigger,
    pub secret: String,
}

impl House {
    /// A service from git, built from `main`, with the lab's registry to push to; None where no lab runs.
    pub async fn ready() -> Option<Self> {
        let lab = Lab::find()?;
        let house = Self::of(ServiceForm {
            repository: "https://git.example.com/acme/web".into(),
            branch: "main".into(),
            ..ServiceForm::default()
        })
        .await;
        house.registry(&lab).await;
        Some(house)
    }

    /// A service without anywhere to push to.
    pub async fn of(form: ServiceForm) -> Self {
        let app = TestApp::new().await;
        app.owner().await;
        let actor = Actor { account: AccountId::from_random(random()), username: "ada".into(), role: Role::Owner };
        let backend = &app.slipway.backend;
        let form = ServiceForm { project: "Shop".into(), name: "Web".into(), ..form };
        let service = backend.services.create(&actor, form).await.expect("a service");
        let on = TriggerForm { enabled: Some("on".into()), deploys: Some("on".into()), ..TriggerForm::default() };
        let secret = backend.triggers.save(&actor, &service, on).await.expect("saved").expect("a new one has a secret");
        let secret = secret.expose("the test signs with it").to_owned();
        let trigger = backend.triggers.of_service(&actor, &service).await.expect("read").expect("it is there");
        Self { app, actor, service, trigger, secret }
    }

    pub async fn registry(&self, lab: &Lab) {
        let backend = &self.app.slipway.backend;
        let form = CredentialForm {
            name: "Lab".into(),
            url: lab.url().to_string(),
            username: lab.username.clone(),
            password: Secret::new(lab.password.clone()),
            internal: Some("on".into()),
            ..CredentialForm::default()
        };
        let credential = backend.credentials.create(&self.actor, form).await.expect("a credential");
        let form = RegistryForm {
            name: "Lab".into(),
            credential: credential.to_string(),
            base_path: format!("tests/{}", self.service.short()),
            is_default: Some("on".into()),
            platforms: String::new(),
        };
        backend.registries.create(&self.actor, form).await.expect("a registry");
    }

    /// Changes what the trigger does.
    pub async fn set(&self, enabled: bool, branches: &str, paths: &str) {
        let form = TriggerForm {
            enabled: enabled.then(|| "on".into()),
            deploys: Some("on".into()),
            branches: branches.into(),
            paths: paths.into(),
        };
        let new = self.app.slipway.backend.triggers.save(&self.actor, &self.service, form).await.expect("saved");
        assert!(new.is_none(), "the secret stays");
    }

    pub async fn builds(&self) -> Vec<Build> {
        self.app.slipway.backend.builds.list(&self.actor, Some(&self.service), 100).await.expect("builds")
    }

    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.app.slipway.backend.triggers.deliveries(&self.actor, &self.trigger.id).await.expect("deliveries")
    }

    /// What the last delivery's reason says.
    pub async fn reason(&self) -> String {
        self.deliveries().await.first().map(|delivery| delivery.reason.clone()).unwrap_or_default()
    }

    /// The commit and branch that the newest build is asked to be of.
    pub async fn wanted(&self) -> (String, String) {
        let sql = "SELECT wanted_commit, wanted_branch FROM builds WHERE service_id = ? ORDER BY number DESC LIMIT 1";
        sqlx::query_as(sql).bind(self.service.as_str()).fetch_one(self.app.slipway.db.read()).await.expect("a build")
    }

    /// A post from somewhere else: no cookie, no origin.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.browser().send(request.body(body.into()).expect("a request")).await
    }

    pub async fn hook(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        self.post(&app::paths::hook(&self.trigger.id), headers, body.to_owned()).await
    }

    pub fn mac(&self, text: &str) -> String {
        mac(&self.secret, text)
    }

    /// As GitHub sends it.
    pub async fn github(&self, event: &str, delivery: &str, body: &str) -> Answer {
        let signature = format!("sha256={}", self.mac(body));
        let headers = [
            ("user-agent", "GitHub-Hookshot/044aadd"),
            ("content-type", "application/json"),
            ("x-github-event", event),
            ("x-github-delivery", delivery),
            ("x-github-hook-id", "292430182"),
            ("x-hub-signature-256", &signature),
        ];
        self.hook(&headers, body).await
    }

    /// The deploy hook, signed at a time.
    pub async fn deploy_at(&self, at: i64, body: &str) -> Answer {
        let signature = format!("t={at},v1={}", self.mac(&format!("{at}.{body}")));
        let headers = [("content-type", "application/json"), ("x-slipway-signature", signature.as_str())];
        self.post(&app::paths::deploy_hook(&self.trigger.id), &headers, body.to_owned()).await
    }

    pub async fn deploy(&self, body: &str) -> Answer {
        self.deploy_at(self.app.clock.seconds(), body).await
    }
}

pub fn mac(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    text::hex(&mac.finalize().into_bytes())
}

/// It did something, or nothing, and said so.
pub fn is(answer: &Answer, status: StatusCode, outcome: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    let body: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
    assert_eq!(body["outcome"], outcome, "{body}");
}

/// Nothing is told to who isn't signed.
pub fn tells_nothing(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.len() < 40 && !answer.text.contains('{'), "{}", answer.text);
    assert!(answer.set_cookies().is_empty());
}
