//! What a registry prints, through the real Swarm: read, followed while somebody pushes, resumed, downloaded.

use crate::app::{Browser, TestApp};
use crate::swarm::{self, Lab};
use ::http::{Request, StatusCode};
use app::model::registry::{LogEntry, Severity};
use app::model::service::Port;
use axum::body::Body;
use http_body_util::BodyExt as _;
use slipway::docker::{Docker, Own, Publishing, Runs, Spec};
use std::time::{Duration, Instant};

/// A registry without password in the lab's Swarm, known to Slipway as one of its own; gone when dropped.
struct Printer {
    lab: Lab,
    app: TestApp,
    owner: Browser,
    id: String,
    service: String,
    network: String,
    port: u16,
}

impl Printer {
    async fn start(lab: Lab) -> Self {
        let app = TestApp::with(&[("SLIPWAY_DOCKER_HOST", &lab.docker_host)]).await;
        let owner = app.owner().await;
        let short: String = slipway::clock::random_token()
            .to_lowercase()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        let (id, port) = (format!("reg_{short}"), swarm::free_port());
        let mut tx = app.slipway.db.write().await.expect("a transaction");
        for sql in [
            format!(
                "INSERT INTO credentials (id, name, url, username, checked_at, created_at, internal, owned_by) \
                     VALUES ('cred_{short}', 'x', 'http://127.0.0.1:{port}', 'slipway', 0, 0, 1, '{id}')"
            ),
            format!(
                "INSERT INTO registries (id, name, credential_id, is_default, platforms, created_at) \
                     VALUES ('{id}', 'Ours', 'cred_{short}', 0, '[]', 0)"
            ),
            format!(
                "INSERT INTO managed_registries (id, phase, port, reach, wanted) VALUES ('{id}', 'running', {port}, 'host', \
                     '{{\"image\":\"slipway-lab/registry:2\",\"domain\":null,\"storage\":{{\"volume\":{{\"name\":\"none\"}}}}}}')"
            ),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.expect("inserted");
        }
        tx.commit().await.expect("written");
        let name = format!("slipway-test-log-{short}");
        let mut printer = Self { lab, app, owner, id, service: name.clone(), network: name, port };
        printer.create().await;
        printer
    }

    async fn create(&mut self) {
        let docker = Docker::connect(&self.lab.docker_host).expect("an address");
        let network = docker.ensure_network(&self.network, &[]).await.expect("a network");
        let spec = Spec {
            name: self.service.clone(),
            labels: vec![("slipway.registry".into(), self.id.clone()), ("slipway.role".into(), "registry".into())],
            image: "slipway-lab/registry:2".into(),
            env: vec![("REGISTRY_LOG_FORMATTER".into(), "json".into())],
            replicas: 1,
            ports: vec![Port { published: self.port, target: 5000, udp: false }],
            publishing: Publishing::Host,
            network: network.id,
            alias: self.service.clone(),
            health: None,
            platforms: Vec::new(),
            runs: Runs::default(),
            own: Some(Own { stop_grace: 2, ..Own::default() }),
        };
        docker.create_service(&spec, None).await.expect("created");
        let url = format!("http://127.0.0.1:{}/v2/", self.port);
        let client = &reqwest::Client::new();
        swarm::eventually(Duration::from_secs(90), "the registry answers", async || {
            client.get(&url).header("user-agent", "slipway-probe").send().await.ok()
        })
        .await;
    }

    fn push(&self, name: &str) {
        let image = format!("127.0.0.1:{}/{name}", self.port);
        self.lab.docker(&["tag", "slipway-lab/base:1", &image]);
        self.lab.docker(&["push", "-q", &image]);
        self.lab.docker(&["image", "rm", &image]);
    }

    async fn follow(&self, query: &str, last: Option<&str>) -> Body {
        let mut request =
            Request::get(format!("/registries/{}/log?{query}", self.id)).header("sec-fetch-site", "same-origin");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.owner.open(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body()
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.lab.docker(&["service", "rm", &self.service]);
        for _ in 0..300 {
            let args = ["-H", &self.lab.docker_host, "network", "rm", &self.network];
            let output = std::process::Command::new("docker").args(args).output().expect("docker runs");
            if output.status.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        eprintln!("{} stays: its task didn't end", self.network);
    }
}

/// The entries of a stream until one has this text.
async fn entries_until(body: &mut Body, wanted: &str) -> Vec<LogEntry> {
    let (mut text, mut read) = (String::new(), Vec::new());
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(60), "{wanted}: not among {read:#?}");
        let frame = tokio::time::timeout(Duration::from_secs(60), body.frame()).await.expect("something comes");
        let bytes = frame.expect("the stream goes on").expect("no error").into_data().expect("data");
        text.push_str(&String::from_utf8_lossy(&bytes));
        while let Some((event, rest)) = text.split_once("\n\n") {
            if event.contains("event: line\n") || event.starts_with("event: line") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
                let id = event.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id");
                let entry: LogEntry = serde_json::from_str(data).expect("an entry");
                assert_eq!(entry.cursor, id);
                read.push(entry);
            }
            text = rest.to_owned();
        }
        if read.iter().any(|entry: &LogEntry| entry.text.contains(wanted)) {
            return read;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_shows_up_live_and_the_tail_goes_on_where_it_was() {
    let Some(lab) = Lab::find() else { return };
    let mut printer = Printer::start(lab).await;

    // Live, from now on.
    let mut tail = printer.follow("", None).await;
    printer.push("shop/web:live");
    let read = entries_until(&mut tail, "Push of shop/web:live: 201").await;
    assert!(read.iter().all(|entry| entry.severity >= Severity::Info && !entry.is_own), "{read:#?}");
    assert!(read.iter().any(|entry| entry.text.contains("· docker/")), "{read:#?}");
    assert!(!read.iter().any(|entry| entry.text.contains("listening on")), "only what is new: {read:#?}");
    drop(tail);

    // What was printed while nobody looked comes once, and behind the cursor alone.
    printer.push("shop/web:missed");
    let cursor = read.last().expect("entries").cursor.clone();
    let mut tail = printer.follow("from=2020-01-01T00:00:00Z", Some(&cursor)).await;
    let missed = entries_until(&mut tail, "Push of shop/web:missed: 201").await;
    assert!(missed.iter().all(|entry| entry.cursor > cursor), "{missed:#?}");
    assert_eq!(missed.iter().filter(|entry| entry.text.contains("Push of shop/web:missed")).count(), 1);
    assert!(missed.is_sorted_by_key(|entry| entry.cursor.clone()), "{missed:#?}");

    // The tail outlives the service: made anew, its lines go on.
    let waiting = tokio::spawn(async move { entries_until(&mut tail, "Push of shop/web:again: 201").await });
    printer.lab.docker(&["service", "rm", &printer.service]);
    swarm::eventually(Duration::from_secs(30), "the old one is gone", async || {
        std::net::TcpStream::connect(("127.0.0.1", printer.port)).err()
    })
    .await;
    printer.create().await;
    printer.push("shop/web:again");
    waiting.await.expect("it is told");

    // Read and downloaded, with the same filters.
    let path = format!("/registries/{}/log.txt", printer.id);
    let whole = printer.owner.get(&path).await;
    assert_eq!(whole.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(whole.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    assert!(
        whole.text.contains("listening on [::]:5000") && whole.text.contains("Push of shop/web:again: 201"),
        "{}",
        whole.text
    );
    assert!(!whole.text.contains("slipway-probe") && !whole.text.contains("shop/web:live"), "{}", whole.text);
    let own = printer.owner.get(&format!("{path}?own=1&severity=debug&filter=sign-in")).await.text;
    assert!(own.contains("slipway-probe") && own.lines().all(|line| line.to_lowercase().contains("sign-in")), "{own}");
    let none = printer.owner.get(&format!("{path}?filter=push&since=1m")).await.text;
    assert!(none.contains("Push of") && none.lines().all(|line| line.contains("Push")), "{none}");
    assert!(printer.owner.get(&format!("{path}?severity=error")).await.text.is_empty());
}

#[tokio::test]
async fn no_service_no_log_and_streams_end_with_the_session() {
    let Some(lab) = Lab::find() else { return };
    let mut printer = Printer::start(lab).await;
    let mut tail = printer.follow("", None).await;
    let missing = printer.owner.get("/registries/reg_0123456789ab/log.txt").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    let mut stranger = printer.app.browser();
    let refused = stranger.get(&format!("/registries/{}/log.txt", printer.id)).await;
    assert!(refused.location().is_some_and(|to| to.starts_with("/sign-in")), "{refused:?}");

    printer.owner.post("/api/accounts/sign-out", &[]).await;
    let ended = async { while tail.frame().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(8), ended).await.expect("it ends with the session");

    printer.owner.sign_in(crate::app::PASSWORD).await;
    let docker = Docker::connect(&printer.lab.docker_host).expect("an address");
    docker.remove_service(&printer.service).await.expect("removed");
    let gone = printer.owner.get(&format!("/registries/{}/log.txt", printer.id)).await;
    assert_eq!(gone.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(gone.text.contains("the Swarm has no service of it"), "{}", gone.text);
    printer.create().await;
}
