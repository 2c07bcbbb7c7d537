//! How much is in a registry: counted against a real one.

use super::probe::adopt;
use crate::credentials::{House, form};
use crate::swarm::{eventually, free_port};
use app::api::registries::RegistriesApi as _;
use app::model::text::hex;
use serde_json::{Value, json};
use sha2::Digest as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A registry of this machine, without a password.
struct Real {
    process: Child,
    base: String,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha2::Sha256::digest(bytes)))
}

impl Real {
    async fn start(port: u16) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = json!({
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": folder.path().join("data")}, "delete": {"enabled": true}},
            "http": {"addr": format!("127.0.0.1:{port}"), "secret": "x"},
        });
        let file = folder.path().join("config.yml");
        std::fs::write(&file, settings.to_string()).expect("written");
        let started =
            Command::new("docker-registry").arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) => {
                eprintln!("skipped: docker-registry can't be started: {error}");
                return None;
            }
        };
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let base = format!("http://127.0.0.1:{port}/v2");
        let made = Self { process, base, http, _folder: folder };
        eventually(Duration::from_secs(10), "it answers", || async {
            made.http.get(format!("{}/", made.base)).send().await.ok()
        })
        .await;
        Some(made)
    }

    /// Pushes a blob; its descriptor.
    async fn blob(&self, repository: &str, bytes: &[u8]) -> Value {
        let opened =
            self.http.post(format!("{}/{repository}/blobs/uploads/", self.base)).send().await.expect("an answer");
        let location = opened.headers()["location"].to_str().expect("text").to_owned();
        let mut location = opened.url().join(&location).expect("a URL");
        location.query_pairs_mut().append_pair("digest", &digest(bytes));
        let put = self.http.put(location).body(bytes.to_vec()).send().await.expect("an answer");
        assert_eq!(put.status(), 201);
        json!({"mediaType": "application/octet-stream", "digest": digest(bytes), "size": bytes.len()})
    }

    /// Pushes a manifest; its descriptor.
    async fn manifest(&self, repository: &str, tag: Option<&str>, kind: &str, manifest: &Value) -> Value {
        let bytes = manifest.to_string();
        let reference = tag.map_or_else(|| digest(bytes.as_bytes()), str::to_owned);
        let url = format!("{}/{repository}/manifests/{reference}", self.base);
        let put = self.http.put(url).header("content-type", kind).body(bytes.clone()).send().await.expect("an answer");
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap_or_default());
        json!({"mediaType": kind, "digest": digest(bytes.as_bytes()), "size": bytes.len()})
    }

    async fn image(&self, repository: &str, tag: Option<&str>, config: &[u8], layers: &[&[u8]]) -> Value {
        let config = self.blob(repository, config).await;
        let mut pushed = Vec::new();
        for layer in layers {
            pushed.push(self.blob(repository, layer).await);
        }
        let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": pushed});
        self.manifest(repository, tag, IMAGE, &manifest).await
    }
}

fn size(descriptor: &Value) -> u64 {
    descriptor["size"].as_u64().expect("a size")
}

#[tokio::test]
async fn shared_layers_count_once_and_indexes_count_with_their_images() {
    let port = free_port();
    let Some(real) = Real::start(port).await else { return };
    let (base, first, second, other) = (vec![b'b'; 10_000], vec![b'1'; 200], vec![b'2'; 3_000], vec![b'3'; 50]);
    let web = real.image("shop/web", Some("1"), b"web", &[&base, &first]).await;
    // The same image under another tag.
    real.image("shop/web", Some("latest"), b"web", &[&base, &first]).await;
    let api = real.image("shop/api", Some("1"), b"api", &[&base, &second]).await;
    let amd = real.image("shop/multi", None, b"amd", &[&base]).await;
    let arm = real.image("shop/multi", None, b"arm", &[&other]).await;
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [amd, arm]});
    let index = real.manifest("shop/multi", Some("1"), INDEX, &index).await;

    let house = House::open().await;
    let host = format!("127.0.0.1:{port}");
    let id = adopt(&house, &host, form("Ours", &host, "any"), None).await;
    let count = async || house.registries.check(&house.actor, &id).await.expect("a status").usage.expect("counted");
    let usage = count().await;
    assert_eq!((usage.repositories, usage.tags), (3, 4), "{usage:?}");
    let manifests = [&web, &api, &amd, &arm, &index].map(size).iter().sum::<u64>();
    assert_eq!(usage.bytes, manifests + 4 * 3 + 10_000 + 200 + 3_000 + 50);
    assert_eq!(usage.shared, 2 * 10_000, "the base would be there twice more");

    // A tag goes, and with it what only it held; the count says so at once, and replaces that of the same hour.
    let url = format!("{}/shop/api/manifests/{}", real.base, api["digest"].as_str().expect("a digest"));
    assert_eq!(real.http.delete(url).send().await.expect("an answer").status(), 202);
    let less = count().await;
    assert_eq!((less.repositories, less.tags), (2, 3), "{less:?}");
    assert_eq!(less.bytes, usage.bytes - size(&api) - 3 - 3_000);
    assert_eq!(less.shared, 10_000);
    let kept = house.count("SELECT count(*) FROM registry_usage").await;
    assert!((1..=2).contains(&kept), "one an hour is kept: {kept}");
}
