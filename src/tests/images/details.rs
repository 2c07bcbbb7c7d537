//! What stands behind a tag: a real image in the lab's registry, and answers that lie.

use super::House;
use crate::lab::Lab;
use crate::liar::{Heard, Liar, Reply};
use app::api::images::{ImagesApi as _, Place};
use app::error::AppError;
use app::model::id::CredentialId;
use app::model::image::{Fit, Image, RunsIn};
use app::model::platform::Platform;
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use slipway::images::Swarm;
use std::collections::BTreeMap;
use std::sync::Arc;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A Swarm of one kind of node, in which one service runs.
struct Nodes(&'static str, Vec<RunsIn>);

#[async_trait]
impl Swarm for Nodes {
    async fn running(&self) -> Result<Vec<RunsIn>, AppError> {
        Ok(self.1.clone())
    }

    fn platforms(&self) -> Vec<Platform> {
        vec![self.0.parse().expect("a platform")]
    }
}

#[tokio::test]
async fn a_real_image_for_two_platforms_is_read_in_full() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path()).await;
    house.images.set_swarm(Arc::new(Nodes("linux/arm64", Vec::new())));
    let id = house.credential("Lab", &lab.url().to_string(), &lab.username, &lab.password).await;
    let base = Place {
        credential: Some(id),
        host: lab.registry.parse().expect("a host"),
        repository: "base".parse().expect("a repository"),
    };
    let unknown = house.images.image(&house.actor, &base, "1", false).await.expect("an answer");
    assert_eq!(unknown, None, "nothing is asked");
    let image = house.images.image(&house.actor, &base, "1", true).await.expect("an answer").expect("there");
    let platforms: Vec<&str> = image.platforms.iter().flat_map(|it| &it.platform).map(Platform::as_str).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/amd64"], "what the nodes run comes first");
    for platform in &image.platforms {
        let layers: u64 = platform.layers.iter().map(|layer| layer.size).sum();
        assert!(platform.size > layers && layers > 0, "{platform:?}");
        let config = platform.config.as_ref().expect("read");
        assert!(!config.history.is_empty() && config.env_names.iter().all(|name| !name.contains('=')), "{config:?}");
    }
    let digest = image.reference.digest.clone().expect("a digest");
    assert_eq!(image.reference.to_string(), format!("{}/base:1@{digest}", lab.registry));
    assert_eq!(house.images.fit(&house.actor, &image).await, Ok(Fit::All));

    // Now it is known, by tag and by digest.
    let known = house.images.image(&house.actor, &base, "1", false).await.expect("an answer");
    assert_eq!(known.as_ref(), Some(&image));
    let known = house.images.image(&house.actor, &base, digest.as_str(), false).await.expect("an answer");
    assert_eq!(known.map(|image| image.platforms), Some(image.platforms));
    let none = house.images.image(&house.actor, &base, "no-such-tag", true).await.expect("an answer");
    assert_eq!(none, None);
    house.close().await;
}

/// A registry of documents by digest and tag.
#[derive(Default)]
struct Shelf {
    manifests: BTreeMap<String, (&'static str, String)>,
    blobs: BTreeMap<String, String>,
}

fn digest(text: &str) -> String {
    let hex: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl Shelf {
    fn manifest(&mut self, kind: &'static str, text: String) -> String {
        let digest = digest(&text);
        self.manifests.insert(digest.clone(), (kind, text));
        digest
    }

    fn blob(&mut self, text: &str) -> String {
        self.blobs.insert(digest(text), text.to_owned());
        digest(text)
    }

    /// An image without layers.
    fn image(&mut self, config: &str) -> String {
        let config = self.blob(config);
        self.manifest(
            MANIFEST,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":10}},"layers":[]}}"#
            ),
        )
    }

    fn tag(&mut self, tag: &str, digest: &str) {
        let manifest = self.manifests[digest].clone();
        self.manifests.insert(tag.to_owned(), manifest);
    }

    async fn open(self) -> Liar {
        Liar::start(move |heard: &Heard| {
            if heard.authorization().is_none() {
                return Reply::challenge(&[r#"Basic realm="shelf""#]);
            }
            let path = heard.path().to_owned();
            let name = path.rsplit('/').next().unwrap_or_default();
            if path.contains("/manifests/") {
                return match self.manifests.get(name) {
                    Some((kind, text)) => {
                        Reply::Answer(200, vec![("content-type", (*kind).to_owned())], text.clone().into_bytes())
                            .with("docker-content-digest", digest(text))
                    }
                    None => Reply::json(404, "{}"),
                };
            }
            match self.blobs.get(name) {
                Some(text) if path.contains("/blobs/") => Reply::json(200, text),
                _ if path == "/v2/" => Reply::json(200, "{}"),
                _ => Reply::json(404, "{}"),
            }
        })
        .await
    }
}

async fn look(shelf: Shelf, tag: &str) -> (Result<Option<Image>, AppError>, Vec<String>) {
    let liar = shelf.open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path()).await;
    let id: CredentialId = house.credential("Liar", &liar.url().to_string(), "deploy", "secret").await;
    let place = Place {
        credential: Some(id),
        host: liar.host().parse().expect("a host"),
        repository: "shop/web".parse().expect("a repository"),
    };
    let outcome = house.images.image(&house.actor, &place, tag, true).await;
    let asked = liar.heard().into_iter().map(|heard| format!("{} {}", heard.method, heard.path())).collect();
    house.close().await;
    (outcome, asked)
}

fn problem(outcome: Result<Option<Image>, AppError>) -> app::error::Problem {
    match outcome {
        Err(AppError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    }
}

#[tokio::test]
async fn a_configuration_that_isnt_the_one_of_its_digest_is_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image(r#"{"os":"linux","architecture":"amd64"}"#);
    shelf.tag("1", &image);
    for text in shelf.blobs.values_mut() {
        *text = r#"{"os":"linux","architecture":"arm64"}"#.to_owned();
    }
    let problem = problem(look(shelf, "1").await.0);
    assert!(problem.cause.contains("digest") || problem.cause.contains("bytes"), "{problem}");
}

#[tokio::test]
async fn an_index_with_attestations_within_an_index_is_flattened() {
    let mut shelf = Shelf::default();
    let amd64 = shelf.image(r#"{"os":"linux","architecture":"amd64","created":"2026-01-02T03:04:05Z"}"#);
    let layer = format!(
        r#"{{"mediaType":"application/vnd.in-toto+json","digest":"{}","size":77,"annotations":{{"in-toto.io/predicate-type":"https://slsa.dev/provenance/v1"}}}}"#,
        digest("statement")
    );
    let attestation =
        shelf.manifest(MANIFEST, format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","layers":[{layer}]}}"#));
    let entry = |digest: &str, kind: &str, rest: &str| {
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":5,{rest}}}"#)
    };
    let inner = entry(&amd64, MANIFEST, r#""platform":{"os":"linux","architecture":"amd64"}"#);
    let inner = shelf.manifest(INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{inner}]}}"#));
    let about = format!(
        r#""platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{amd64}"}}"#
    );
    let missing = digest("only named");
    let entries = [
        entry(&inner, INDEX, r#""annotations":{}"#),
        entry(&attestation, MANIFEST, &about),
        entry(&missing, MANIFEST, r#""platform":{"os":"linux","architecture":"arm","variant":"v7"}"#),
    ];
    let top = shelf.manifest(
        INDEX,
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}],"annotations":{{"a":"b\u202e"}}}}"#,
            entries.join(",")
        ),
    );
    shelf.tag("1", &top);
    let (outcome, asked) = look(shelf, "1").await;
    let image = outcome.expect("an answer").expect("there");
    let platforms: Vec<&str> = image.platforms.iter().flat_map(|it| &it.platform).map(Platform::as_str).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm/v7"]);
    assert_eq!(image.platforms[0].config.as_ref().and_then(|config| config.created), Some(1_767_323_045));
    assert!(image.platforms[1].config.is_none(), "its registry doesn't have it");
    assert_eq!(image.attestations.len(), 1);
    assert_eq!(image.attestations[0].kinds, ["https://slsa.dev/provenance/v1"]);
    assert_eq!(image.attestations[0].about.as_ref().map(|digest| digest.as_str()), Some(amd64.as_str()));
    assert_eq!(image.annotations, [("a".to_owned(), "b".to_owned())]);
    // The tag is asked about by HEAD, everything is read by digest.
    assert!(asked.contains(&"HEAD /v2/shop/web/manifests/1".to_owned()), "{asked:?}");
    assert!(!asked.contains(&"GET /v2/shop/web/manifests/1".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn indexes_that_never_end_and_documents_of_two_minds_are_refused() {
    let mut shelf = Shelf::default();
    let mut inner = shelf.image("{}");
    let mut kind = MANIFEST;
    for depth in 0..5 {
        let entry = format!(r#"{{"mediaType":"{kind}","digest":"{inner}","size":{depth}}}"#);
        inner = shelf.manifest(INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entry}]}}"#));
        kind = INDEX;
    }
    shelf.tag("deep", &inner);
    let deep = problem(look(shelf, "deep").await.0);
    assert!(deep.cause.contains("indexes in indexes"), "{deep}");

    let mut shelf = Shelf::default();
    let both = shelf.manifest(MANIFEST, r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#.to_owned());
    shelf.tag("both", &both);
    let (outcome, _) = look(shelf, "both").await;
    problem(outcome);
}

#[tokio::test]
async fn services_that_run_an_image_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = crate::crowd::Crowd::with(&["shop/web", "shop/worker"]).await;
    let mut house = House::open(folder.path()).await;
    let runs = RunsIn {
        service: app::model::id::ServiceId::from_random([7; 8]),
        name: "shop".into(),
        image: format!("{}/shop/web:latest", crowd.host()).parse().expect("a reference"),
    };
    house.images.set_swarm(Arc::new(Nodes("linux/amd64", vec![runs.clone()])));
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.watch();
    house.until_complete().await;
    let found = house.search("shop").await;
    assert_eq!(found.hits.iter().map(|hit| hit.runs_in.len()).collect::<Vec<_>>(), [1, 0]);
    let web = super::place(Some(&id), &crowd, "shop/web");
    let tags = house.images.tags(&house.actor, &web, &Default::default(), true).await.expect("an answer");
    assert_eq!(tags.tags.iter().map(|line| line.runs_in.as_slice()).collect::<Vec<_>>(), [&[runs][..], &[]]);
    house.close().await;
}
