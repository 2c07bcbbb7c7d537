//! Docker Hub: two servers, the registry and its own interface.

use super::script::{Heard, Reply, Server};
use super::{PASSWORD, access, cannot, digest, named, names, nowhere, providers, repositories, tags};
use app::model::provider::Provider::DockerHub;
use slipway::oci::{Access, OciError};
use slipway::providers::{Endpoints, ListError};

const JWT: &str = "Bearer jwt.of.hub";

/// Docker Hub's interface: private repositories are shown to its own token alone.
fn hub(heard: &Heard) -> Reply {
    let is_signed_in = heard.authorization() == Some(JWT);
    match (heard.method.as_str(), heard.target.as_str()) {
        ("POST", "/v2/auth/token") if heard.body.contains("\"identifier\":\"deploy\"") => {
            Reply::json(200, r#"{"access_token":"jwt.of.hub"}"#)
        }
        ("POST", "/v2/auth/token") => Reply::json(401, r#"{"detail":"Incorrect authentication credentials"}"#),
        ("GET", "/v2/namespaces/deploy/repositories?page_size=100&page=1") if is_signed_in => Reply::json(
            200,
            r#"{"count":3,"next":"https://hub.docker.com/v2/namespaces/deploy/repositories?page=2","results":[
                {"name":"web","namespace":"deploy","description":"The shop\u202e","is_private":true},
                {"name":"Bad Name","namespace":"deploy"},
                {"name":"api","namespace":"deploy","description":null,"storage_size":5}]}"#,
        ),
        ("GET", "/v2/namespaces/deploy/repositories?page_size=100&page=2") if is_signed_in => {
            Reply::json(200, r#"{"count":3,"next":null,"results":[{"name":"worker","namespace":"deploy"}]}"#)
        }
        ("GET", "/v2/namespaces/acme/repositories?page_size=100&page=1") => {
            Reply::json(200, r#"{"count":1,"next":null,"results":[{"name":"site","namespace":"acme"}]}"#)
        }
        // Says that there is more, and then there isn't.
        ("GET", "/v2/namespaces/liar/repositories?page_size=100&page=1") => {
            Reply::json(200, r#"{"next":"x","results":[{"name":"only","namespace":"liar"}]}"#)
        }
        ("GET", "/v2/namespaces/deploy/repositories/web/tags?page_size=100&page=1") if is_signed_in => {
            let (a, b) = (digest("a"), digest("b"));
            Reply::json(
                200,
                format!(
                    r#"{{"next":"x","results":[
                    {{"name":"1.1","digest":"{a}","full_size":1234,"tag_last_pushed":"2026-11-24T10:00:00.5Z","last_updated":"2020-01-01T00:00:00Z"}},
                    {{"name":"1.0","digest":"{b}","full_size":0,"last_updated":"0001-01-01T00:00:00Z"}},
                    {{"name":"no tag","digest":"md5:x"}}]}}"#
                ),
            )
        }
        ("GET", "/v2/namespaces/busy/repositories?page_size=100&page=1") => {
            Reply::json(429, "{}").with("retry-after", "23")
        }
        ("GET", target) if target.starts_with("/v2/search/repositories/?query=redis%20x&") => Reply::json(
            200,
            r#"{"count":9,"results":[
                {"repo_name":"redis","short_description":"Redis is fast","is_official":true,"pull_count":5},
                {"repo_name":"bitnami/redis","short_description":""},
                {"repo_name":"","unknown":[]}]}"#,
        ),
        _ => Reply::json(404, r#"{"message":"object not found"}"#),
    }
}

/// The registry: no catalog, and tags to the right token.
fn registry(heard: &Heard) -> Reply {
    match (heard.method.as_str(), heard.path(), heard.authorization()) {
        (_, "/token", _) => Reply::json(200, r#"{"token":"registrys"}"#),
        ("HEAD", "/v2/ratelimitpreview/test/manifests/latest", Some("Bearer registrys")) => Reply::status(200)
            .with("ratelimit-limit", "100;w=21600")
            .with("ratelimit-remaining", "76;w=21600")
            .with("docker-ratelimit-source", "192.0.2.7"),
        ("GET", "/v2/deploy/old/tags/list", Some("Bearer registrys")) => {
            Reply::json(200, r#"{"name":"deploy/old","tags":["7"]}"#)
        }
        _ => Reply::challenge(&[r#"Bearer realm="/token",service="registry.docker.io""#]),
    }
}

async fn world() -> (Server, Server, Endpoints) {
    let (registry, hub) = (Server::start(registry).await, Server::start(hub).await);
    let endpoints = Endpoints { hub: hub.origin(), ..nowhere() };
    (registry, hub, endpoints)
}

#[tokio::test]
async fn owners_are_listed_with_the_interfaces_own_token() {
    let (registry, hub, endpoints) = world().await;
    let of_user = repositories(&endpoints, DockerHub, &access(&registry, "deploy"), &[]).await.expect("a list");
    assert_eq!(of_user, ["deploy/web", "deploy/api", "deploy/worker"]);
    let owners = named(&["deploy", "Acme", "liar"]);
    let of_owners = repositories(&endpoints, DockerHub, &access(&registry, "deploy"), &owners).await.expect("a list");
    assert_eq!(of_owners, ["deploy/web", "deploy/api", "deploy/worker", "acme/site", "liar/only"]);

    assert!(registry.heard().is_empty(), "the registry has no part in lists");
    for heard in hub.heard() {
        let is_sign_in = heard.path() == "/v2/auth/token";
        assert_eq!(heard.authorization(), if is_sign_in { None } else { Some(JWT) }, "{}", heard.target);
        let sent: Option<serde_json::Value> = serde_json::from_str(&heard.body).ok();
        let secret = sent.as_ref().and_then(|sent| sent["secret"].as_str());
        assert_eq!(secret, is_sign_in.then_some(PASSWORD), "the password goes to the sign-in alone");
    }
}

#[tokio::test]
async fn one_token_is_enough_for_many() {
    let (registry, hub, endpoints) = world().await;
    let providers = providers(&endpoints);
    let access = access(&registry, "deploy");
    let asks = (0..8).map(|_| async {
        let asker = slipway::providers::Asker { access: &access, namespaces: &[] };
        providers.of(DockerHub).repositories(asker, None).await.expect("a page").items.len()
    });
    assert_eq!(futures::future::join_all(asks).await, [2; 8]);
    let sign_ins = |server: &Server| server.targets().iter().filter(|target| *target == "/v2/auth/token").count();
    assert_eq!(sign_ins(&hub), 1);
}

#[tokio::test]
async fn a_refused_token_is_asked_for_once_more_and_then_not_again() {
    for good in [2, 9] {
        let given = std::sync::atomic::AtomicUsize::new(0);
        let hub = Server::start(move |heard| match heard.method.as_str() {
            "POST" => {
                let number = given.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                Reply::json(200, format!(r#"{{"access_token":"jwt{number}"}}"#))
            }
            _ if heard.authorization() == Some(&format!("Bearer jwt{good}")) => {
                Reply::json(200, r#"{"results":[{"name":"secret"}]}"#)
            }
            _ if heard.authorization().is_some() => Reply::json(401, "{}"),
            _ => Reply::json(200, r#"{"results":[{"name":"public"}]}"#),
        })
        .await;
        let endpoints = Endpoints { hub: hub.origin(), ..nowhere() };
        let found = repositories(&endpoints, DockerHub, &access(&hub, "deploy"), &[]).await.expect("a list");
        assert_eq!(found, [if good == 2 { "deploy/secret" } else { "deploy/public" }]);
        assert_eq!(hub.heard().iter().filter(|heard| heard.method == "POST").count(), 2);
    }
}

#[tokio::test]
async fn without_a_token_public_repositories_are_listed_and_private_ones_are_a_reason() {
    let (registry, hub, endpoints) = world().await;
    let stranger = access(&registry, "stranger");
    let public = repositories(&endpoints, DockerHub, &stranger, &named(&["acme"])).await.expect("a list");
    assert_eq!(public, ["acme/site"]);
    let asked: Vec<_> = hub.heard().into_iter().filter(|heard| heard.method == "GET").collect();
    assert!(asked.iter().all(|heard| heard.authorization().is_none()), "{asked:?}");

    let why = cannot(repositories(&endpoints, DockerHub, &stranger, &[]).await);
    assert!(why.contains("owner"), "{why}");
    let nobody = Access { login: None, ..stranger };
    let why = cannot(repositories(&endpoints, DockerHub, &nobody, &[]).await);
    assert!(why.contains("Name the owners"), "{why}");
}

#[tokio::test]
async fn a_password_for_another_registry_never_reaches_docker_hub() {
    let (_, hub, endpoints) = world().await;
    let login = access(&hub, "deploy").login;
    let elsewhere = Access {
        url: "https://registry.example.com".parse().expect("an address"),
        login,
        trust: crate::lab::internal(),
    };
    let public = repositories(&endpoints, DockerHub, &elsewhere, &named(&["acme"])).await.expect("a list");
    assert_eq!(public, ["acme/site"]);
    assert!(!hub.heard_of("s3cret") && hub.heard().iter().all(|heard| heard.authorization().is_none()));
}

#[tokio::test]
async fn too_often_is_a_time_to_wait() {
    let (registry, _hub, endpoints) = world().await;
    let outcome = repositories(&endpoints, DockerHub, &access(&registry, "deploy"), &named(&["busy"])).await;
    assert!(matches!(outcome, Err(ListError::Wait(23))), "{outcome:?}");
}

#[tokio::test]
async fn tags_have_digest_date_and_size_and_else_their_names() {
    let (registry, _hub, endpoints) = world().await;
    let deploy = access(&registry, "deploy");
    let found = tags(&endpoints, DockerHub, &deploy, "deploy/web").await.expect("tags");
    assert_eq!(names(&found), ["1.1", "1.0"]);
    assert_eq!(found[0].digest.as_ref().map(ToString::to_string), Some(digest("a")));
    assert_eq!((found[0].at, found[0].size), (Some(1_795_514_400), Some(1234)));
    assert_eq!((found[1].at, found[1].size), (None, None), "no time and no size aren't year 1 and 0 bytes");

    let found = tags(&endpoints, DockerHub, &deploy, "deploy/old").await.expect("tags of the registry");
    assert_eq!(names(&found), ["7"]);
    assert_eq!(found[0].digest, None);
}

#[tokio::test]
async fn the_public_search_is_asked_as_anybody() {
    let (_registry, hub, endpoints) = world().await;
    let found = providers(&endpoints).search_hub("redis x").await.expect("hits");
    let found: Vec<_> = found.iter().map(|hit| (hit.name.as_str(), hit.about.as_deref())).collect();
    assert_eq!(found, [("library/redis", Some("Redis is fast")), ("bitnami/redis", None)]);
    assert!(hub.heard().iter().all(|heard| heard.authorization().is_none()));
    assert!(hub.targets()[0].ends_with("&page_size=25"), "{:?}", hub.targets());
}

#[tokio::test]
async fn the_allowance_is_read_by_head() {
    let (registry, _hub, endpoints) = world().await;
    let allowance = providers(&endpoints).allowance(&access(&registry, "deploy"), 7).await.expect("an answer");
    let allowance = allowance.expect("it is told");
    assert_eq!((allowance.remaining, allowance.limit, allowance.window, allowance.at), (76, 100, 21_600, 7));
    let asked: Vec<_> = registry.heard().into_iter().filter(|heard| heard.path() != "/token").collect();
    assert!(asked.iter().all(|heard| heard.method == "HEAD"), "{asked:?}");
}

#[tokio::test]
async fn a_denial_is_explained_in_docker_hubs_terms() {
    let error = OciError::Denied {
        host: "docker.io".into(),
        answer: "DENIED: requested access to the resource is denied".into(),
    };
    let problem = providers(&nowhere()).of(DockerHub).explain(&error).expect("known words");
    assert!(problem.remedy.contains("exactly two parts"), "{problem:?}");
}
