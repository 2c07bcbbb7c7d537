//! Gitea and Forgejo: two challenges at once, a `Link` that never ends, one row for each version.

use super::script::{Heard, Reply, Server};
use super::{access, basic, cannot, named, names, nowhere, providers, repositories, tags};
use app::model::provider::Provider::Gitea;
use slipway::providers::Asker;

fn gitea(heard: &Heard) -> Reply {
    let is_jo = heard.authorization() == Some(basic("Jo").as_str());
    let is_blind = heard.authorization() == Some(basic("blind").as_str());
    match (heard.target.as_str(), heard.authorization()) {
        (target, _) if target.starts_with("/v2/token") && is_jo => Reply::json(200, r#"{"token":"jos"}"#),
        (target, _) if target.starts_with("/v2/token") && is_blind => Reply::json(200, r#"{"token":"blinds"}"#),
        ("/v2/_catalog?n=1000", Some("Bearer jos")) => Reply::json(200, r#"{"repositories":["jo/web","acme/api"]}"#)
            .with("link", r#"</v2/_catalog?last=acme%2Fapi&n=1000>; rel="next""#),
        // The page after the last, which names a next one again.
        (target, Some("Bearer jos")) if target.starts_with("/v2/_catalog?last=") => {
            Reply::json(200, r#"{"repositories":[]}"#).with("link", r#"</v2/_catalog?last=zz&n=1000>; rel="next""#)
        }
        ("/v2/_catalog?n=1000", Some("Bearer blinds")) => Reply::json(200, r#"{"repositories":null}"#),
        ("/v2/jo/web/tags/list?n=1000", Some("Bearer jos")) => Reply::json(200, r#"{"name":"jo/web","tags":["1"]}"#)
            .with("link", r#"</v2/jo/web/tags/list?last=1&n=1000>; rel="next""#),
        (target, Some("Bearer jos")) if target.starts_with("/v2/jo/web/tags/list?last=1") => {
            Reply::json(200, r#"{"name":"jo/web","tags":null}"#)
        }
        ("/api/v1/packages/acme?type=container&page=1&limit=50", Some(_)) if is_jo => Reply::json(
            200,
            r#"[{"name":"api","type":"container","version":"1","owner":{"login":"Acme"}},
                {"name":"api","version":"sha256:x","owner":{"login":"Acme"}},
                {"name":"tools/lint","version":"2","owner":{"login":"Acme"}}]"#,
        )
        .with("x-total-count", "53")
        .with("link", r#"<http://forge.example/api/v1/packages/acme?page=2>; rel="next""#),
        ("/api/v1/packages/acme?type=container&page=2&limit=50", Some(_)) if is_jo => {
            Reply::json(200, "[]").with("link", r#"<http://forge.example/api/v1/packages/acme?page=3>; rel="next""#)
        }
        ("/api/v1/packages/Jo?type=container&q=we%20b&page=1&limit=50", Some(_)) if is_jo => {
            Reply::json(200, r#"[{"name":"web","version":"1"},{"name":"web","version":"2"}]"#)
        }
        (target, _) if target.starts_with("/api/v1/") => {
            Reply::json(403, r#"{"message":"token does not have at least one of required scope(s): [read:package]"}"#)
        }
        _ => Reply::challenge(&[r#"Bearer realm="/v2/token""#, r#"Basic realm="Gitea Container Registry""#]),
    }
}

#[tokio::test]
async fn the_catalog_ends_where_it_is_empty() {
    let server = Server::start(gitea).await;
    let jo = access(&server, "Jo");
    assert_eq!(repositories(&nowhere(), Gitea, &jo, &[]).await.expect("a list"), ["jo/web", "acme/api"]);
    assert_eq!(names(&tags(&nowhere(), Gitea, &jo, "jo/web").await.expect("tags")), ["1"]);
    let why = cannot(repositories(&nowhere(), Gitea, &access(&server, "blind"), &[]).await);
    assert!(why.contains("no container packages"), "{why}");
}

#[tokio::test]
async fn packages_of_an_owner_are_one_row_each() {
    let server = Server::start(gitea).await;
    let jo = access(&server, "Jo");
    let found = repositories(&nowhere(), Gitea, &jo, &named(&["acme"])).await.expect("a list");
    assert_eq!(found, ["acme/api", "acme/tools/lint"]);
    assert!(server.heard().iter().all(|heard| heard.authorization() == Some(basic("Jo").as_str())));
    let why = cannot(repositories(&nowhere(), Gitea, &access(&server, "blind"), &named(&["acme"])).await);
    assert!(why.contains("read:package"), "{why}");
}

#[tokio::test]
async fn its_search_asks_for_the_users_packages() {
    let server = Server::start(gitea).await;
    let access = access(&server, "Jo");
    let asker = Asker { access: &access, namespaces: &[] };
    let found = providers(&nowhere()).of(Gitea).search(asker, "we b").await.expect("an answer").expect("a search");
    let found: Vec<_> = found.iter().map(|hit| hit.name.as_str()).collect();
    assert_eq!(found, ["jo/web"]);
}
