//! A registry's platforms: one build pushes one index with an image for each.

use super::house::House;
use app::api::registries::RegistriesApi as _;
use app::model::build::Build;
use app::model::job::JobState;
use app::model::registry::{Registry, RegistryForm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use std::process::Command;

/// The registry wants both from now on.
async fn wants_both(house: &House) -> Registry {
    let registry = house.registries.list(&house.actor).await.expect("a list").remove(0);
    let form = RegistryForm {
        name: registry.name.clone(),
        credential: registry.credential.to_string(),
        base_path: registry.base_path.as_ref().map(ToString::to_string).unwrap_or_default(),
        is_default: None,
        platforms: "linux/amd64, linux/arm64".into(),
    };
    house.registries.update(&house.actor, &registry.id, registry.version, form).await.expect("changed");
    registry
}

/// What a command says in the image of one platform, pulled from the registry.
fn run(house: &House, build: &Build, platform: &str, command: &[&str]) -> String {
    let (lab, digest) = (&house.facts.lab, build.digest.as_ref().expect("a digest"));
    let reference = build.reference.as_ref().expect("a name");
    let image = format!("{}/{}@{digest}", reference.host, reference.repository);
    let login = tempfile::tempdir().expect("a folder");
    let auth = STANDARD.encode(format!("{}:{}", lab.username, lab.password));
    let config = serde_json::json!({ "auths": { reference.host.to_string(): { "auth": auth } } });
    std::fs::write(login.path().join("config.json"), config.to_string()).expect("a file");
    let done = Command::new("docker")
        .args(["run", "--rm", "--pull=always", "--quiet", "--network=none", "--platform", platform, &image])
        .args(command)
        .env("DOCKER_HOST", &house.facts.docker_host)
        .env("DOCKER_CONFIG", login.path())
        .output()
        .expect("docker");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[tokio::test]
async fn two_platforms_become_one_index_that_runs() {
    let Some(house) = House::ready().await else { return };
    let registry = wants_both(&house).await;
    // From nothing, and without RUN: any machine can build this for any other.
    let dockerfile = format!(
        "FROM {} AS tools\nFROM scratch\nENV TEST={}\nCOPY --from=tools / /\nCOPY message /message\n",
        house.facts.base,
        house.service.short()
    );
    let commit = house.commit("One", &[("Dockerfile", &dockerfile), ("message", "hello")]);
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    assert!(house.text(&id).await.contains("Building for linux/amd64, linux/arm64"));
    assert!(build.builder.as_deref().is_some_and(|name| name == "This engine"), "{:?}", build.builder);
    if cfg!(target_arch = "x86_64") {
        assert_eq!(run(&house, &build, "linux/amd64", &["/bin/cat", "/message"]), "hello");
    }

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

#[tokio::test]
async fn commands_of_another_processor_are_emulated_and_the_build_says_so() {
    if !cfg!(target_arch = "x86_64") || !Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists() {
        eprintln!("skipped: this machine has no emulator for arm64 (binfmt_misc has no qemu-aarch64)");
        return;
    }
    let Some(house) = House::ready().await else { return };
    wants_both(&house).await;
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN uname -m > /machine"))]);
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    assert!(house.text(&id).await.contains("Warning: linux/arm64 is emulated by This engine"));
    let record = build.record.clone().expect("a record");
    assert_eq!(record.emulated.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/arm64"]);
    assert!(record.warnings.iter().any(|warning| warning.text.contains("emulated")), "{:?}", record.warnings);
    assert_eq!(run(&house, &build, "linux/amd64", &["/bin/cat", "/machine"]), "x86_64");
    assert_eq!(run(&house, &build, "linux/arm64", &["/bin/cat", "/machine"]), "aarch64");
}

/// What the service wants goes before what the registry wants; nobody here builds for this.
#[tokio::test]
async fn a_platform_that_nobody_builds_for_ends_before_anything_is_fetched() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    house.change(|facts| facts.source.build.platforms = vec!["linux/s390x".parse().expect("a platform")]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.platforms");
    assert!(problem.cause.contains("linux/s390x") && problem.remedy.contains("--install s390x"), "{problem}");
}
