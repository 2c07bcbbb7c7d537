//! Caches that outlive the builder: in the registry, and in a folder.

use super::house::House;
use app::model::build_options::{CACHE_TAG, CacheKind};
use app::model::job::JobState;
use std::path::PathBuf;

fn folder(house: &House) -> PathBuf {
    house.folder.path().join(format!("data/cache/{}", house.service))
}

/// A service whose image has one step, with this cache.
async fn ready(kind: CacheKind) -> Option<House> {
    let house = House::ready().await?;
    house.change(|facts| facts.source.build.cache = kind);
    house.commit(
        "One",
        &[("Dockerfile", &house.dockerfile("COPY file /file\nRUN cat /file")), ("file", house.service.as_str())],
    );
    Some(house)
}

#[tokio::test]
async fn the_registry_keeps_the_cache_under_a_tag_of_its_own() {
    let Some(house) = ready(CacheKind::Registry).await else { return };
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    let text = house.text(&id).await;
    assert!(text.contains("exporting cache to registry"), "{text}");
    // There is none before the first build; that is no failure.
    assert!(text.contains("Goes on without it: ") && !text.contains("ERROR"), "{text}");
    let repository = build.reference.expect("a name").repository;
    let access = house.facts.lab.access();
    let found = house.oci.manifest(&access, &repository, CACHE_TAG).await.expect("an answer").expect("the cache");
    let manifest: serde_json::Value = serde_json::from_slice(&found.bytes).expect("JSON");
    // An image manifest of OCI's kind, with the layers of all steps.
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.buildkit.cacheconfig.v0");
    assert!(manifest["layers"].as_array().expect("layers").len() >= 2, "{manifest}");
    assert_ne!(Some(found.digest), build.digest);

    let again = house.start().await;
    let build = house.until(&again, JobState::Succeeded).await;
    let text = house.text(&again).await;
    assert!(text.contains("importing cache manifest from") && !text.contains("Goes on without it"), "{text}");
    assert_eq!(build.record.map(|record| (record.steps, record.cached)), Some((2, 2)));
}

#[tokio::test]
async fn a_folder_keeps_the_cache_within_its_budget() {
    let Some(house) = ready(CacheKind::Local).await else { return };
    let id = house.start().await;
    house.until(&id, JobState::Succeeded).await;
    let cache = folder(&house);
    assert!(cache.join("index.json").is_file() && !house.text(&id).await.contains("importing cache"));
    let blobs = || std::fs::read_dir(cache.join("blobs/sha256")).expect("blobs").count();
    let first = blobs();
    assert!(first >= 3, "layers, configuration, manifest: {first}");

    let again = house.start().await;
    house.until(&again, JobState::Succeeded).await;
    let text = house.text(&again).await;
    assert!(text.contains("importing cache manifest from local:"), "{text}");
    assert_eq!(blobs(), first, "it doesn't grow");
    let beside = std::fs::read_dir(cache.parent().expect("a folder")).expect("a folder").count();
    assert_eq!(beside, 1, "nothing half done is left");

    house.builds.set_cache_budget(1);
    let last = house.start().await;
    house.until(&last, JobState::Succeeded).await;
    assert!(!cache.exists());
}

#[tokio::test]
async fn a_start_sweeps_caches_of_services_that_are_gone() {
    let Some(house) = House::empty().await else { return };
    let gone = house.folder.path().join("data/cache/srv_000000000000");
    for path in [&gone, &folder(&house)] {
        std::fs::create_dir_all(path).expect("a folder");
    }
    house.builds.sweep().await.expect("swept");
    assert!(folder(&house).exists() && !gone.exists());
}

#[tokio::test]
async fn off_takes_nothing_from_the_cache() {
    let Some(house) = ready(CacheKind::Off).await else { return };
    for _ in 0..2 {
        let id = house.start().await;
        let record = house.until(&id, JobState::Succeeded).await.record.expect("a record");
        assert_eq!((record.steps, record.cached), (2, 0));
    }
}
