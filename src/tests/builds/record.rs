//! What is kept of a build: images by platform, cached steps, warnings, attestations.

use super::house::House;
use app::api::builds::BuildsApi as _;
use app::error::AppError;
use app::model::build::Build;
use app::model::build_record::{BuildPart, BuildRecord, RecipeKind, Trigger};
use app::model::job::JobState;

async fn built(house: &House) -> (Build, BuildRecord) {
    let id = house.start().await;
    let build = house.until(&id, JobState::Succeeded).await;
    let record = build.record.clone().expect("a record");
    (build, record)
}

/// What the registry itself says of a manifest: its JSON.
async fn manifest(house: &House, build: &Build, digest: &str) -> serde_json::Value {
    let repository = &build.reference.as_ref().expect("a name").repository;
    let access = house.facts.lab.access();
    let found = house.oci.manifest(&access, repository, digest).await.expect("an answer").expect("is there");
    serde_json::from_slice(&found.bytes).expect("JSON")
}

fn size_of(manifest: &serde_json::Value) -> u64 {
    let layers = manifest["layers"].as_array().expect("layers");
    layers.iter().chain([&manifest["config"]]).map(|part| part["size"].as_u64().expect("a size")).sum()
}

#[tokio::test]
async fn each_platform_has_the_digest_and_the_size_that_the_registry_has() {
    let Some(house) = House::ready().await else { return };
    house.change(|facts| {
        facts.source.build.platforms = ["linux/amd64", "linux/arm64"].map(|it| it.parse().expect("a platform")).into();
        facts.source.build.provenance = true;
    });
    let own = format!("FROM scratch\nLABEL test={}\nCOPY message /message\nWORKDIR /srv\n", house.service.short());
    house.commit("One", &[("Dockerfile", &own), ("message", "hello")]);
    let (build, record) = built(&house).await;
    assert_eq!((build.branch.as_ref().map(ToString::to_string), &build.trigger), (Some("main".into()), &Trigger::Hand));
    assert_eq!(build.builder.as_deref(), Some("This engine"));
    assert_eq!(record.recipe, RecipeKind::Repository);

    let digest = build.digest.clone().expect("a digest");
    let index = manifest(&house, &build, digest.as_str()).await;
    let entries = index["manifests"].as_array().expect("an index");
    let children: Vec<_> = entries.iter().filter(|entry| entry["platform"]["os"] == "linux").collect();
    assert_eq!((children.len(), record.platforms.len()), (2, 2), "{record:?}");
    for (child, image) in children.into_iter().zip(&record.platforms) {
        assert_eq!(child["digest"], image.digest.as_str());
        assert_eq!(
            image.platform.to_string(),
            format!("linux/{}", child["platform"]["architecture"].as_str().expect("text"))
        );
        assert_eq!(size_of(&manifest(&house, &build, image.digest.as_str()).await), image.bytes);
    }

    // What was pushed with it can be read without the registry.
    assert_eq!(record.attestations.len(), 2, "{record:?}");
    for (position, attestation) in record.attestations.iter().enumerate() {
        assert_eq!((attestation.kind(), &attestation.platform), ("Provenance", &record.platforms[position].platform));
        let statement = house.builds.statement(&house.actor, &build.id, position).await.expect("an answer");
        let statement = statement.expect("it is kept");
        assert_eq!(statement.len() as u64, attestation.bytes);
        let statement: serde_json::Value = serde_json::from_str(&statement).expect("JSON");
        assert_eq!(statement["predicateType"], attestation.predicate);
        assert_eq!(statement["subject"][0]["digest"]["sha256"], record.platforms[position].digest.as_str()[7..]);
    }
    let none = house.builds.statement(&house.actor, &build.id, 2).await;
    assert!(matches!(none, Err(AppError::NotFound(_))), "{none:?}");
}

#[tokio::test]
async fn an_image_without_an_index_is_known_too_and_the_cache_says_what_it_saved() {
    let Some(house) = House::ready().await else { return };
    let text = house.dockerfile("COPY file /file\nRUN sleep 1; \\\n\n  cat /file");
    house.commit("One", &[("Dockerfile", &text), ("file", house.service.as_str())]);
    let (first, record) = built(&house).await;
    let image = &record.platforms[0];
    assert_eq!((record.platforms.len(), image.platform.as_str()), (1, "linux/amd64"));
    assert_eq!(Some(&image.digest), first.digest.as_ref());
    assert_eq!(size_of(&manifest(&house, &first, image.digest.as_str()).await), image.bytes);
    assert_eq!((record.steps, record.cached, record.saved), (2, 0, None));
    assert!(record.attestations.is_empty());
    let took = |part| record.parts.iter().find(|time| time.part == part).map_or(0, |time| time.millis);
    assert!(took(BuildPart::Steps) >= 1_000 && took(BuildPart::Push) > 0, "{:?}", record.parts);
    // A real warning of this BuildKit.
    let warning = &record.warnings[0];
    assert!(warning.text.starts_with("Empty continuation line"), "{warning:?}");
    assert_eq!((warning.line, warning.url.as_deref().map(|url| &url[..8])), (Some(6), Some("https://")));

    let (_, record) = built(&house).await;
    assert_eq!((record.steps, record.cached, record.timed), (2, 2, 2));
    let saved = record.saved.expect("it is known");
    assert!((1_000..20_000).contains(&saved), "{saved}");
    let words = record.cache_words().expect("words");
    assert!(words.starts_with("The cache saved ") && words.ends_with("(2 of 2 steps)."), "{words}");

    // A step that is new runs; the others are still known, although they have other numbers now.
    let text = text.replace("COPY file", "RUN echo before\nCOPY file");
    house.commit("Two", &[("Dockerfile", &text)]);
    let (_, record) = built(&house).await;
    assert_eq!((record.steps, record.cached, record.saved), (3, 0, None), "{record:?}");
    let (_, record) = built(&house).await;
    assert_eq!((record.steps, record.cached, record.timed), (3, 3, 3));
}

#[tokio::test]
async fn a_build_that_fails_has_a_record_too() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN true\nRUN exit 7"))]);
    let id = house.start().await;
    house.fails(&id).await;
    let record = house.get(&id).await.record.expect("a record");
    assert_eq!((record.steps, record.cached), (2, 0));
    assert!(record.platforms.is_empty());
}

#[tokio::test]
async fn a_bill_of_materials_without_its_generator_is_a_clear_problem() {
    let Some(house) = House::ready().await else { return };
    house.change(|facts| facts.source.build.sbom = true);
    house.commit("One", &[("Dockerfile", &house.dockerfile("COPY file /file")), ("file", house.service.as_str())]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "build.sbom");
    assert!(problem.cause.contains("bill of materials"), "{problem:?}");
}
