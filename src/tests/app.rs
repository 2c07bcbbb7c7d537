//! The whole program in a temporary folder, with its real router, and browsers to ask it with.

use ::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use ::http::{HeaderMap, Method, Request, StatusCode};
use app::api::accounts::AccountsApi as _;
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt as _;
use slipway::clock::Clock;
use slipway::config::Config;
use slipway::credentials::Credentials;
use slipway::docker::Docker;
use slipway::http::transport::Peer;
use slipway::jobs::Jobs;
use slipway::process::Runner;
use slipway::registries::{Parts, Registries};
use slipway::settings::Settings;
use slipway::start::Slipway;
use slipway::storage::Db;
use slipway::vault::Vault;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use tower::ServiceExt as _;

/// The host that browsers ask unless told otherwise.
pub const HOST_HERE: &str = "127.0.0.1:7400";
/// The owner that [`TestApp::owner`] creates.
pub const OWNER: &str = "owner";
/// The owner's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// Slipway in a folder of its own, which goes away with it.
pub struct TestApp {
    /// All parts.
    pub slipway: Slipway,
    /// Everything that answers.
    pub router: Router,
    /// The data folder.
    pub folder: tempfile::TempDir,
    /// Can be moved forward.
    pub clock: Clock,
}

impl TestApp {
    /// With the default settings.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings by their names in the environment.
    pub async fn with(env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path(), env);
        let clock = Clock::system();
        let slipway = Slipway::open(config, clock.clone(), runner()).await.expect("Slipway opens");
        let router = slipway.router();
        Self { slipway, router, folder, clock }
    }

    /// A browser that was never here.
    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
            host: HOST_HERE.to_owned(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// Sets Slipway up; the browser that did is signed in as the owner.
    pub async fn owner(&self) -> Browser {
        let mut browser = self.browser();
        let token = self.slipway.accounts.renew_setup_token().await.expect("a token").expect("nobody is here yet");
        let answer = browser.post("/api/accounts/set-up", &setup_form(&token)).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, Some("/")), "{}", answer.text);
        browser
    }

    /// Whether nobody has an account.
    pub async fn needs_setup(&self) -> bool {
        self.slipway.accounts.needs_setup().await.expect("the database answers")
    }
}

/// Starts programs under the real supervisor.
pub fn runner() -> Runner {
    Runner::new(env!("CARGO_BIN_EXE_slipway"))
}

/// Settings for a folder.
pub fn config(data_dir: &std::path::Path, env: &[(&str, &str)]) -> Config {
    let find = |name: &str| match name {
        "SLIPWAY_DATA_DIR" => Some(data_dir.display().to_string()),
        _ => env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
    };
    Config::resolve(|_| None, find, &Default::default()).expect("settings")
}

/// The fields of the set-up form.
pub fn setup_form(token: &str) -> [(&str, &str); 4] {
    [("form[token]", token), ("form[username]", OWNER), ("form[password]", PASSWORD), ("form[repeat]", PASSWORD)]
}

/// The fields of the sign-in form.
pub fn sign_in_form<'a>(username: &'a str, password: &'a str) -> [(&'a str, &'a str); 2] {
    [("form[username]", username), ("form[password]", password)]
}

/// Asks and keeps cookies.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    /// By name; what the server set.
    pub cookies: BTreeMap<String, String>,
    /// What it has in its address bar.
    pub host: String,
    /// Its address.
    pub peer: IpAddr,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Where it leads.
    pub fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The cookies it sets, as they are.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).collect()
    }
}

impl Browser {
    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).header(ACCEPT, "text/html").body(Body::empty()).expect("a request");
        self.send(request).await
    }

    /// Sends a form of one of our own pages.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = form(path, fields).header("sec-fetch-site", "same-origin").header(ACCEPT, "text/html");
        self.send(request.body(Body::from(encode(fields))).expect("a request")).await
    }

    /// Signs in as the owner.
    pub async fn sign_in(&mut self, password: &str) -> Answer {
        self.post("/api/accounts/sign-in", &sign_in_form(OWNER, password)).await
    }

    /// Whether the overview opens.
    pub async fn is_signed_in(&mut self) -> bool {
        self.get("/").await.location().is_none()
    }

    /// Sends anything; adds host, peer and cookies.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        let answer = Answer { status: parts.status, headers: parts.headers, text };
        for cookie in answer.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Sends anything and leaves the body unread, as with streams.
    pub async fn open(&self, mut request: Request<Body>) -> ::http::Response<Body> {
        let headers = request.headers_mut();
        headers.entry(HOST).or_insert(self.host.parse().expect("a header"));
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert(COOKIE, cookies.join("; ").parse().expect("a header"));
        }
        request.extensions_mut().insert(Peer(SocketAddr::new(self.peer, 50_000)));
        self.router.clone().oneshot(request).await.expect("never fails")
    }
}

/// A form post without any header that says where it comes from.
pub fn form(path: &str, fields: &[(&str, &str)]) -> ::http::request::Builder {
    let length = encode(fields).len();
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("content-length", length)
}

/// As forms are sent.
pub fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Registries over the parts of a test that has no use for the engine.
pub fn registries(db: &Db, clock: &Clock, vault: &Vault, credentials: &Credentials, folder: &Path) -> Registries {
    let config = config(folder, &[]);
    let docker = Docker::connect("unix:///nowhere/docker.sock").expect("an address");
    Registries::new(Parts {
        db: db.clone(),
        clock: clock.clone(),
        vault: vault.clone(),
        jobs: Jobs::new(db.clone(), clock.clone(), folder.join("logs")),
        credentials: credentials.clone(),
        settings: Settings::new(db.clone(), clock.clone(), config.clone(), docker.clone(), runner()),
        docker,
        oci: slipway::oci::Client::new().expect("a client"),
        config,
    })
}
