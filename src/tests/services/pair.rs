//! Two nodes of their own, manager and worker, and a registry whose password the test changes.

use super::world::unique;
use crate::swarm::Lab;
use app::model::credential::CredentialForm;
use app::model::image_ref::ImageRef;
use app::model::secret::Secret;
use base64::Engine as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const USER: &str = "puller";

pub struct Pair {
    lab: Lab,
    /// Both engines.
    pub manager: String,
    pub worker: String,
    /// The registry as the nodes and Slipway call it.
    pub registry: String,
    /// The registry as the lab's engine calls it, which pushes there.
    here: String,
    process: Child,
    folder: tempfile::TempDir,
    /// One at a time on a machine.
    _lock: File,
}

impl Pair {
    /// None (with the reason on the screen) where no pair can run.
    pub fn start(lab: Lab, password: &str) -> Option<Self> {
        let Some(nodes) = lab.pair.clone() else {
            eprintln!("skipped: the lab can't start a pair of engines; it needs root");
            return None;
        };
        let lock = File::create(std::env::temp_dir().join("slipway-lab-pair.lock")).expect("a file");
        lock.lock().expect("locked");
        lab.script(&["pair", "start"]);
        let folder = tempfile::tempdir().expect("a folder");
        write_password(folder.path(), password);
        let port = crate::swarm::free_port();
        let at = folder.path().display();
        let settings = format!(
            "version: 0.1\nlog: {{ accesslog: {{ disabled: true }} }}\nstorage: {{ filesystem: {{ rootdirectory: {at}/data }} }}\n\
             http: {{ addr: \"0.0.0.0:{port}\", secret: x }}\nauth: {{ htpasswd: {{ realm: x, path: {at}/htpasswd }} }}\n"
        );
        std::fs::write(folder.path().join("config.yml"), settings).expect("written");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry runs");
        let registry = format!("{}:{port}", nodes.address);
        let here = format!("127.0.0.1:{port}");
        Some(Self { lab, manager: nodes.manager, worker: nodes.worker, registry, here, process, folder, _lock: lock })
    }

    /// From now on the registry accepts this password alone.
    pub fn set_password(&self, password: &str) {
        write_password(self.folder.path(), password);
    }

    /// A credential for it.
    pub fn credential(&self, password: &str) -> CredentialForm {
        CredentialForm {
            name: "Pair".into(),
            url: format!("http://{}", self.registry),
            username: USER.into(),
            password: Secret::new(password.into()),
            internal: Some("on".into()),
            ..CredentialForm::default()
        }
    }

    /// `docker ARGS…` at one of the two engines.
    pub fn docker(&self, node: &str, args: &[&str]) -> String {
        self.lab.at(node).docker(args)
    }

    /// Which node is which: the Swarm's ids of manager and worker.
    pub fn ids(&self) -> (String, String) {
        let id = |node: &str| self.docker(node, &["info", "-f", "{{.Swarm.NodeID}}"]).trim().to_owned();
        (id(&self.manager), id(&self.worker))
    }

    /// Images that a node has.
    pub fn images(&self, node: &str) -> usize {
        self.docker(node, &["image", "ls", "-q"]).lines().count()
    }

    /// A node forgets all images that nothing there uses.
    pub fn forget_images(&self, node: &str) {
        self.docker(node, &["container", "prune", "-f"]);
        self.docker(node, &["image", "prune", "-af"]);
    }

    /// Builds a program that stays up, with the lab's engine, and pushes it.
    pub fn push(&self, tag: &str, password: &str) -> ImageRef {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("written");
        let auth = |user: &str, password: &str| {
            let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            serde_json::json!({ "auth": text })
        };
        let auths = serde_json::json!({ "auths": {
            &self.here: auth(USER, password), &self.lab.registry: auth(&self.lab.username, &self.lab.password),
        }});
        write("config.json", auths.to_string());
        let unique = unique("content");
        write(
            "Dockerfile",
            format!("FROM {}\nRUN echo {unique} > /content\nCMD [\"sleep\", \"100000\"]\n", self.lab.base),
        );
        let name = format!("{}/private/app:{tag}", self.here);
        let output = Command::new("docker")
            .args(["buildx", "build", "--push", "--provenance=false", "-q", "-t", &name])
            .arg(folder.path())
            .env("DOCKER_HOST", &self.lab.docker_host)
            .env("DOCKER_CONFIG", folder.path())
            .output()
            .expect("docker runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.lab.docker(&["image", "rm", "-f", &name]);
        format!("{}/private/app:{tag}", self.registry).parse().expect("a reference")
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        self.lab.script(&["pair", "stop"]);
    }
}

fn write_password(folder: &Path, password: &str) {
    let mut child = Command::new("htpasswd")
        .args(["-niBC", "5", USER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("htpasswd runs");
    child.stdin.take().expect("a pipe").write_all(password.as_bytes()).expect("written");
    let line = child.wait_with_output().expect("its output").stdout;
    let new = folder.join("htpasswd.new");
    std::fs::write(&new, line).expect("written");
    std::fs::rename(new, folder.join("htpasswd")).expect("renamed");
}
