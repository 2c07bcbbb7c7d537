//! A registry with very many repositories and tags, slow and unreliable as real ones are, behind real HTTP. It counts what it
//! is asked and how many requests are under way at the same time.
//!
//! It speaks the catalog and the tag lists alone, with `Link` (relative, as CNCF distribution sends it). Whoever signs in as
//! somebody else than `deploy` sees the repositories below their own name.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Largest page.
const PAGE: usize = 1_000;

/// What it has and how it behaves; may be changed while it runs.
#[derive(Default)]
pub struct World {
    /// Repositories in order, with their tags in order.
    pub repositories: BTreeMap<String, Vec<String>>,
    /// Before each answer.
    pub latency: Duration,
    /// Every so many lists that are asked for fail, by turns with 503 and with 429. 0: none.
    pub fails_every: usize,
    /// Statuses for the next lists that are asked for; 200 is as if there were none. With `Retry-After: 1` for 429.
    pub script: VecDeque<u16>,
    /// Status for everything from now on.
    pub only: Option<u16>,
    /// Smaller pages than asked for.
    pub page: Option<usize>,
}

/// What it was asked.
#[derive(Default)]
pub struct Counts {
    /// Pages of lists.
    pub lists: AtomicUsize,
    /// Under way now, and at most.
    now: AtomicUsize,
    /// Requests under way at the same time, at most.
    pub most: AtomicUsize,
    /// The largest page that was asked for.
    pub largest: AtomicUsize,
    failures: AtomicUsize,
}

#[derive(Clone, Default)]
struct Shared {
    world: Arc<Mutex<World>>,
    counts: Arc<Counts>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The registry; it ends when it is dropped.
pub struct Crowd {
    address: SocketAddr,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts a request while it is under way.
struct UnderWay(Arc<Counts>);

impl UnderWay {
    fn begin(counts: &Arc<Counts>) -> Self {
        let now = counts.now.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(now, Ordering::SeqCst);
        Self(counts.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Crowd {
    /// Starts one on a free port of this machine.
    pub async fn start(world: World) -> Self {
        let shared = Shared { world: Arc::new(Mutex::new(world)), counts: Arc::default() };
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves until it is told to stop");
        });
        Self { address, shared, task }
    }

    /// With these repositories, each with two tags.
    pub async fn with(names: &[&str]) -> Self {
        let tags = vec!["1.0".to_owned(), "latest".to_owned()];
        let repositories = names.iter().map(|name| ((*name).to_owned(), tags.clone())).collect();
        Self::start(World { repositories, ..World::default() }).await
    }

    /// 100,000 repositories, one of them (`team-00/huge`) with 50,000 tags, 20 ms before each answer, 1 % errors.
    pub async fn large() -> Self {
        let mut repositories: BTreeMap<String, Vec<String>> = (0..99_999_u32)
            .map(|n| (format!("team-{:02}/{}-service-{n:05}", n % 100, WORDS[n as usize % WORDS.len()]), Vec::new()))
            .collect();
        let mut tags: Vec<String> =
            (0..50_000_u32).map(|n| format!("{}.{}.{}", n / 2_500, n / 50 % 50, n % 50)).collect();
        tags.sort();
        repositories.insert("team-00/huge".into(), tags);
        let latency = Duration::from_millis(20);
        Self::start(World { repositories, latency, fails_every: 100, ..World::default() }).await
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// What it has and how it behaves, to change it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// What it was asked.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

const WORDS: [&str; 8] = ["payment", "gateway", "ledger", "website", "mailer", "search", "billing", "identity"];

async fn answer(
    State(shared): State<Shared>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let _under_way = UnderWay::begin(&shared.counts);
    let latency = shared.world().latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let Some(user) = user(&headers) else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"crowd\"")]).into_response();
    };
    if let Some(only) = shared.world().only {
        return status(only);
    }
    let path = uri.path().strip_prefix("/v2/").unwrap_or_default();
    let is_list = path == "_catalog" || path.ends_with("/tags/list");
    if !is_list {
        return if path.is_empty() { "{}".into_response() } else { status(404) };
    }
    let count = shared.counts.lists.fetch_add(1, Ordering::SeqCst) + 1;
    let mut world = shared.world();
    let scripted = world.script.pop_front();
    if let Some(fault) = scripted.filter(|code| *code != 200) {
        return status(fault);
    }
    if world.fails_every > 0 && count.is_multiple_of(world.fails_every) {
        let failures = shared.counts.failures.fetch_add(1, Ordering::SeqCst);
        return status(if failures.is_multiple_of(2) { 503 } else { 429 });
    }
    let asked: usize = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(PAGE);
    shared.counts.largest.fetch_max(asked, Ordering::SeqCst);
    let page = world.page.unwrap_or(PAGE).min(asked);
    let last = query.get("last").map(String::as_str).unwrap_or_default();
    let prefix = format!("{user}/");
    let sees = |name: &str| user == "deploy" || name.starts_with(&prefix);
    match path.strip_suffix("/tags/list") {
        None => {
            let from = (std::ops::Bound::Excluded(last.to_owned()), std::ops::Bound::Unbounded);
            let rest = world.repositories.range(from).map(|(name, _)| name.as_str()).filter(|name| sees(name));
            list("/v2/_catalog", "repositories", rest.take(page + 1).collect(), page)
        }
        Some(name) => match world.repositories.get(name).filter(|_| sees(name)) {
            Some(tags) => {
                let from = tags.partition_point(|tag| tag.as_str() <= last);
                let rest = tags[from..].iter().map(String::as_str).take(page + 1).collect();
                list(uri.path(), "tags", rest, page)
            }
            None => status(404),
        },
    }
}

fn user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let plain = String::from_utf8(STANDARD.decode(value.strip_prefix("Basic ")?).ok()?).ok()?;
    plain.split_once(':').map(|(user, _)| user.to_owned())
}

fn status(code: u16) -> Response {
    let code = StatusCode::from_u16(code).expect("a status");
    let body = r#"{"errors":[{"code":"SCRIPTED","message":"as the test wants it"}]}"#;
    match code {
        StatusCode::TOO_MANY_REQUESTS => (code, [(header::RETRY_AFTER, "1")], body).into_response(),
        _ => (code, body).into_response(),
    }
}

fn list(path: &str, field: &str, mut names: Vec<&str>, page: usize) -> Response {
    let goes_on = names.len() > page;
    names.truncate(page);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, "application/json".parse().expect("a header"));
    if let (true, Some(last)) = (goes_on, names.last()) {
        let last: String = url::form_urlencoded::byte_serialize(last.as_bytes()).collect();
        let link = format!("<{path}?last={last}&n={page}>; rel=\"next\"");
        headers.insert(header::LINK, link.parse().expect("a header"));
    }
    let body = serde_json::json!({ "name": "any", field: names }).to_string();
    (headers, body).into_response()
}
