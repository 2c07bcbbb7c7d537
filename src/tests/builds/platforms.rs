//! A registry's platforms: one build pushes one index with an image for each.

use super::house::House;
use app::api::registries::RegistriesApi as _;
use app::model::job::JobState;
use app::model::registry::RegistryForm;

#[tokio::test]
async fn two_platforms_become_one_index() {
    let Some(house) = House::ready().await else { return };
    let registry = house.registries.list(&house.actor).await.expect("a list").remove(0);
    let form = RegistryForm {
        name: registry.name.clone(),
        credential: registry.credential.to_string(),
        base_path: registry.base_path.map(|path| path.to_string()).unwrap_or_default(),
        is_default: None,
        platforms: "linux/amd64, linux/arm64".into(),
    };
    house.registries.update(&house.actor, &registry.id, registry.version, form).await.expect("changed");
    // No RUN: this machine can't start programs of the other kind.
    let commit =
        house.commit("One", &[("Dockerfile", &house.dockerfile("COPY message /message")), ("message", "hello")]);
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    assert!(house.text(&id).await.contains("Building for linux/amd64, linux/arm64"));

    let digest = build.digest.expect("a digest");
    assert_eq!(house.in_registry(&commit).await, Some(digest.to_string()));
    let reference = build.reference.expect("a name");
    let target = house.registries.target(&registry.id).await.expect("asked").expect("is there");
    let manifest = house
        .oci
        .manifest(&target.access, &reference.repository, digest.as_str())
        .await
        .expect("an answer")
        .expect("is there");
    let index: serde_json::Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
    let mut platforms: Vec<String> = index["manifests"]
        .as_array()
        .expect("an index")
        .iter()
        .map(|entry| format!("{}/{}", entry["platform"]["os"], entry["platform"]["architecture"]).replace('"', ""))
        .collect();
    platforms.sort();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
}
