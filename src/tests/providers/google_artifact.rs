//! Google Artifact Registry: an empty catalog that lies, and `tags/list` with what lies below.

use super::script::{Heard, Reply, Server};
use super::{access, cannot, digest, named, names, nowhere, repositories, tags};
use app::model::provider::Provider::GoogleArtifact;
use app::model::secret::Secret;
use slipway::oci::Access;

/// A service account's key as it is stored: many lines.
const KEY: &str =
    "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMII~?>\\n\"\n}\n";

fn google(heard: &Heard) -> Reply {
    use base64::Engine as _;
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("_json_key:{KEY}")));
    match (heard.path(), heard.authorization()) {
        ("/v2/token", Some(value)) if value == basic => Reply::json(200, r#"{"token":"registrys","expires_in":3600}"#),
        ("/v2/token", _) => Reply::json(401, "{}"),
        (_, None) => Reply::challenge(&[r#"Bearer realm="/v2/token",service="europe-docker.pkg.dev""#]),
        ("/v2/_catalog", _) => Reply::json(200, r#"{"repositories":[]}"#),
        ("/v2/my-project/apps/tags/list", _) => Reply::json(
            200,
            r#"{"child":["web","team","web","../x","a/b","CAPITAL"],"manifest":{},"name":"my-project/apps","tags":[]}"#,
        ),
        ("/v2/my-project/apps/web/tags/list", _) => Reply::json(
            200,
            format!(
                r#"{{"child":[],"name":"x","tags":["1.0","latest","loose","no tag"],"manifest":{{
                "{a}":{{"imageSizeBytes":"1234","mediaType":"m","tag":["1.0","latest"],"timeCreatedMs":"1","timeUploadedMs":"1795514400123"}},
                "{b}":{{"imageSizeBytes":"9","tag":[],"timeUploadedMs":"5"}},
                "rubbish":{{"imageSizeBytes":"many","tag":null,"timeUploadedMs":"0"}}}}}}"#,
                a = digest("a"),
                b = digest("b"),
            ),
        ),
        // A folder alone, and an image below it.
        ("/v2/my-project/apps/team/tags/list", _) => {
            Reply::json(200, r#"{"child":["api"],"tags":null,"manifest":null}"#)
        }
        ("/v2/my-project/apps/team/api/tags/list", _) => Reply::json(200, r#"{"tags":["7"]}"#),
        // Leads down for ever.
        (path, _) if path.starts_with("/v2/my-project/deep") => Reply::json(200, r#"{"child":["deep"],"tags":["1"]}"#),
        ("/v2/my-project/quiet/tags/list", _) => Reply::json(200, r#"{"child":[],"manifest":{},"tags":[]}"#),
        ("/v2/my-project/secret/tags/list", _) => Reply::json(
            403,
            r#"{"errors":[{"code":"DENIED","message":"Permission \"artifactregistry.repositories.downloadArtifacts\" denied"}]}"#,
        ),
        ("/v2/my-project/tags/list", _) => {
            Reply::json(400, r#"{"errors":[{"code":"NAME_INVALID","message":"Missing image name."}]}"#)
        }
        _ => Reply::json(404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"Repository \"x\" not found"}]}"#),
    }
}

async fn world() -> (Server, Access) {
    let server = Server::start(google).await;
    let mut access = access(&server, "_json_key");
    access.login.as_mut().expect("a login").password = Secret::new(KEY.into());
    (server, access)
}

#[tokio::test]
async fn the_walk_finds_images_below_a_repository() {
    let (server, access) = world().await;
    let found = repositories(&nowhere(), GoogleArtifact, &access, &named(&["my-project/apps"])).await.expect("a list");
    assert_eq!(found, ["my-project/apps/team/api", "my-project/apps/web"]);
    assert!(
        !server.targets().iter().any(|target| target.starts_with("/v2/_catalog")),
        "its empty catalog is never asked"
    );
    let places: Vec<_> = server.targets().into_iter().filter(|target| target.contains("..")).collect();
    assert!(places.is_empty(), "{places:?}");
}

#[tokio::test]
async fn a_walk_that_leads_down_for_ever_ends() {
    let (server, access) = world().await;
    let found = repositories(&nowhere(), GoogleArtifact, &access, &named(&["my-project/deep"])).await.expect("a list");
    assert!((5..20).contains(&found.len()), "{found:?}");
    assert!(server.heard().len() < 100);
}

#[tokio::test]
async fn an_empty_list_is_never_no_images() {
    let (_server, access) = world().await;
    let why = cannot(repositories(&nowhere(), GoogleArtifact, &access, &[]).await);
    assert!(why.contains("project/repository"), "{why}");
    let why = cannot(repositories(&nowhere(), GoogleArtifact, &access, &named(&["my-project/quiet"])).await);
    assert!(why.contains("no images"), "{why}");
    for refused in ["my-project/secret", "my-project/nope", "my-project"] {
        let why = cannot(repositories(&nowhere(), GoogleArtifact, &access, &named(&[refused])).await);
        assert!(why.contains("Artifact Registry Reader"), "{refused}: {why}");
    }
}

#[tokio::test]
async fn tags_have_digest_time_and_size_in_one_answer() {
    let (_server, access) = world().await;
    let found = tags(&nowhere(), GoogleArtifact, &access, "my-project/apps/web").await.expect("tags");
    assert_eq!(names(&found), ["1.0", "latest", "loose"]);
    assert_eq!(found[1].digest.as_ref().map(ToString::to_string), Some(digest("a")));
    assert_eq!((found[1].at, found[1].size), (Some(1_795_514_400), Some(1234)));
    assert_eq!((&found[2].digest, found[2].at), (&None, None));
}
