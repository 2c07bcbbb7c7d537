//! ACR: the catalog for those who may, `/acr/v1` for tags, and tokens that may see little.

use super::script::{Heard, Reply, Server};
use super::{access, basic, cannot, digest, names, nowhere, repositories, tags};
use app::model::provider::Provider::Acr;

/// Tokens by user: the scope that was asked for decides what they open.
fn azure(heard: &Heard) -> Reply {
    let token = heard.authorization().and_then(|value| value.strip_prefix("Bearer "));
    let ask = |scope: &str| {
        Reply::challenge(&[&format!(
            r#"Bearer realm="/oauth2/token",service="shop.azurecr.io",scope="{scope}",error="insufficient_scope""#
        )])
    };
    match (heard.path(), token) {
        ("/oauth2/token", _) => {
            let user = ["admin", "scoped", "blind"].into_iter().find(|user| heard.authorization() == Some(basic(user).as_str()));
            let Some(user) = user else { return Reply::json(401, "{}") };
            let scope = heard.target.split("scope=").nth(1).unwrap_or_default().split('&').next().unwrap_or_default();
            let scope = scope.replace("%3A", "-").replace("%2F", "-").replace('*', "all").replace("%2A", "all");
            Reply::json(200, format!(r#"{{"access_token":"{user}-{scope}"}}"#))
        }
        ("/v2/_catalog", Some("admin-registry-catalog-all")) if heard.target.contains("last=") => {
            Reply::json(200, r#"{"repositories":["web"]}"#)
        }
        ("/v2/_catalog", Some("admin-registry-catalog-all")) => Reply::json(200, r#"{"repositories":["api","team/x"]}"#)
            .with("link", r#"</v2/_catalog?last=team%2Fx&n=2&orderby=>; rel="next""#),
        ("/v2/_catalog", Some("blind-registry-catalog-all")) => Reply::json(200, r#"{"repositories":[]}"#),
        ("/v2/_catalog", _) => ask("registry:catalog:*"),
        ("/acr/v1/team/x/_tags", Some("admin-repository-team-x-metadata_read")) if heard.target.contains("last=") => {
            Reply::json(200, r#"{"tags":[{"name":"old"}]}"#)
        }
        ("/acr/v1/team/x/_tags", Some("admin-repository-team-x-metadata_read")) => Reply::json(
            200,
            format!(
                r#"{{"registry":"r","imageName":"team/x","tags":[
                {{"name":"2","digest":"{}","createdTime":"2020-01-01T00:00:00Z","lastUpdateTime":"2026-11-24T10:00:00.4589423Z","signed":false}}]}}"#,
                digest("a")
            ),
        )
        .with("link", r#"</acr/v1/team/x/_tags?last=2&n=100&orderby=timedesc>; rel="next""#),
        ("/acr/v1/team/x/_tags", _) => ask("repository:team/x:metadata_read"),
        ("/v2/team/x/tags/list", Some("scoped-repository-team-x-pull")) => Reply::json(200, r#"{"tags":["2","old"]}"#),
        ("/v2/team/x/tags/list", _) => ask("repository:team/x:pull"),
        _ => Reply::json(404, "{}"),
    }
}

#[tokio::test]
async fn an_administrator_lists_and_reads_dates() {
    let server = Server::start(azure).await;
    let found = repositories(&nowhere(), Acr, &access(&server, "admin"), &[]).await.expect("a list");
    assert_eq!(found, ["api", "team/x", "web"]);
    let found = tags(&nowhere(), Acr, &access(&server, "admin"), "team/x").await.expect("tags");
    assert_eq!(names(&found), ["2", "old"]);
    assert_eq!(found[0].at, Some(1_795_514_400));
    assert_eq!(found[0].digest.as_ref().map(ToString::to_string), Some(digest("a")));
    let with_password: Vec<_> =
        server.heard().into_iter().filter(|heard| heard.authorization() == Some(basic("admin").as_str())).collect();
    assert!(with_password.iter().all(|heard| heard.path() == "/oauth2/token"), "{with_password:?}");
}

#[tokio::test]
async fn a_token_with_a_scope_map_falls_back_to_names() {
    let server = Server::start(azure).await;
    let why = cannot(repositories(&nowhere(), Acr, &access(&server, "scoped"), &[]).await);
    assert!(why.contains("scope map"), "{why}");
    let found = tags(&nowhere(), Acr, &access(&server, "scoped"), "team/x").await.expect("tags");
    assert_eq!(names(&found), ["2", "old"]);
    let why = cannot(repositories(&nowhere(), Acr, &access(&server, "blind"), &[]).await);
    assert!(why.contains("no repositories"), "an empty list isn't shown as one: {why}");
}
