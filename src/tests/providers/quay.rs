//! Quay: a token service that takes no `registry:` scopes, a catalog with absolute, encrypted cursors, OAuth tokens.

use super::script::{Heard, Reply, Server};
use super::{access, basic, cannot, named, names, nowhere, repositories, tags};
use app::model::provider::Provider::Quay;
use slipway::oci::Access;

fn quay(heard: &Heard) -> Reply {
    let token = heard.authorization().and_then(|value| value.strip_prefix("Bearer "));
    match (heard.path(), token) {
        ("/v2/auth", _) if heard.target.contains("scope=registry") => {
            Reply::json(400, r#"{"error":"Unable to decode repository and actions: registry:catalog:*"}"#)
        }
        ("/v2/auth", _) if heard.authorization() == Some(basic("acme+ci").as_str()) => {
            Reply::json(200, r#"{"token":"robots"}"#)
        }
        ("/v2/auth", _) if heard.authorization() == Some(basic("acme+blind").as_str()) => {
            Reply::json(200, r#"{"token":"blind"}"#)
        }
        ("/v2/auth", _) => Reply::json(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"bad"}]}"#),
        ("/v2/_catalog", Some("robots")) if heard.target.contains("next_page=gAAA%3D") => {
            Reply::json(200, r#"{"repositories":["other/tool"]}"#)
        }
        // Not in the order of names; an absolute address on another host, whose path and query count alone.
        ("/v2/_catalog", Some("robots")) => Reply::json(200, r#"{"repositories":["acme/web","acme/api"]}"#)
            .with("link", r#"<https://quay.example.com/v2/_catalog?n=100&next_page=gAAA%3D>; rel="next""#),
        ("/v2/_catalog", Some("blind")) => Reply::json(200, r#"{"repositories":[]}"#),
        ("/v2/acme/web/tags/list", Some("robots")) => Reply::json(200, r#"{"name":"acme/web","tags":["v1"]}"#),
        ("/api/v1/repository", Some("oauth-canary")) => match heard.target.split_once('?').map(|(_, query)| query) {
            Some("namespace=acme") => Reply::json(
                200,
                r#"{"repositories":[{"namespace":"acme","name":"web","description":"The web","is_public":false}],"next_page":"g+/="}"#,
            ),
            Some("namespace=acme&next_page=g%2B%2F%3D") => {
                Reply::json(200, r#"{"repositories":[{"namespace":"acme","name":"api","description":null}]}"#)
            }
            _ => Reply::json(403, r#"{"error_message":"Unauthorized"}"#),
        },
        _ => Reply::challenge(&[r#"Bearer realm="/v2/auth",service="quay.example.com""#]),
    }
}

#[tokio::test]
async fn a_robot_lists_through_the_catalog_whatever_scopes_the_sign_in_takes() {
    let server = Server::start(quay).await;
    let robot = access(&server, "acme+ci");
    let found = repositories(&nowhere(), Quay, &robot, &[]).await.expect("a list");
    assert_eq!(found, ["acme/web", "acme/api", "other/tool"]);
    let found = repositories(&nowhere(), Quay, &robot, &named(&["Acme"])).await.expect("a list");
    assert_eq!(found, ["acme/web", "acme/api"]);
    assert!(!server.targets().iter().any(|target| target.starts_with("/api/")), "robots work for the registry alone");
    let found = tags(&nowhere(), Quay, &robot, "acme/web").await.expect("tags");
    assert_eq!(names(&found), ["v1"]);
}

#[tokio::test]
async fn an_oauth_token_lists_a_namespace() {
    let server = Server::start(quay).await;
    let mut oauth = access(&server, "$oauthtoken");
    oauth.login.as_mut().expect("a login").password = app::model::secret::Secret::new("oauth-canary".into());
    let found = repositories(&nowhere(), Quay, &oauth, &named(&["acme"])).await.expect("a list");
    assert_eq!(found, ["acme/web", "acme/api"]);
    let why = cannot(repositories(&nowhere(), Quay, &oauth, &named(&["other"])).await);
    assert!(why.contains("Quay doesn't list"), "{why}");
}

#[tokio::test]
async fn nothing_to_see_is_a_sentence() {
    let server = Server::start(quay).await;
    let why = cannot(repositories(&nowhere(), Quay, &access(&server, "acme+blind"), &[]).await);
    assert!(why.contains("no repositories"), "{why}");
    let nobody = Access { login: None, ..access(&server, "x") };
    cannot(repositories(&nowhere(), Quay, &nobody, &[]).await);
}
