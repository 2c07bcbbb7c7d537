//! Which nodes an image runs on: its platforms, read from the registry, against those of the Swarm's nodes.

use super::Services;
use super::deploy::Plan;
use super::pull::Pull;
use crate::jobs::{JobContext, JobError};
use crate::oci::OciError;
use app::error::Problem;
use app::model::image_ref::{Digest, ImageRef};
use app::model::platform::Platform;
use app::paths;
use serde_json::Value;

/// Largest configuration that is read.
const CONFIG: usize = 4 * 1_024 * 1_024;

/// What a manifest says of platforms.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// An index lists them.
    Listed(Vec<Platform>),
    /// One image; its configuration says it.
    InConfig(Digest),
    /// Nothing.
    Nothing,
}

impl Services {
    /// Fails when no node can run the image; says in the log which ones can't.
    pub(super) async fn check_nodes(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        let image = self.image_platforms(plan, cx).await;
        if image.is_empty() {
            return Ok(());
        }
        let nodes = self.inner.docker.nodes().await?;
        let taking = nodes.into_iter().filter(|node| node.is_ready && node.takes_tasks);
        let Some(nodes) = taking.map(|node| node.platform).collect::<Option<Vec<_>>>() else { return Ok(()) };
        let left_out = uncovered(&image, &nodes);
        if left_out.is_empty() {
            return Ok(());
        }
        if nodes.iter().all(|node| left_out.contains(node)) {
            return Err(JobError::Fail(
                nobody(&image, &left_out).with_link(paths::service(&plan.service.id), "Open the service"),
            ));
        }
        cx.log(&format!("Nodes of {} never run it: the image is for {}.", words(&left_out), words(&image)));
        Ok(())
    }

    /// Where the Swarm may place tasks of the image; empty: anywhere, as nobody says what the image is for.
    pub(super) async fn placement(&self, plan: &Plan, cx: &JobContext) -> Vec<Platform> {
        let image = self.image_platforms(plan, cx).await;
        if image.is_empty() { image } else { placement(image, self.inner.observed.platforms()) }
    }

    /// What the image is for; empty: that can't be found out, which is no reason not to deploy.
    async fn image_platforms(&self, plan: &Plan, cx: &JobContext) -> Vec<Platform> {
        self.platforms_of(&plan.pull, &plan.deployment.image).await.unwrap_or_else(|error| {
            cx.log(&format!("Which platforms the image is for couldn't be read: {}", error.problem().cause));
            Vec::new()
        })
    }

    /// The same, read once for each digest; empty: nobody says it.
    pub(super) async fn platforms_of(&self, pull: &Pull, image: &ImageRef) -> Result<Vec<Platform>, OciError> {
        let Some(digest) = &image.digest else { return Ok(Vec::new()) };
        if let Some(known) = self.inner.lamps.platforms(digest) {
            return Ok(known);
        }
        let (oci, access) = (&self.inner.oci, &pull.access);
        let Some(manifest) = oci.manifest(access, &image.repository, digest.as_str()).await? else {
            return Ok(Vec::new());
        };
        let found = match said(&manifest.bytes) {
            Said::Listed(platforms) => platforms,
            Said::Nothing => Vec::new(),
            Said::InConfig(config) => {
                let config = oci.blob(access, &image.repository, &config, CONFIG).await?;
                config.as_deref().and_then(in_config).into_iter().collect()
            }
        };
        self.inner.lamps.remember_platforms(digest, &found);
        Ok(found)
    }
}

fn said(manifest: &[u8]) -> Said {
    let Ok(manifest) = serde_json::from_slice::<Value>(manifest) else { return Said::Nothing };
    if let Some(entries) = manifest["manifests"].as_array() {
        let mut platforms: Vec<Platform> = Vec::new();
        for platform in entries.iter().filter_map(|entry| platform(&entry["platform"])) {
            // Attestations say that they are for nobody.
            if platform.as_str() != "unknown/unknown" && !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        return Said::Listed(platforms);
    }
    let config = manifest["config"]["digest"].as_str().and_then(|digest| digest.parse().ok());
    config.map_or(Said::Nothing, Said::InConfig)
}

/// What a node fetches for an image: configuration and layers. Of an index, the digest of the image to look at instead: the
/// first that one of the nodes runs.
pub(super) fn bytes(manifest: &[u8], nodes: &[Platform]) -> Result<u64, Option<Digest>> {
    let manifest: Value = serde_json::from_slice(manifest).map_err(|_| None)?;
    if let Some(entries) = manifest["manifests"].as_array() {
        let is_ours = |entry: &&Value| {
            platform(&entry["platform"]).is_some_and(|of| {
                of.as_str() != "unknown/unknown" && (nodes.is_empty() || nodes.iter().any(|node| node.runs(&of)))
            })
        };
        let entry = entries.iter().find(is_ours);
        return Err(entry.and_then(|entry| entry["digest"].as_str()?.parse().ok()));
    }
    let size = |of: &Value| of["size"].as_u64().unwrap_or_default();
    let layers = manifest["layers"].as_array().ok_or(None)?;
    Ok(layers.iter().map(size).fold(size(&manifest["config"]), u64::saturating_add))
}

fn in_config(config: &[u8]) -> Option<Platform> {
    platform(&serde_json::from_slice(config).ok()?)
}

/// Descriptors and configurations use the same words.
fn platform(of: &Value) -> Option<Platform> {
    Platform::of(of["os"].as_str()?, of["architecture"].as_str()?, of["variant"].as_str()).ok()
}

/// Nodes that run none of them.
pub(super) fn uncovered(image: &[Platform], nodes: &[Platform]) -> Vec<Platform> {
    let mut left_out: Vec<Platform> = Vec::new();
    for node in nodes {
        if !image.iter().any(|platform| node.runs(platform)) && !left_out.contains(node) {
            left_out.push(node.clone());
        }
    }
    left_out
}

/// The Swarm compares names alone; a processor that also understands an older one is named beside it.
fn placement(mut image: Vec<Platform>, nodes: Vec<Platform>) -> Vec<Platform> {
    let fitting: Vec<_> = nodes.into_iter().filter(|node| image.iter().any(|platform| node.runs(platform))).collect();
    for node in fitting {
        if !image.contains(&node) {
            image.push(node);
        }
    }
    image
}

pub(super) fn nobody(image: &[Platform], nodes: &[Platform]) -> Problem {
    Problem::new(
        "deploy.platform",
        format!(
            "The image is for {}, but no node of the Swarm is: those that take tasks are {}.",
            words(image),
            words(nodes)
        ),
        format!(
            "Build it for {} too (platforms of the registry, or of the service), or add such a node.",
            words(nodes)
        ),
    )
}

pub(super) fn words(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(text: &str) -> Vec<Platform> {
        text.split_whitespace().map(|text| text.parse().expect("a platform")).collect()
    }

    #[test]
    fn what_a_manifest_says_of_platforms_is_read() {
        let index = serde_json::json!({ "manifests": [
            { "platform": { "os": "linux", "architecture": "amd64" } },
            { "platform": { "os": "linux", "architecture": "arm", "variant": "v7" } },
            { "platform": { "os": "unknown", "architecture": "unknown" } },
            { "digest": "no platform" },
        ] });
        assert_eq!(said(index.to_string().as_bytes()), Said::Listed(platforms("linux/amd64 linux/arm/v7")));
        let digest = format!("sha256:{}", "a".repeat(64));
        let manifest = serde_json::json!({ "config": { "digest": digest }, "layers": [] });
        assert_eq!(said(manifest.to_string().as_bytes()), Said::InConfig(digest.parse().expect("a digest")));
        assert_eq!(said(b"{}"), Said::Nothing);
        assert_eq!(said(b"garbage"), Said::Nothing);
        assert_eq!(in_config(br#"{"os":"linux","architecture":"arm64","rootfs":{}}"#), platforms("linux/arm64").pop());
        assert_eq!(in_config(b"{}"), None);
    }

    #[test]
    fn what_a_node_fetches_is_counted() {
        let manifest = serde_json::json!({ "config": { "size": 3 }, "layers": [{ "size": 4 }, { "size": 5 }] });
        assert_eq!(bytes(manifest.to_string().as_bytes(), &[]), Ok(12));
        let digest = |c: &str| format!("sha256:{}", c.repeat(64));
        let entry = |c: &str, architecture: &str| serde_json::json!({ "digest": digest(c), "platform": { "os": "linux", "architecture": architecture } });
        let index = serde_json::json!({ "manifests": [entry("a", "arm64"), entry("b", "amd64")] }).to_string();
        assert_eq!(bytes(index.as_bytes(), &platforms("linux/amd64")), Err(digest("b").parse().ok()));
        assert_eq!(bytes(index.as_bytes(), &platforms("linux/s390x")), Err(None));
        assert_eq!(bytes(b"garbage", &[]), Err(None));
    }

    #[test]
    fn nodes_that_run_none_of_it_are_found() {
        let both = platforms("linux/amd64 linux/arm64");
        assert_eq!(uncovered(&both, &both), Vec::new());
        assert_eq!(uncovered(&platforms("linux/amd64"), &both), platforms("linux/arm64"));
        assert_eq!(uncovered(&platforms("linux/386"), &platforms("linux/amd64")), Vec::new());
        let problem = nobody(&platforms("linux/arm64"), &platforms("linux/amd64"));
        assert!(problem.cause.contains("for linux/arm64, but no node of the Swarm is"), "{problem}");
    }

    #[test]
    fn a_processor_that_understands_an_older_one_is_named() {
        let nodes = platforms("linux/amd64 linux/arm64");
        assert_eq!(placement(platforms("linux/386"), nodes.clone()), platforms("linux/386 linux/amd64"));
        assert_eq!(placement(platforms("linux/amd64"), nodes), platforms("linux/amd64"));
        assert_eq!(placement(platforms("linux/amd64"), Vec::new()), platforms("linux/amd64"));
    }
}
