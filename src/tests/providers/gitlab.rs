//! GitLab: a registry that names GitLab as its sign-in service, and GitLab's REST interface there.

use super::script::{Heard, Reply, Server};
use super::{access, cannot, named, names, nowhere, repositories, tags};
use app::model::provider::Provider::Gitlab;
use app::model::secret::Secret;
use slipway::oci::{Access, OciError};
use slipway::providers::ListError;

const TOKEN: &str = "glpat-canary";

/// GitLab: groups and projects to a token with `read_api`.
fn gitlab(heard: &Heard) -> Reply {
    if heard.path() == "/jwt/auth" {
        return Reply::json(200, r#"{"token":"registrys"}"#);
    }
    assert_eq!(heard.authorization(), None, "{}", heard.target);
    if heard.header("private-token") != Some(TOKEN) {
        return Reply::json(401, r#"{"message":"401 Unauthorized"}"#);
    }
    match heard.target.as_str() {
        "/api/v4/groups/acme/registry/repositories?per_page=100&page=1" => Reply::json(
            200,
            r#"[{"id":1,"name":"","path":"acme/shop","location":"evil.example/acme/shop"},
                {"id":2,"name":"api","path":"acme/shop/api","tags_count":3}]"#,
        )
        .with("link", r#"<https://gitlab.example.com/api/v4/groups/1/registry/repositories?page=2>; rel="next""#),
        "/api/v4/groups/acme/registry/repositories?per_page=100&page=2" => {
            Reply::json(200, r#"[{"id":3,"path":"acme/site"}]"#)
        }
        "/api/v4/projects/jo%2Fblog/registry/repositories?per_page=100&page=1" => {
            Reply::json(200, r#"[{"id":4,"path":"jo/blog/web"}]"#)
        }
        "/api/v4/groups?top_level_only=true&min_access_level=20&per_page=100" => {
            Reply::json(200, r#"[{"id":1,"path":"acme","full_path":"acme"},{"id":2,"full_path":"quiet"}]"#)
        }
        "/api/v4/groups/quiet/registry/repositories?per_page=100&page=1" => Reply::json(200, "[]"),
        _ => Reply::json(404, r#"{"message":"404 Group Not Found"}"#),
    }
}

fn registry(realm: &str, heard: &Heard) -> Reply {
    match (heard.path(), heard.authorization()) {
        ("/v2/_catalog", Some("Bearer registrys")) => {
            Reply::json(403, r#"{"errors":[{"code":"DENIED","message":"access forbidden"}]}"#)
        }
        ("/v2/acme/shop/tags/list", Some("Bearer registrys")) => Reply::json(200, r#"{"tags":["main"]}"#),
        _ => Reply::challenge(&[&format!(r#"Bearer realm="{realm}/jwt/auth",service="container_registry""#)]),
    }
}

async fn world() -> (Server, Server, Access) {
    let gitlab = Server::start(gitlab).await;
    let realm = gitlab.origin();
    let registry = Server::start(move |heard| registry(&realm, heard)).await;
    let mut access = access(&registry, "deploy");
    access.login.as_mut().expect("a login").password = Secret::new(TOKEN.into());
    // Over plain HTTP another port is another origin, which somebody has to approve.
    access.trust.realm = Some(gitlab.origin());
    (registry, gitlab, access)
}

#[tokio::test]
async fn groups_and_projects_are_listed_at_the_gitlab_that_the_registry_belongs_to() {
    let (registry, gitlab, access) = world().await;
    let found = repositories(&nowhere(), Gitlab, &access, &named(&["acme", "jo/blog", "quiet"])).await;
    assert_eq!(found.expect("a list"), ["acme/shop", "acme/shop/api", "acme/site", "jo/blog/web"]);
    assert!(!registry.heard_of(TOKEN), "the token has no business at the registry");
    assert!(gitlab.heard().iter().all(|heard| heard.header("private-token") == Some(TOKEN)));
}

#[tokio::test]
async fn without_names_the_owners_groups_are_listed() {
    let (_registry, _gitlab, access) = world().await;
    let found = repositories(&nowhere(), Gitlab, &access, &[]).await.expect("a list");
    assert_eq!(found, ["acme/shop", "acme/shop/api", "acme/site"]);
}

#[tokio::test]
async fn a_gitlab_that_nobody_approved_gets_no_token() {
    let (_registry, gitlab, mut access) = world().await;
    access.trust.realm = None;
    let outcome = repositories(&nowhere(), Gitlab, &access, &named(&["acme"])).await;
    assert!(matches!(outcome, Err(ListError::Failed(OciError::ForeignRealm { .. }))), "{outcome:?}");
    assert!(gitlab.heard().is_empty());
}

#[tokio::test]
async fn who_cant_list_reads_what_would_help() {
    let (_registry, _gitlab, mut access) = world().await;
    let why = cannot(repositories(&nowhere(), Gitlab, &access, &named(&["quiet"])).await);
    assert!(why.contains("shows this token no images"), "an empty list isn't shown as one: {why}");
    let why = cannot(repositories(&nowhere(), Gitlab, &access, &named(&["nobody"])).await);
    assert!(why.contains("read_api"), "{why}");
    access.login.as_mut().expect("a login").password = Secret::new("gldt-deploy".into());
    let why = cannot(repositories(&nowhere(), Gitlab, &access, &named(&["acme"])).await);
    assert!(why.contains("deploy tokens"), "{why}");
    let why = cannot(repositories(&nowhere(), Gitlab, &access, &[]).await);
    assert!(why.contains("by group or project") && why.contains("read_api"), "{why}");
}

#[tokio::test]
async fn tags_are_names_from_the_registry() {
    let (_registry, gitlab, access) = world().await;
    let found = tags(&nowhere(), Gitlab, &access, "acme/shop").await.expect("tags");
    assert_eq!(names(&found), ["main"]);
    assert!(gitlab.targets().iter().all(|target| target.starts_with("/jwt/auth")), "{:?}", gitlab.targets());
}
