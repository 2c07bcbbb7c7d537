//! K1, K3, K4, K6: the registry's password is nowhere to be read: not in the process list, the log, the database or the
//! image, even when the repository does its worst.

use super::house::House;
use app::model::job::JobState;
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
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, count) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            let mut found = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                for pid in descendants() {
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
    let mut folders = vec![house.folder.path().join("data")];
    let mut places = vec![("docker image inspect".to_owned(), inspected.stdout)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                places.push((entry.path().display().to_string(), std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
    for (place, bytes) in places {
        looked_at += bytes.len();
        let hidden = [password.as_bytes(), encoded.as_bytes()];
        assert!(!hidden.iter().any(|needle| bytes.windows(needle.len()).any(|part| part == *needle)), "{place}");
    }
    assert!(looked_at > 50_000, "only {looked_at} bytes were there");
}
