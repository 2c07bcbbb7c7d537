//! K1, K3, K4, K6: the registry's password is nowhere to be read: not in the process list, the log, the database or the
//! image, even when the repository does its worst.

use super::house::House;
use app::api::credentials::CredentialsApi as _;
use app::model::build_options::CacheKind;
use app::model::credential::CredentialForm;
use app::model::job::JobState;
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Looks at arguments and environment of all our descendants, again and again.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    seen: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Watcher {
    pub fn start(needles: Vec<String>) -> Self {
        Self::over(needles, descendants)
    }

    /// Of these processes.
    fn over(needles: Vec<String>, processes: fn() -> Vec<u32>) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, count) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            let mut found = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                for pid in processes() {
                    for file in ["cmdline", "environ"] {
                        let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                        count.fetch_add(usize::from(!bytes.is_empty()), Ordering::Relaxed);
                        let text = String::from_utf8_lossy(&bytes);
                        if needles.iter().any(|needle| text.contains(needle)) {
                            found.push(format!(
                                "{pid}/{file}: {}",
                                text.replace('\0', " ").chars().take(80).collect::<String>()
                            ));
                        }
                    }
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            found
        });
        Self { stop, seen, thread }
    }

    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let found = self.thread.join().expect("no panic");
        assert!(found.is_empty(), "{found:?}");
        assert!(self.seen.load(Ordering::Relaxed) > 50, "it looked at something");
    }
}

fn descendants() -> Vec<u32> {
    let mut parents = HashMap::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parents.insert(pid, parent.unwrap_or(0));
    }
    let me = std::process::id();
    let is_ours = |pid: u32| {
        let mut pid = pid;
        while let Some(parent) = parents.get(&pid) {
            if *parent == me {
                return true;
            }
            pid = *parent;
        }
        false
    };
    parents.keys().copied().filter(|pid| is_ours(*pid)).collect()
}

/// Of the whole machine.
fn everybody() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_password_of_the_registry_is_nowhere_to_be_read() {
    let Some(house) = House::ready().await else { return };
    let (user, password) = (&house.facts.lab.username, &house.facts.lab.password);
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    // The worst case: the repository knows the password and prints it in every way, also bit by bit.
    let (half, rest) = password.split_at(password.len() / 2);
    let run = format!(
        "RUN echo plain {password}; echo base {encoded}; printf {half}; sleep 0.3; printf '{rest}\\n'; echo 'x{password}' | base64; echo end; exit 3"
    );
    house.commit("Prints", &[("Dockerfile", &house.dockerfile(&run))]);
    let watcher = Watcher::start(vec![password.clone(), encoded.clone()]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    let text = house.text(&id).await;
    let told = format!("{problem:?}{:?}{text}", house.steps(&id).await);
    assert!(!told.contains(password.as_str()) && !told.contains(&encoded), "{told}");
    assert!(text.contains("plain •••") && text.contains("base •••"), "{text}");
    assert!(text.contains("\n•••\n"), "in two pieces: {text}");

    // And an ordinary build.
    house.commit("Does not", &[("Dockerfile", &house.dockerfile("RUN env; cat /proc/self/environ; ls -la /"))]);
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    watcher.end();
    house.is_clean();
    let image = build.reference.expect("a name").to_string();
    let inspected = Command::new("docker")
        .args(["image", "inspect", &image])
        .env("DOCKER_HOST", &house.facts.docker_host)
        .output()
        .expect("docker");
    assert!(inspected.status.success(), "{}", String::from_utf8_lossy(&inspected.stderr));
    assert!(String::from_utf8_lossy(&inspected.stdout).contains(house.service.as_str()), "it has its label");

    let mut looked_at = 0;
    let mut places = vec![("docker image inspect".to_owned(), inspected.stdout)];
    places.extend(files_below(house.folder.path().join("data")));
    for (place, bytes) in places {
        looked_at += bytes.len();
        let hidden = [password.as_bytes(), encoded.as_bytes()];
        assert!(!hidden.iter().any(|needle| bytes.windows(needle.len()).any(|part| part == *needle)), "{place}");
    }
    assert!(looked_at > 50_000, "only {looked_at} bytes were there");
}

/// Every form in which somebody could read it: as it is, in base64 at each alignment, percent-encoded, in hex.
fn needles(secret: &str) -> Vec<String> {
    let mut found = vec![secret.to_owned()];
    for before in 0..3 {
        let shifted = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        let whole = STANDARD.encode(&shifted[..shifted.len() - shifted.len() % 3]);
        let text = if before == 0 { whole } else { whole[4..].to_owned() };
        found.push(text.replace('+', "-").replace('/', "_"));
        found.push(text);
    }
    found.push(secret.bytes().map(|byte| format!("{byte:02x}")).collect());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    found.push(
        secret.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) }).collect(),
    );
    found
}

/// All that the registry has of a repository: manifests, configurations, layers (packed and unpacked), attestations, caches.
async fn in_the_registry(house: &House, repository: &str) -> Vec<(String, Vec<u8>)> {
    let lab = &house.facts.lab;
    let client = reqwest::Client::new();
    let get = |path: String| {
        let kinds = ["oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.v2"];
        let accept = kinds.map(|kind| format!("application/vnd.{kind}+json"));
        client
            .get(format!("http://{}/v2/{repository}/{path}", lab.registry))
            .basic_auth(&lab.username, Some(&lab.password))
            .header("Accept", accept.join(", "))
            .send()
    };
    let tags: serde_json::Value = get("tags/list".into()).await.expect("asked").json().await.expect("JSON");
    let tags = tags["tags"].as_array().expect("tags").iter().filter_map(|tag| tag.as_str());
    let mut open: Vec<String> = tags.map(|tag| format!("manifests/{tag}")).collect();
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(path) = open.pop() {
        if places.iter().any(|(place, _)| *place == path) {
            continue;
        }
        let answer = get(path.clone()).await.expect("asked");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let bytes = answer.bytes().await.expect("whole").to_vec();
        if path.starts_with("manifests/") {
            let manifest: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            let digests = |list: &str| -> Vec<(String, String)> {
                let entries = manifest[list].as_array().cloned().unwrap_or_default();
                let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
                entries.iter().map(|entry| (text(entry, "digest"), text(entry, "mediaType"))).collect()
            };
            // The manifest of a cache is an index whose entries are layers.
            for (digest, kind) in digests("manifests") {
                let is_manifest = kind.contains("manifest") || kind.contains("index");
                open.push(format!("{}/{digest}", if is_manifest { "manifests" } else { "blobs" }));
            }
            open.extend(digests("layers").into_iter().map(|(digest, _)| format!("blobs/{digest}")));
            open.extend(manifest["config"]["digest"].as_str().map(|digest| format!("blobs/{digest}")));
        } else if bytes.starts_with(&[0x1f, 0x8b]) {
            let file = house.folder.path().join("layer.gz");
            std::fs::write(&file, &bytes).expect("a file");
            let unpacked = Command::new("gzip").arg("-dc").arg(&file).output().expect("gzip");
            assert!(unpacked.status.success(), "{path}");
            places.push((format!("{path}, unpacked"), unpacked.stdout));
        }
        places.push((path, bytes));
    }
    places
}

fn files_below(folder: std::path::PathBuf) -> Vec<(String, Vec<u8>)> {
    let (mut folders, mut places) = (vec![folder], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                places.push((entry.path().display().to_string(), std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
    places
}

/// Acceptance 4 of builds: nothing that a build leaves behind has a secret in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_secret_of_a_build_is_left_anywhere() {
    let Some(house) = House::ready().await else { return };
    let token = format!("tok/en+~{}?&=", slipway::clock::random_token());
    let lines = [slipway::clock::random_token(), slipway::clock::random_token()];
    let argument = slipway::clock::random_token();
    house.seal("token", &token).await;
    house.seal("key", &format!("{}\n{}\n", lines[0], lines[1])).await;
    let other = house.facts.lab.registry.replace("127.0.0.1", "localhost");
    let form = CredentialForm {
        name: "Pull".into(),
        url: format!("http://{other}"),
        username: house.facts.lab.username.clone(),
        password: Secret::new(house.facts.lab.password.clone()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    house.credentials.create(&house.actor, form).await.expect("a credential");
    house.change(|facts| {
        let build = &mut facts.source.build;
        build.args = vec![("PLAIN".into(), argument.clone())];
        build.secrets = vec!["token".into(), "key".into()];
        build.provenance = true;
        build.cache = CacheKind::Registry;
    });
    // A private base image, two stages of which one is in the cache alone, and commands that show what they were given.
    let text = format!(
        "FROM {other}/base:1 AS first\nARG PLAIN\nENV TEST={0}\n\
         RUN --mount=type=secret,id=token --mount=type=secret,id=key cat /run/secrets/token /run/secrets/key && \
         base64 /run/secrets/token && sha256sum /run/secrets/token > /sum && echo $PLAIN > /plain && sleep 0.3\n\
         FROM {other}/base:1\nCOPY --from=first /sum /plain /\n\
         RUN --mount=type=secret,id=token test -s /run/secrets/token && echo {0} > /done\n",
        house.service.short()
    );
    house.commit("One", &[("Dockerfile", &text)]);
    let sought: Vec<String> = [&token, &lines[0], &lines[1]].into_iter().flat_map(|secret| needles(secret)).collect();
    let watcher = Watcher::over(sought.clone(), everybody);
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    watcher.end();
    house.is_clean();
    assert!(house.text(&id).await.contains("•••"), "the commands did print them");

    let reference = build.reference.expect("a name");
    let mut places = in_the_registry(&house, reference.repository.as_str()).await;
    assert!(
        places.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("slsa.dev/provenance")),
        "provenance"
    );
    assert!(places.iter().any(|(place, _)| place.contains("unpacked")), "layers");
    assert!(places.iter().any(|(place, _)| place == "manifests/buildcache"), "the cache");
    let is_plain = |(_, bytes): &(String, Vec<u8>)| String::from_utf8_lossy(bytes).contains(&argument);
    assert!(places.iter().any(is_plain), "the search finds what is there: the argument");
    for words in [["image", "inspect"], ["image", "history"]] {
        let all: &[&str] = if words[1] == "history" { &["--no-trunc"] } else { &[] };
        let shown = Command::new("docker")
            .args(words)
            .args(all)
            .arg(reference.to_string())
            .env("DOCKER_HOST", &house.facts.docker_host)
            .output()
            .expect("docker");
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        places.push((format!("docker {words:?}"), shown.stdout));
    }
    places.extend(files_below(house.folder.path().join("data")));
    let password = &house.facts.lab.password;
    let login = STANDARD.encode(format!("{}:{password}", house.facts.lab.username));
    let sought: Vec<String> = sought.into_iter().chain(needles(password)).chain([login]).collect();
    assert!(places.len() > 15, "only {} places", places.len());
    for (place, bytes) in &places {
        for needle in &sought {
            assert!(!bytes.windows(needle.len()).any(|part| part == needle.as_bytes()), "{needle} in {place}");
        }
    }
}
