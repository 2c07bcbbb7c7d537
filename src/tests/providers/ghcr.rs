//! GHCR: the registry without a catalog, and GitHub's REST interface.

use super::script::{Heard, Reply, Server};
use super::{PASSWORD, access, cannot, named, names, nowhere, repositories, tags};
use app::model::provider::Provider::Ghcr;
use slipway::oci::Access;
use slipway::providers::{Endpoints, ListError};

fn bearer() -> String {
    // As bytes: header values may hold more than ASCII.
    format!("Bearer {TOKEN}")
}

const TOKEN: &str = "ghp_classicCanary";

fn github(heard: &Heard) -> Reply {
    let query = "package_type=container&per_page=100";
    if heard.authorization() == Some("Bearer github_pat_fine") {
        return Reply::json(403, r#"{"message":"Resource not accessible by personal access token","status":"403"}"#);
    }
    if heard.authorization() != Some(bearer().as_str()) {
        return Reply::json(401, r#"{"message":"Requires authentication"}"#);
    }
    let (path, page) = (heard.path(), heard.target.rsplit("page=").next().unwrap_or_default());
    assert!(heard.target.contains(query), "{}", heard.target);
    match (path, page) {
        // Several relations in one header, absolute addresses on a host that isn't asked.
        ("/user/packages", "1") => Reply::json(
            200,
            r#"[{"name":"web","package_type":"container","owner":{"login":"Octo"},"repository":{"description":"The web"}},
                {"name":"tools/Lint","owner":{"login":"Octo"}}]"#,
        )
        .with(
            "link",
            r#"<https://api.github.com/user/packages?page=2>; rel="next", <https://api.github.com/user/packages?page=9>; rel="last""#,
        ),
        ("/user/packages", "2") => Reply::json(200, r#"[{"name":"api","owner":{"login":"Octo"}}]"#)
            .with("link", r#"<https://api.github.com/user/packages?page=1>; rel="prev""#),
        ("/orgs/acme/packages", "1") => Reply::json(200, r#"[{"name":"shop"}]"#),
        ("/users/jo/packages", "1") => Reply::json(200, r#"[{"name":"blog","owner":{"login":"jo"}}]"#),
        ("/orgs/empty/packages", _) => Reply::json(200, "[]").with("link", r#"</orgs/empty/packages>; rel="next""#),
        ("/orgs/limited/packages", _) => {
            Reply::json(403, r#"{"message":"API rate limit exceeded"}"#).with("x-ratelimit-remaining", "0").with("retry-after", "31")
        }
        ("/orgs/broken/packages", _) => Reply::html(502),
        _ => Reply::json(404, r#"{"message":"Not Found"}"#),
    }
}

fn registry(heard: &Heard) -> Reply {
    match (heard.path(), heard.authorization()) {
        ("/token", Some(_)) => Reply::json(200, r#"{"token":"registrys"}"#),
        ("/v2/octo/web/tags/list", Some("Bearer registrys")) if !heard.target.contains("last=") => {
            Reply::json(200, r#"{"name":"octo/web","tags":["1","2"]}"#)
                .with("link", r#"</v2/octo/web/tags/list?last=2&n=1000>; rel="next""#)
        }
        ("/v2/octo/web/tags/list", Some("Bearer registrys")) => Reply::json(200, r#"{"tags":null}"#),
        _ => Reply::challenge(&[r#"Bearer realm="/token",service="ghcr.io",scope="repository:octo/web:pull""#]),
    }
}

async fn world() -> (Server, Server, Endpoints) {
    let (registry, github) = (Server::start(registry).await, Server::start(github).await);
    let endpoints = Endpoints { github: github.origin(), ..nowhere() };
    (registry, github, endpoints)
}

fn with_token(registry: &Server, user: &str, token: &str) -> Access {
    let mut access = access(registry, user);
    access.login.as_mut().expect("a login").password = app::model::secret::Secret::new(token.into());
    access
}

#[tokio::test]
async fn packages_are_listed_by_owner_whoever_that_is() {
    let (registry, github, endpoints) = world().await;
    let octo = with_token(&registry, "octo", TOKEN);
    let own = repositories(&endpoints, Ghcr, &octo, &[]).await.expect("a list");
    assert_eq!(own, ["octo/web", "octo/tools/lint", "octo/api"]);
    let all = repositories(&endpoints, Ghcr, &octo, &named(&["acme", "jo", "empty"])).await.expect("a list");
    assert_eq!(all, ["acme/shop", "jo/blog"]);
    assert!(registry.heard().is_empty(), "the registry has no part in lists");
    assert!(github.heard().iter().all(|heard| heard.authorization() == Some(bearer().as_str())));
    assert!(github.heard().iter().all(|heard| heard.header("x-github-api-version").is_some()));
}

#[tokio::test]
async fn a_token_of_the_wrong_kind_is_told_what_kind_it_takes() {
    let (registry, _github, endpoints) = world().await;
    for (token, owners) in [("github_pat_fine", vec!["acme"]), ("github_pat_fine", vec![]), ("ghp_revoked", vec![])] {
        let owners = named(&owners);
        let why = cannot(repositories(&endpoints, Ghcr, &with_token(&registry, "octo", token), &owners).await);
        assert!(why.contains("classic token with read:packages"), "{why}");
    }
    let octo = with_token(&registry, "octo", TOKEN);
    let why = cannot(repositories(&endpoints, Ghcr, &octo, &named(&["nobody"])).await);
    assert!(why.contains("no such owner"), "{why}");
    let why = cannot(repositories(&endpoints, Ghcr, &octo, &named(&["empty"])).await);
    assert!(why.contains("no container packages"), "an empty list isn't shown as one: {why}");
    let nobody = Access { login: None, ..octo };
    cannot(repositories(&endpoints, Ghcr, &nobody, &named(&["acme"])).await);
}

#[tokio::test]
async fn limits_wait_and_faults_fail() {
    let (registry, _github, endpoints) = world().await;
    let octo = with_token(&registry, "octo", TOKEN);
    let limited = repositories(&endpoints, Ghcr, &octo, &named(&["limited"])).await;
    assert!(matches!(limited, Err(ListError::Wait(31))), "{limited:?}");
    let broken = repositories(&endpoints, Ghcr, &octo, &named(&["broken"])).await;
    assert!(matches!(broken, Err(ListError::Failed(_))), "{broken:?}");
}

#[tokio::test]
async fn a_token_for_another_host_isnt_sent_to_github() {
    let (registry, github, endpoints) = world().await;
    let mut elsewhere = with_token(&registry, "octo", TOKEN);
    elsewhere.url = "https://ghrc.example".parse().expect("an address");
    let why = cannot(repositories(&endpoints, Ghcr, &elsewhere, &[]).await);
    assert!(why.contains("isn't sent"), "{why}");
    assert!(github.heard().is_empty());
}

#[tokio::test]
async fn tags_come_from_the_registry() {
    let (registry, github, endpoints) = world().await;
    let found = tags(&endpoints, Ghcr, &access(&registry, "octo"), "octo/web").await.expect("tags");
    assert_eq!(names(&found), ["1", "2"]);
    assert!(github.heard().is_empty() && !registry.heard_of(PASSWORD), "the password goes as Basic, to its realm");
}
