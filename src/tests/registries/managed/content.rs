//! Images that a test makes by hand: pushed over HTTP, and fetched whole with every blob hashed.

use crate::services::world::World;
use app::model::id::RegistryId;
use app::model::text::hex;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Digest as _;
use slipway::clock::random;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha2::Sha256::digest(bytes)))
}

pub fn digest_of(descriptor: &Value) -> String {
    descriptor["digest"].as_str().expect("a digest").to_owned()
}

pub fn size_of(descriptor: &Value) -> u64 {
    descriptor["size"].as_u64().expect("a size")
}

/// Bytes that nothing else has.
pub fn noise(length: usize) -> Vec<u8> {
    (0..length.div_ceil(32)).flat_map(|_| random::<32>()).take(length).collect()
}

/// A registry with its own login.
#[derive(Clone)]
pub struct Content {
    base: String,
    http: reqwest::Client,
    username: String,
    password: String,
}

impl Content {
    pub async fn of(world: &World, id: &RegistryId) -> Self {
        let target = world.registries.target(id).await.expect("asked").expect("it is there");
        let login = target.access.login.expect("a login");
        Self {
            base: format!("http://{}/v2", target.access.url.host),
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            username: login.username,
            password: login.password.expose("the test signs in").to_owned(),
        }
    }

    fn ask(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url).basic_auth(&self.username, Some(&self.password))
    }

    async fn send(&self, method: Method, path: &str) -> Result<Response, String> {
        self.ask(method, &format!("{}/{path}", self.base)).send().await.map_err(|error| format!("{path}: {error:?}"))
    }

    /// The status of an attempt to push.
    pub async fn opens_upload(&self, repository: &str) -> Result<StatusCode, String> {
        Ok(self.send(Method::POST, &format!("{repository}/blobs/uploads/")).await?.status())
    }

    /// Pushes a blob; its descriptor.
    pub async fn blob(&self, repository: &str, bytes: &[u8]) -> Value {
        let opened = self.send(Method::POST, &format!("{repository}/blobs/uploads/")).await.expect("an answer");
        assert_eq!(opened.status(), 202, "a push begins");
        let location = opened.headers()["location"].to_str().expect("text").to_owned();
        let mut location = opened.url().join(&location).expect("a URL");
        location.query_pairs_mut().append_pair("digest", &digest(bytes));
        let put = self.ask(Method::PUT, location.as_str()).body(bytes.to_vec()).send().await.expect("an answer");
        assert_eq!(put.status(), 201);
        json!({"mediaType": "application/octet-stream", "digest": digest(bytes), "size": bytes.len()})
    }

    async fn manifest(&self, repository: &str, tag: Option<&str>, kind: &str, manifest: &Value) -> Value {
        let bytes = manifest.to_string();
        let reference = tag.map_or_else(|| digest(bytes.as_bytes()), str::to_owned);
        let url = format!("{}/{repository}/manifests/{reference}", self.base);
        let put = self.ask(Method::PUT, &url).header("content-type", kind).body(bytes.clone());
        let put = put.send().await.expect("an answer");
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap_or_default());
        json!({"mediaType": kind, "digest": digest(bytes.as_bytes()), "size": bytes.len()})
    }

    /// An image of layers that are there.
    pub async fn image(&self, repository: &str, tag: Option<&str>, layers: &[&Value]) -> (Value, Value) {
        let config = self.blob(repository, &noise(600)).await;
        let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers});
        (self.manifest(repository, tag, IMAGE, &manifest).await, config)
    }

    /// An image for two platforms.
    pub async fn index(&self, repository: &str, tag: &str, amd: &Value, arm: &Value) -> Value {
        let of = |manifest: &Value, architecture: &str| {
            let mut manifest = manifest.clone();
            manifest["platform"] = json!({"architecture": architecture, "os": "linux"});
            manifest
        };
        let manifests = [of(amd, "amd64"), of(arm, "arm64")];
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.manifest(repository, Some(tag), INDEX, &index).await
    }

    /// Deletes a manifest by digest, as retention does.
    pub async fn delete(&self, repository: &str, manifest: &Value) {
        let path = format!("{repository}/manifests/{}", digest_of(manifest));
        assert_eq!(self.send(Method::DELETE, &path).await.expect("an answer").status(), 202);
    }

    /// Whether the registry has it: `manifests` or `blobs`.
    pub async fn has(&self, repository: &str, kind: &str, of: &Value) -> bool {
        let path = format!("{repository}/{kind}/{}", digest_of(of));
        let request = self.ask(Method::HEAD, &format!("{}/{path}", self.base));
        let answer = request.header("accept", format!("{IMAGE}, {INDEX}")).send().await.expect("an answer");
        answer.status() == 200
    }

    async fn fetch(&self, path: &str, wanted: &str) -> Result<Vec<u8>, String> {
        let request =
            self.ask(Method::GET, &format!("{}/{path}", self.base)).header("accept", format!("{IMAGE}, {INDEX}"));
        let answer = request.send().await.map_err(|error| format!("{path}: {error:?}"))?;
        assert_eq!(answer.status(), 200, "{path}");
        let bytes = answer.bytes().await.map_err(|error| format!("{path}: {error:?}"))?;
        assert_eq!(digest(&bytes), wanted, "{path} is what it says");
        Ok(bytes.to_vec())
    }

    /// Fetches all that a manifest leads to, and hashes it; how many blobs. An error is a connection that wasn't there; what
    /// isn't in the registry fails the test.
    pub async fn pull(&self, repository: &str, of: &Value) -> Result<usize, String> {
        let (mut wanted, mut blobs) = (vec![digest_of(of)], 0);
        while let Some(manifest) = wanted.pop() {
            let bytes = self.fetch(&format!("{repository}/manifests/{manifest}"), &manifest).await?;
            let read: Value = serde_json::from_slice(&bytes).expect("JSON");
            wanted.extend(read["manifests"].as_array().into_iter().flatten().map(digest_of));
            for blob in read["layers"].as_array().into_iter().flatten().chain(read.get("config")) {
                self.fetch(&format!("{repository}/blobs/{}", digest_of(blob)), &digest_of(blob)).await?;
                blobs += 1;
            }
        }
        Ok(blobs)
    }
}

/// Two images for two platforms each, which share what an update leaves; the second is to go.
pub struct Shop {
    pub content: Content,
    pub kept: Value,
    pub doomed: Value,
    children: Vec<Value>,
    /// What only the second has.
    unshared: Vec<Value>,
}

pub const REPOSITORY: &str = "shop/web";

impl Shop {
    pub async fn open(world: &World, id: &RegistryId) -> Self {
        let content = Content::of(world, id).await;
        let base = content.blob(REPOSITORY, &noise(200_000)).await;
        let mut parts = Vec::new();
        for _ in 0..4 {
            parts.push(content.blob(REPOSITORY, &noise(90_000)).await);
        }
        let (amd, _) = content.image(REPOSITORY, None, &[&base, &parts[0]]).await;
        let (arm, _) = content.image(REPOSITORY, None, &[&base, &parts[1]]).await;
        let kept = content.index(REPOSITORY, "1", &amd, &arm).await;
        let (new_amd, amd_config) = content.image(REPOSITORY, None, &[&base, &parts[2]]).await;
        let (new_arm, arm_config) = content.image(REPOSITORY, None, &[&base, &parts[3]]).await;
        let doomed = content.index(REPOSITORY, "2", &new_amd, &new_arm).await;
        let unshared = vec![
            parts[2].clone(),
            parts[3].clone(),
            amd_config,
            arm_config,
            new_amd.clone(),
            new_arm.clone(),
            doomed.clone(),
        ];
        Self { content, kept, doomed, children: vec![new_amd, new_arm], unshared }
    }

    /// The second goes: its index and the children that nothing else leads to, each by digest.
    pub async fn delete(&self) {
        for manifest in std::iter::once(&self.doomed).chain(&self.children) {
            self.content.delete(REPOSITORY, manifest).await;
        }
    }

    /// What has to come free: blobs and bytes.
    pub fn garbage(&self) -> (u64, u64) {
        (self.unshared.len() as u64, self.unshared.iter().map(size_of).sum())
    }

    /// The first is whole, the second gone, and a push works.
    pub async fn is_well(&self, is_collected: bool) {
        assert_eq!(self.content.pull(REPOSITORY, &self.kept).await, Ok(6), "both platforms, every blob");
        for manifest in std::iter::once(&self.doomed).chain(&self.children) {
            assert!(!self.content.has(REPOSITORY, "manifests", manifest).await);
        }
        if is_collected {
            for blob in &self.unshared[..4] {
                assert!(!self.content.has(REPOSITORY, "blobs", blob).await, "{blob}");
            }
        }
        // What was swept can be pushed again.
        let layer = self.content.blob(REPOSITORY, &noise(5_000)).await;
        let (image, _) = self.content.image(REPOSITORY, Some("3"), &[&layer]).await;
        assert_eq!(self.content.pull(REPOSITORY, &image).await, Ok(2));
    }
}
