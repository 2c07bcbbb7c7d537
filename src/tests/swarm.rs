//! The lab's Docker engines, as far as the tests of `docker`, `services` and `settings` need them.

use app::model::image_ref::ImageRef;
use base64::Engine as _;
use serde::Deserialize;
use slipway::config::{Config, LogFormat};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(Clone, Deserialize)]
pub struct Lab {
    pub docker_host: String,
    pub registry: String,
    pub username: String,
    pub password: String,
    pub base: String,
    pub second: Second,
    #[serde(default)]
    pub pair: Option<Pair>,
    #[serde(skip)]
    folder: PathBuf,
}

/// An engine that isn't in swarm mode.
#[derive(Clone, Deserialize)]
pub struct Second {
    pub docker_host: String,
    pub docker_pid: PathBuf,
    pub address: String,
}

/// Two engines that form a swarm of their own; `scripts/lab pair start` starts them.
#[derive(Clone, Deserialize)]
pub struct Pair {
    pub manager: String,
    pub worker: String,
    /// This machine, for both.
    pub address: String,
}

impl Lab {
    /// The lab; None (with the reason on the screen) where none runs.
    pub fn find() -> Option<Self> {
        let Some(file) = std::env::var_os("SLIPWAY_LAB_FILE").map(PathBuf::from) else {
            eprintln!("skipped: SLIPWAY_LAB_FILE doesn't name the lab's file; `make test` starts one");
            return None;
        };
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut lab: Self = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        lab.folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Some(lab)
    }

    /// The same lab with another engine.
    pub fn at(&self, docker_host: &str) -> Self {
        Self { docker_host: docker_host.to_owned(), ..self.clone() }
    }

    /// `docker ARGS…` at the lab's engine; what it prints.
    pub fn docker(&self, args: &[&str]) -> String {
        let output = Command::new("docker").arg("-H").arg(&self.docker_host).args(args).output().expect("docker runs");
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until no other test uses the second engine, and keeps it until it is dropped.
    pub fn second_alone(&self) -> std::fs::File {
        let lock = std::fs::File::create(std::env::temp_dir().join("slipway-lab-second.lock")).expect("a file");
        lock.lock().expect("locked");
        lock
    }

    /// `scripts/lab second VERB`.
    pub fn second(&self, verb: &str) {
        self.script(&["second", verb]);
    }

    /// `scripts/lab ARGS…`.
    pub fn script(&self, args: &[&str]) {
        let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lab"))
            .args(args)
            .env("SLIPWAY_LAB", &self.folder)
            .output()
            .expect("the script runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Builds an image on the lab's base and pushes it; `dockerfile` comes behind its FROM line.
    pub fn push(&self, repository: &str, tag: &str, dockerfile: &str) -> ImageRef {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("written");
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", self.username, self.password));
        write("config.json", serde_json::json!({"auths": {&self.registry: {"auth": auth}}}).to_string());
        write("Dockerfile", format!("FROM {}\n{dockerfile}\n", self.base));
        let name = format!("{}/{repository}:{tag}", self.registry);
        let metadata = folder.path().join("metadata.json");
        let output = Command::new("docker")
            .args(["buildx", "build", "--push", "--provenance=false", "-q", "-t", &name, "--metadata-file"])
            .arg(&metadata)
            .arg(folder.path())
            .env("DOCKER_HOST", &self.docker_host)
            .env("DOCKER_CONFIG", folder.path())
            .output()
            .expect("docker runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value =
            serde_json::from_slice(&std::fs::read(metadata).expect("metadata")).expect("JSON");
        let digest = metadata["containerimage.digest"].as_str().expect("a digest");
        // Nodes have to pull it themselves.
        self.docker(&["image", "rm", "-f", &name]);
        format!("{name}@{digest}").parse().expect("a reference")
    }
}

/// Asks again and again until there is an answer; panics when time is up.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < limit, "{what}: not within {} s", limit.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A port that nobody listens on, below the range from which the kernel takes others.
pub fn free_port() -> u16 {
    loop {
        let port = 20_000 + u16::from_le_bytes(slipway::clock::random()) % 9_000;
        if std::net::TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Settings over a folder and an engine.
pub fn config(folder: &Path, docker_host: &str) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: folder.to_owned(),
        public_url: None,
        docker_host: docker_host.into(),
        master_key_file: folder.join("master.key"),
        log_format: LogFormat::Text,
        local_repositories: vec![folder.join("repositories")],
        trusted_proxies: Vec::new(),
        registry_image: "slipway-lab/registry:2".parse().expect("an image"),
        proxy_image: None,
        builds_need: app::model::disk::Needs::default(),
    }
}

/// Stands before an engine's socket and can be shut, as if the daemon were gone.
pub struct Gate {
    pub host: String,
    open: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Gate {
    pub fn before(docker_host: &str, folder: &Path) -> Self {
        let path = folder.join("gate.sock");
        let engine = docker_host.trim_start_matches("unix://").to_owned();
        let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
        let (open, state) = tokio::sync::watch::channel(true);
        let task = tokio::spawn(async move {
            let mut calls = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let (engine, mut state) = (engine.clone(), state.clone());
                calls.spawn(async move {
                    if !*state.borrow() {
                        return;
                    }
                    let mut far = tokio::net::UnixStream::connect(engine).await.expect("the engine is there");
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { host: format!("unix://{}", path.display()), open, task }
    }

    pub fn set(&self, open: bool) {
        self.open.send_replace(open);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}
