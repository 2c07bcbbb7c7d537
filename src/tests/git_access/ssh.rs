//! By ssh: a real sshd with a host key of its own, and keys that are pinned.

use super::{commit, is_nowhere, leads_to, problem};
use crate::builds::house::House;
use app::api::git_access::GitAccessApi as _;
use app::error::AppError;
use app::model::git_access::{GitAccessForm, fingerprints};
use app::model::job::JobState;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SSHD: &str = "/usr/sbin/sshd";

/// A server that lets in whose key is in the file `authorized`.
struct Sshd {
    child: Child,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sshd {
    async fn start(folder: &Path, port: u16, host_key: &Path) -> Self {
        // Where it separates its privileges, when it has any.
        let _ = std::fs::create_dir_all("/run/sshd");
        let configuration = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             SetEnv PATH=/usr/local/bin:/usr/bin:/bin\n",
            host_key.display(),
            folder.join("authorized").display()
        );
        let file = folder.join("sshd_config");
        std::fs::write(&file, configuration).expect("a file");
        let mut child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(folder.join("sshd.log")).expect("a file"))
            .spawn()
            .expect("sshd");
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(folder.join("sshd.log")).unwrap_or_default();
            assert!(child.try_wait().expect("a state").is_none(), "sshd ended: {}", log());
            assert!(started.elapsed() < Duration::from_secs(20), "sshd doesn't listen: {}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { child }
    }
}

/// A host key, and its fingerprint as OpenSSH says it.
fn host_key(folder: &Path, name: &str) -> (PathBuf, String) {
    let file = folder.join(name);
    let run = |args: &[&str]| {
        let done = Command::new("ssh-keygen").args(args).arg("-f").arg(&file).output().expect("ssh-keygen");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text")
    };
    run(&["-q", "-t", "ed25519", "-N", ""]);
    let fingerprint = run(&["-l"]).split_whitespace().nth(1).expect("a fingerprint").to_owned();
    (file, fingerprint)
}

fn whoami() -> String {
    let done = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_key_is_shown_to_the_confirmed_host_alone() {
    if !Path::new(SSHD).exists() {
        eprintln!("skipped: {SSHD} isn't here");
        return;
    }
    let Some(house) = House::ready().await else { return };
    let folder = house.folder.path().join("sshd");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("authorized"), "").expect("a file");
    let (first, fingerprint) = host_key(&folder, "first");
    let (second, other) = host_key(&folder, "second");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let server = Sshd::start(&folder, port, &first).await;

    let host = format!("127.0.0.1:{port}");
    let form = GitAccessForm { kind: "key".into(), name: "Own host".into(), host, ..GitAccessForm::default() };
    let (accesses, actor) = (&house.git_accesses, &house.actor);
    let id = accesses.create(actor, form).await.expect("an access");
    let access = accesses.get(actor, &id).await.expect("it is there");
    let public = access.public_key.clone().expect("a public key");
    assert!(public.starts_with("ssh-ed25519 AAAA"), "{public}");
    assert!(access.trusted.is_empty() && !access.is_ready(), "nobody confirmed anything");
    assert_eq!(fingerprints(&access.found), fingerprint, "the host's key, as OpenSSH names it");

    let sha = commit(&house);
    let url = format!("ssh://{}@127.0.0.1:{port}{}", whoami(), house.repo().display());
    house.change(|facts| {
        facts.source.repository = url.parse().expect("an address");
        facts.source.access = Some(id.clone());
    });
    let build = house.start().await;
    leads_to(&house.fails(&build).await, "git.host_key_unconfirmed", &id);

    // What the page showed has to be what was found.
    assert!(matches!(accesses.trust(actor, &id, &other).await, Err(AppError::Invalid(_))));
    accesses.trust(actor, &id, &fingerprint).await.expect("confirmed");

    // The host doesn't know the key yet.
    let build = house.start().await;
    leads_to(&house.fails(&build).await, "git.denied", &id);
    leads_to(&problem(accesses.test(actor, &id, &url).await.expect_err("refused")), "git.denied", &id);

    std::fs::write(folder.join("authorized"), format!("{public}\n")).expect("a file");
    assert_eq!(accesses.test(actor, &id, &url).await, Ok(1));
    let build = house.start().await;
    let built = house.until(&build, JobState::Succeeded).await;
    assert_eq!(built.commit.map(String::from), Some(sha));
    house.is_clean();
    is_nowhere(&house, &["OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA"]);
    assert!(!house.folder.path().join("data/known_hosts").exists(), "nothing is learned by the way");

    // Somebody else answers there.
    drop(server);
    let _impostor = Sshd::start(&folder, port, &second).await;
    let build = house.start().await;
    leads_to(&house.fails(&build).await, "git.host_key", &id);
    leads_to(&problem(accesses.test(actor, &id, &url).await.expect_err("refused")), "git.host_key", &id);
    let log = std::fs::read_to_string(folder.join("sshd.log")).expect("a log");
    assert!(!log.contains("Accepted publickey"), "the key was shown to the impostor: {log}");

    // Looking again shows the new key, and changes nothing until it is confirmed.
    accesses.look(actor, &id).await.expect("looked");
    let access = accesses.get(actor, &id).await.expect("it is there");
    assert_eq!((fingerprints(&access.trusted), fingerprints(&access.found)), (fingerprint, other.clone()));
    accesses.trust(actor, &id, &other).await.expect("confirmed");
    assert_eq!(accesses.test(actor, &id, &url).await, Ok(1));
}

#[tokio::test]
async fn a_host_that_is_away_says_so_and_the_key_is_there_all_the_same() {
    let Some(house) = House::empty().await else { return };
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let form = GitAccessForm {
        kind: "key".into(),
        name: "Away".into(),
        host: format!("127.0.0.1:{port}"),
        ..GitAccessForm::default()
    };
    let id = house.git_accesses.create(&house.actor, form).await.expect("an access");
    let access = house.git_accesses.get(&house.actor, &id).await.expect("it is there");
    assert!(access.public_key.is_some() && access.found.is_empty());
    let error = problem(house.git_accesses.look(&house.actor, &id).await.expect_err("nobody is there"));
    assert_eq!(error.code, "git.host_keys");
}
