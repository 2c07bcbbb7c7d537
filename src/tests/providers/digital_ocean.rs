//! DigitalOcean: its REST interface with pages, and a registry for the rest.

use super::script::{Heard, Reply, Server};
use super::{access, cannot, digest, named, names, nowhere, repositories, tags};
use app::model::provider::Provider::DigitalOcean;
use app::model::secret::Secret;
use slipway::oci::Access;
use slipway::providers::Endpoints;

const TOKEN: &str = "dop_v1_canary";

fn interface(heard: &Heard) -> Reply {
    if heard.authorization() != Some("Bearer dop_v1_canary") {
        return Reply::json(401, r#"{"id":"Unauthorized","message":"Unable to authenticate you"}"#);
    }
    match heard.target.as_str() {
        "/v2/registries" => Reply::json(200, r#"{"registries":[{"name":"acme"},{"name":"spare"}]}"#),
        "/v2/registries/acme/repositoriesV2?page=1&per_page=100" => Reply::json(
            200,
            r#"{"repositories":[{"registry_name":"acme","name":"web","tag_count":1},{"name":"team/api"}],
                "links":{"pages":{"next":"https://api.digitalocean.com/v2/registries/acme/repositoriesV2?page=2"}},"meta":{"total":3}}"#,
        ),
        "/v2/registries/acme/repositoriesV2?page=2&per_page=100" => {
            Reply::json(200, r#"{"repositories":[{"name":"worker"}],"links":{"pages":{"prev":"x"}}}"#)
        }
        "/v2/registries/spare/repositoriesV2?page=1&per_page=100" => {
            Reply::json(200, r#"{"repositories":null,"links":{},"meta":{"total":0}}"#)
        }
        "/v2/registries/acme/repositories/team%2Fapi/tags?page=1&per_page=100" => Reply::json(
            200,
            format!(
                r#"{{"tags":[{{"tag":"7","manifest_digest":"{}","compressed_size_bytes":77,"size_bytes":200,"updated_at":"2026-11-24T10:00:00Z"}}],"links":{{}}}}"#,
                digest("a")
            ),
        ),
        _ => Reply::json(404, r#"{"id":"not_found","message":"The resource you requested could not be found."}"#),
    }
}

fn registry(heard: &Heard) -> Reply {
    match (heard.path(), heard.authorization()) {
        ("/token", Some(_)) => Reply::json(200, r#"{"token":"registrys"}"#),
        ("/v2/acme/web/tags/list", Some("Bearer registrys")) => Reply::json(200, r#"{"tags":["1"]}"#),
        _ => Reply::challenge(&[r#"Bearer realm="/token",service="registry.digitalocean.com""#]),
    }
}

async fn world() -> (Server, Server, Endpoints, Access) {
    let (registry, interface) = (Server::start(registry).await, Server::start(interface).await);
    let endpoints = Endpoints { digital_ocean: interface.origin(), ..nowhere() };
    let mut access = access(&registry, TOKEN);
    access.login.as_mut().expect("a login").password = Secret::new(TOKEN.into());
    (registry, interface, endpoints, access)
}

#[tokio::test]
async fn registries_are_found_and_listed_page_by_page() {
    let (registry, _interface, endpoints, access) = world().await;
    let found = repositories(&endpoints, DigitalOcean, &access, &[]).await.expect("a list");
    assert_eq!(found, ["acme/web", "acme/team/api", "acme/worker"]);
    let found = repositories(&endpoints, DigitalOcean, &access, &named(&["acme"])).await.expect("a list");
    assert_eq!(found.len(), 3);
    assert!(registry.heard().is_empty());
}

#[tokio::test]
async fn who_cant_list_reads_what_would_help() {
    let (_registry, interface, endpoints, mut access) = world().await;
    let why = cannot(repositories(&endpoints, DigitalOcean, &access, &named(&["spare"])).await);
    assert!(why.contains("no repositories"), "an empty list isn't shown as one: {why}");
    let why = cannot(repositories(&endpoints, DigitalOcean, &access, &named(&["nobody"])).await);
    assert!(why.contains("registry:read"), "{why}");
    access.login.as_mut().expect("a login").password = Secret::new("made-for-docker".into());
    let why = cannot(repositories(&endpoints, DigitalOcean, &access, &[]).await);
    assert!(why.contains("registry:read"), "{why}");

    let heard = interface.heard().len();
    access.url = "https://registry.example.com".parse().expect("an address");
    let why = cannot(repositories(&endpoints, DigitalOcean, &access, &named(&["acme"])).await);
    assert!(why.contains("isn't sent"), "{why}");
    assert_eq!(interface.heard().len(), heard, "a token for another host stays away");
}

#[tokio::test]
async fn tags_have_details_from_the_interface_and_names_from_the_registry() {
    let (_registry, _interface, endpoints, access) = world().await;
    let found = tags(&endpoints, DigitalOcean, &access, "acme/team/api").await.expect("tags");
    assert_eq!(names(&found), ["7"]);
    assert_eq!((found[0].at, found[0].size), (Some(1_795_514_400), Some(77)));
    let found = tags(&endpoints, DigitalOcean, &access, "acme/web").await.expect("names");
    assert_eq!(names(&found), ["1"]);
}
