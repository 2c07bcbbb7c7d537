//! The JSON API, through the real router with real tokens.
//!
//! Registries that somebody else runs are the real ones. For those that Slipway runs the engine is scripted, as these tests
//! are about the way there and back.

mod access;
mod document;
mod engine;
mod logs;
mod real;
mod registries;
mod secrecy;

use crate::app::{Browser, HOST_HERE, TestApp};
use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderMap, Method, Request, StatusCode};
use app::api::tokens::TokensApi as _;
use app::model::token::TokenForm;
use axum::body::Body;
use engine::Engine;
use serde_json::Value;
use slipway::http::Web;
use std::sync::Arc;

/// A program with a token.
#[derive(Clone)]
pub struct Program {
    browser: Browser,
    pub token: String,
}

/// What it got.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Checks that it is a problem of this status, and returns it.
    pub fn problem(&self, status: u16) -> &Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.json["status"], status, "{}", self.text);
        assert_eq!(self.json["instance"], self.header("x-request-id"), "{}", self.text);
        for field in ["type", "title", "detail"] {
            assert!(self.json[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {}", self.text);
        }
        &self.json
    }
}

impl Program {
    pub async fn get(&self, path: &str) -> Got {
        self.ask(&Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> Got {
        self.ask(&Method::POST, path, body).await
    }

    pub async fn ask(&self, method: &Method, path: &str, body: Option<Value>) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("a request")).await
    }

    /// Sends anything, with the token.
    pub async fn send(&self, mut request: Request<Body>) -> Got {
        self.sign(&mut request);
        let answer = self.browser.clone().send(request).await;
        let json = serde_json::from_str(&answer.text).unwrap_or_default();
        Got { status: answer.status, headers: answer.headers, text: answer.text, json }
    }

    /// The same, and leaves the body unread.
    pub async fn open(&self, mut request: Request<Body>) -> ::http::Response<Body> {
        self.sign(&mut request);
        self.browser.open(request).await
    }

    fn sign(&self, request: &mut Request<Body>) {
        if !self.token.is_empty() {
            let value = format!("Bearer {}", self.token).parse().expect("a header");
            request.headers_mut().entry(AUTHORIZATION).or_insert(value);
        }
    }
}

/// Slipway with an owner and programs.
pub struct House {
    pub app: TestApp,
    /// The owner's browser.
    pub owner: Browser,
    /// What the managed registries do.
    pub engine: Engine,
    /// May do everything.
    pub program: Program,
    /// May read.
    pub reader: Program,
}

impl House {
    /// With the real registries.
    pub async fn open() -> Self {
        Self::with(false).await
    }

    /// With scripted ones.
    pub async fn scripted() -> Self {
        Self::with(true).await
    }

    async fn with(is_scripted: bool) -> Self {
        let mut app = TestApp::new().await;
        let owner = app.owner().await;
        let engine = Engine::new(app.slipway.db.clone(), app.slipway.jobs.clone());
        if is_scripted {
            let mut backend = app.slipway.backend.clone();
            backend.registries = Arc::new(engine.clone());
            let of = &app.slipway;
            let web = Web::new(
                Arc::clone(&of.config),
                backend,
                of.jobs.clone(),
                of.db.clone(),
                of.clock.clone(),
                of.tasks.clone(),
                of.shutdown.clone(),
            );
            app.router = slipway::http::router(Arc::new(web));
        }
        let browser = app.browser();
        assert_eq!(browser.host, HOST_HERE);
        let program = Program { browser: browser.clone(), token: token(&app, "ci", "everything").await };
        let reader = Program { browser, token: token(&app, "monitoring", "read").await };
        Self { app, owner, engine, program, reader }
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Program {
        Program { browser: self.app.browser(), token: String::new() }
    }

    pub async fn revoke(&self, name: &str) {
        let actor = self.app.slipway.accounts.named("owner").await.expect("the owner");
        let tokens = &self.app.slipway.backend.tokens;
        let found = tokens.list(&actor).await.expect("a list").into_iter().find(|token| token.name == name);
        tokens.revoke(&actor, &found.expect("it is there").id).await.expect("revoked");
    }
}

/// The text of a new token of the owner.
pub async fn token(app: &TestApp, name: &str, scope: &str) -> String {
    let actor = app.slipway.accounts.named("owner").await.expect("the owner");
    let form = TokenForm { name: name.into(), scope: scope.into(), days: "30".into() };
    let tokens = slipway::tokens::Tokens::new(app.slipway.db.clone(), app.clock.clone());
    let (_, text) = tokens.create(&actor, form).await.expect("created");
    text.expose("programs of the tests send it").to_owned()
}
