//! Any registry: what it may answer to a catalog, and what becomes of it.

use super::script::{Heard, Reply, Server};
use super::{access, basic, cannot, names, nowhere, providers, repositories, tags};
use app::model::provider::Provider::Generic;
use slipway::oci::Access;
use slipway::providers::ListError;

/// A registry with Basic behind it whose catalog answers `reply`.
async fn registry(reply: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |heard| match heard.authorization() {
        Some(value) if value == basic("deploy") => reply(heard),
        _ => Reply::challenge(&["Negotiate", r#"NTLM, Basic realm="a, b""#]),
    })
    .await
}

#[tokio::test]
async fn relative_and_absolute_links_lead_on_at_the_same_registry() {
    let server = registry(|heard| match heard.target.as_str() {
        "/v2/_catalog?n=1000" => Reply::json(200, r#"{"repositories":["a","b/c"]}"#)
            .with("link", r#"</v2/_catalog?last=b%2Fc&n=2>; rel="next""#),
        "/v2/_catalog?last=b%2Fc&n=2" => Reply::json(200, r#"{"repositories":["d","Not A Name",null]}"#)
            .with("link", r#"<https://evil.example/v2/_catalog?last=d&n=2>; rel=next"#),
        "/v2/_catalog?last=d&n=2" => Reply::json(200, r#"{"repositories":["e"]}"#),
        _ => Reply::status(500),
    })
    .await;
    let found = repositories(&nowhere(), Generic, &access(&server, "deploy"), &[]).await.expect("a list");
    assert_eq!(found, ["a", "b/c", "d", "e"]);
}

#[tokio::test]
async fn a_registry_without_a_list_is_a_normal_state() {
    for status in [403, 404, 405, 501] {
        let server = registry(move |_| Reply::json(status, r#"{"errors":[{"code":"UNSUPPORTED"}]}"#)).await;
        let why = cannot(repositories(&nowhere(), Generic, &access(&server, "deploy"), &[]).await);
        assert!(why.contains("Type a name"), "{status}: {why}");
    }
    let server = registry(|_| Reply::json(200, r#"{"repositories":[]}"#)).await;
    let why = cannot(repositories(&nowhere(), Generic, &access(&server, "deploy"), &[]).await);
    assert!(why.contains("lists no repositories to this login"), "an empty list isn't shown as one: {why}");
    let nobody = Access { login: None, ..access(&server, "deploy") };
    cannot(repositories(&nowhere(), Generic, &nobody, &[]).await);
}

#[tokio::test]
async fn faults_fail_and_too_often_waits() {
    for reply in [|| Reply::status(500), || Reply::html(200), || Reply::json(200, r#"{"repositories":"a"}"#)] {
        let server = registry(move |_| reply()).await;
        let outcome = repositories(&nowhere(), Generic, &access(&server, "deploy"), &[]).await;
        assert!(matches!(outcome, Err(ListError::Failed(_))), "{outcome:?}");
    }
    let server = registry(|_| Reply::status(429).with("retry-after", "9")).await;
    let outcome = repositories(&nowhere(), Generic, &access(&server, "deploy"), &[]).await;
    assert!(matches!(outcome, Err(ListError::Wait(9))), "{outcome:?}");
}

#[tokio::test]
async fn tags_may_be_null_and_hold_what_is_no_tag() {
    let server = registry(|heard| match heard.path() {
        "/v2/a/tags/list" => Reply::json(200, r#"{"name":"a","tags":null}"#),
        "/v2/b/tags/list" => Reply::json(200, r#"{"name":"b","tags":["1",null,"sha256:x","","2"]}"#),
        _ => Reply::json(404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
    })
    .await;
    let deploy = access(&server, "deploy");
    assert!(tags(&nowhere(), Generic, &deploy, "a").await.expect("an answer").is_empty());
    assert_eq!(names(&tags(&nowhere(), Generic, &deploy, "b").await.expect("tags")), ["1", "2"]);
    let gone = tags(&nowhere(), Generic, &deploy, "gone").await;
    assert!(matches!(gone, Err(ListError::Failed(_))), "{gone:?}");
}

/// A cursor comes out of a database: it never leads to another place.
#[tokio::test]
async fn a_forged_cursor_leads_nowhere_else() {
    let server = registry(|_| Reply::json(200, r#"{"repositories":["a"]}"#)).await;
    let deploy = access(&server, "deploy");
    let asker = slipway::providers::Asker { access: &deploy, namespaces: &[] };
    for cursor in ["https://evil.example/v2/_catalog?n=1", "//evil.example/v2/_catalog?n=1", "/admin?x=1"] {
        let outcome = providers(&nowhere()).of(Generic).repositories(asker, Some(cursor)).await;
        assert!(matches!(outcome, Err(ListError::Failed(_))), "{cursor}: {outcome:?}");
    }
    assert!(server.heard().is_empty(), "{:?}", server.targets());
}
