//! From the rules to a free disk, on a registry that Slipway runs (acceptance 2, end to end): after retention, the emptied
//! trash and garbage collection every kept image still pulls whole on both platforms, and what came free is what the preview
//! said.

use super::house::{House, IMAGE};
use app::model::image_ref::Digest;
use app::model::retention::PreviewSearch;
use serde_json::{Value, json};
use slipway::clock::random;

/// Bytes that nothing else has.
fn noise(length: usize) -> Vec<u8> {
    (0..length.div_ceil(32)).flat_map(|_| random::<32>()).take(length).collect()
}

/// An image for one platform of these layers.
async fn platform(house: &House, architecture: &str, layers: &[&Value]) -> Value {
    let config = json!({"architecture": architecture, "os": "linux", "nonce": random::<8>()}).to_string();
    let mut config = house.blob(config.as_bytes()).await;
    config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
    let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers});
    let mut descriptor = house.put(None, IMAGE, &manifest).await;
    descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
    descriptor
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_pulls_whole_and_what_comes_free_is_what_was_said() {
    let Some((house, _sweep)) = House::managed().await else { return };
    let base = house.blob(&noise(600_000)).await;
    let amd = house.blob(&noise(300_000)).await;
    let arm = house.blob(&noise(300_000)).await;
    let mut digests: Vec<(String, Digest)> = Vec::new();
    // Six versions for two platforms each, which share a base and a layer of each platform. The arm half of the last one is
    // the very manifest of the one before.
    let mut last_arm = None;
    for n in 0..6 {
        let (own_amd, own_arm) = (house.blob(&noise(200_000)).await, house.blob(&noise(150_000)).await);
        let half_amd = platform(&house, "amd64", &[&base, &amd, &own_amd]).await;
        let half_arm = match last_arm.take() {
            Some(same) if n == 5 => same,
            _ => platform(&house, "arm64", &[&base, &arm, &own_arm]).await,
        };
        last_arm = Some(half_arm.clone());
        let tag = if n == 1 || n == 5 { format!("v{n}") } else { format!("c{n}") };
        digests.push((tag.clone(), house.index(&tag, &[half_amd, half_arm]).await));
    }
    // Nothing names the last layer, so it is garbage already before anything is deleted; it is collected first.
    collected(&house).await;

    house.keep("v*", "").await;
    let job = house.slipway().backend.retention.look(&house.actor, &house.registry).await.expect("asked for");
    house.succeeded(&job).await;
    let search = PreviewSearch::default();
    let backend = &house.slipway().backend;
    let preview = backend.retention.preview(&house.actor, &house.registry, &search).await.expect("a preview");
    assert_eq!((preview.total, preview.goes), (6, 4), "{preview:#?}");

    let report = house.ran().await;
    assert_eq!((report.summary.deleted, report.summary.frees), (4, preview.frees), "{report:#?}");
    // What is in the trash is no garbage.
    collected(&house).await;
    for (tag, digest) in &digests {
        assert_eq!(house.pull(digest.as_str()).await, 8, "{tag}");
    }
    assert_eq!(house.emptied().await.summary.expired, 4);
    let freed = collected(&house).await;

    for (tag, digest) in &digests {
        if tag.starts_with('v') {
            assert_eq!(house.leads_to(tag).await.as_ref(), Some(digest), "{tag}");
            assert_eq!(house.pull(tag).await, 8, "{tag}: both platforms, every blob");
        } else {
            assert_eq!(house.leads_to(digest.as_str()).await, None, "{tag}");
        }
    }
    let said = preview.frees;
    println!("said {said}, freed {freed:?}");
    if let Some(freed) = freed {
        assert!(freed.abs_diff(said) * 100 <= said, "said {said}, freed {freed}");
    }
}

/// Collects garbage; the bytes that came free on the volume, where that can be seen.
async fn collected(house: &House) -> Option<u64> {
    let registries = &house.slipway().backend.registries;
    let job = registries.collect_garbage(&house.actor, &house.registry).await.expect("asked for");
    house.succeeded(&job).await;
    let garbage = registries.garbage(&house.actor, &house.registry).await.expect("known");
    garbage.runs.into_iter().find(|run| run.job == job).expect("it is among the runs").bytes
}
