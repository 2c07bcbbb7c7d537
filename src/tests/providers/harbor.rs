//! Harbor: its interface answers anybody with public repositories, and the password's owner with all of theirs.

use super::script::{Heard, Reply, Server};
use super::{access, basic, cannot, digest, named, names, nowhere, providers, repositories, tags};
use app::model::provider::Provider::Harbor;
use slipway::oci::OciError;
use slipway::providers::{Asker, ListError};

fn harbor(heard: &Heard) -> Reply {
    let users = ["admin", "robot$shop+ci", "robot$blind", "outsider"];
    let user = users.into_iter().find(|user| heard.authorization() == Some(basic(user).as_str()));
    let forbidden = || Reply::json(403, r#"{"errors":[{"code":"FORBIDDEN","message":"forbidden"}]}"#);
    match (heard.target.as_str(), user) {
        (target, None) if target.starts_with("/api/") && heard.authorization().is_some() => {
            Reply::json(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized"}]}"#)
        }
        // As anybody: public ones alone.
        ("/api/v2.0/repositories?page=1&page_size=100", None) => {
            Reply::json(200, r#"[{"name":"library/public"}]"#).with("x-total-count", "1")
        }
        ("/api/v2.0/repositories?page=1&page_size=100", Some("admin")) => {
            let names: Vec<_> = (0..100).map(|n| format!(r#"{{"name":"shop/r{n}","description":"<b>{n}</b>"}}"#)).collect();
            Reply::json(200, format!("[{}]", names.join(",")))
                .with("x-total-count", "101")
                .with("link", r#"</api/v2.0/repositories?page=2&page_size=100>; rel="next""#)
        }
        ("/api/v2.0/repositories?page=2&page_size=100", Some("admin")) => {
            // A full circle in Link, and the count that says better.
            Reply::json(200, r#"[{"name":"shop/last"}]"#)
                .with("x-total-count", "101")
                .with("link", r#"</api/v2.0/repositories?page=1&page_size=100>; rel="next""#)
        }
        ("/api/v2.0/repositories?q=name%3D~las&page=1&page_size=25", Some("admin")) => {
            Reply::json(200, r#"[{"name":"shop/last","description":"The last"}]"#)
        }
        ("/api/v2.0/projects/shop/repositories?page=1&page_size=100", Some("robot$shop+ci")) => {
            Reply::json(200, r#"[{"name":"shop/team/web"}]"#).with("x-total-count", "1")
        }
        ("/api/v2.0/repositories?page=1&page_size=100", Some("robot$blind")) => {
            Reply::json(200, "[]").with("x-total-count", "0")
        }
        (target, Some("admin")) if target.starts_with("/api/v2.0/projects/shop/repositories/team%252Fweb/artifacts?") => {
            Reply::json(
                200,
                format!(
                    r#"[{{"digest":"{}","size":55,"push_time":"2026-11-24T10:00:00Z","tags":[{{"name":"1.0","push_time":"2026-11-24T10:00:00Z"}},{{"name":"latest"}}]}},
                    {{"digest":"{}","size":1,"push_time":"x","tags":null}}]"#,
                    digest("a"),
                    digest("b")
                ),
            )
            .with("x-total-count", "2")
        }
        (target, _) if target.starts_with("/api/") => forbidden(),
        ("/service/token?service=harbor-registry&scope=repository%3Ashop%2Fteam%2Fweb%3Apull&client_id=slipway&account=robot%24shop%2Bci", Some(_)) => {
            Reply::json(200, r#"{"token":"registrys"}"#)
        }
        ("/v2/shop/team/web/tags/list?n=1000", _) if heard.authorization() == Some("Bearer registrys") => {
            Reply::json(200, r#"{"tags":["1.0","latest"]}"#)
        }
        // Basic for the catalog and for who already shows a password, Bearer for everything bare.
        ("/v2/_catalog?n=1000", _) => Reply::challenge(&[r#"Basic realm="harbor""#]),
        (_, Some(_)) => Reply::challenge(&[r#"Basic realm="harbor""#]),
        _ => Reply::challenge(&[r#"Bearer realm="/service/token",service="harbor-registry""#]),
    }
}

#[tokio::test]
async fn a_login_sees_its_own_and_not_only_what_is_public() {
    let server = Server::start(harbor).await;
    let found = repositories(&nowhere(), Harbor, &access(&server, "admin"), &[]).await.expect("a list");
    assert_eq!((found.len(), found[0].as_str(), found[100].as_str()), (101, "shop/r0", "shop/last"));
    assert_eq!(server.heard().len(), 2, "the count ends it, whatever Link says");
    assert!(server.heard().iter().all(|heard| heard.authorization() == Some(basic("admin").as_str())));
}

#[tokio::test]
async fn a_robot_lists_its_project_and_else_reads_what_it_needs() {
    let server = Server::start(harbor).await;
    let robot = access(&server, "robot$shop+ci");
    assert_eq!(repositories(&nowhere(), Harbor, &robot, &[]).await.expect("a list"), ["shop/team/web"]);
    let why = cannot(repositories(&nowhere(), Harbor, &robot, &named(&["other"])).await);
    assert!(why.contains("robot account needs the permission"), "{why}");
    let why = cannot(repositories(&nowhere(), Harbor, &access(&server, "robot$blind"), &[]).await);
    assert!(why.contains("no repositories"), "an empty list isn't shown as one: {why}");
    let wrong = repositories(&nowhere(), Harbor, &access(&server, "nobody"), &[]).await;
    assert!(matches!(wrong, Err(ListError::Failed(OciError::WrongCredentials { .. }))), "{wrong:?}");
}

#[tokio::test]
async fn artifacts_give_digest_time_and_size_and_the_registry_names() {
    let server = Server::start(harbor).await;
    let found = tags(&nowhere(), Harbor, &access(&server, "admin"), "shop/team/web").await.expect("tags");
    assert_eq!(names(&found), ["1.0", "latest"]);
    assert!(found.iter().all(|tag| (tag.at, tag.size) == (Some(1_795_514_400), Some(55))), "{found:?}");
    let found = tags(&nowhere(), Harbor, &access(&server, "robot$shop+ci"), "shop/team/web").await.expect("names");
    assert_eq!((names(&found), found[0].digest.as_ref()), (vec!["1.0", "latest"], None));
}

#[tokio::test]
async fn its_search_is_asked_without_its_query_languages_own_characters() {
    let server = Server::start(harbor).await;
    let (providers, access) = (providers(&nowhere()), access(&server, "admin"));
    let asker = Asker { access: &access, namespaces: &[] };
    let found = providers.of(Harbor).search(asker, "l{a},~s=").await.expect("an answer").expect("it has a search");
    let found: Vec<_> = found.iter().map(|hit| (hit.name.as_str(), hit.about.as_deref())).collect();
    assert_eq!(found, [("shop/last", Some("The last"))]);
    assert_eq!(providers.of(Harbor).search(asker, "{}").await.expect("an answer"), None);
}
