//! Blobs, and where their readers are sent.

use super::certificates::{GOOD, KEY};
use super::{access, basic, client, repository, secure};
use crate::liar::{Heard, Liar, Reply};
use app::model::image_ref::Digest;
use slipway::oci::{Access, OciError};

/// Of `{}`.
const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const EMPTY_LONG: &str = "sha512:27c74670adb75075fad058d5ceaf7b20c4e7786c83bae8a32f626f9782af34c9a33c2046ef60fd2a7878d378e29fec851806bbd9a67878f3a9f1cda4830763fd";

async fn read(access: &Access, digest: &str, limit: usize) -> Result<Option<Vec<u8>>, OciError> {
    let digest: Digest = digest.parse().expect("a digest");
    client().blob(access, &repository(), &digest, limit).await
}

fn behind_password(heard: &Heard, reply: Reply) -> Reply {
    match heard.authorization() {
        Some(value) if value == basic() => reply,
        _ => Reply::challenge(&[r#"Basic realm="x""#]),
    }
}

#[tokio::test]
async fn a_blob_is_what_was_asked_for_or_nothing() {
    let liar = Liar::start(|heard| match heard.path() {
        path if path.ends_with("aaaa") => Reply::status(404),
        _ => behind_password(heard, Reply::Answer(200, vec![], b"{}".into())),
    })
    .await;
    assert_eq!(read(&access(&liar), EMPTY, 100).await.expect("an answer").as_deref(), Some(b"{}".as_slice()));
    assert_eq!(read(&access(&liar), EMPTY_LONG, 100).await.expect("an answer").as_deref(), Some(b"{}".as_slice()));
    assert_eq!(read(&access(&liar), &format!("sha256:{}", "a".repeat(64)), 100).await.expect("an answer"), None);
    // R6: other bytes.
    let lie = read(&access(&liar), &format!("sha256:{}", "b".repeat(64)), 100).await;
    assert!(matches!(&lie, Err(OciError::Unexpected { answer, .. }) if answer.contains("digest")), "{lie:?}");
    let long = read(&access(&liar), EMPTY, 1).await;
    assert!(matches!(&long, Err(OciError::Unexpected { answer, .. }) if answer.contains("more than 1 ")), "{long:?}");
}

/// S2: whoever is sent elsewhere goes without password and tokens.
#[tokio::test]
async fn a_redirect_to_another_origin_carries_no_authorization() {
    for status in [301, 302, 303, 307, 308] {
        let sink = Liar::start_tls_with(|_| Reply::Answer(200, vec![], b"{}".into()), GOOD, KEY).await;
        let to = format!("{}/storage?signature=x", sink.secure_url());
        let registry = Liar::start_tls_with(
            move |heard| match heard.path() {
                "/here" => behind_password(heard, Reply::status(status).with("location", to.clone())),
                _ => behind_password(heard, Reply::status(status).with("location", "/here")),
            },
            GOOD,
            KEY,
        )
        .await;
        let found = read(&secure(&registry), EMPTY, 100).await.unwrap_or_else(|error| panic!("{status}: {error:?}"));
        assert_eq!(found.as_deref(), Some(b"{}".as_slice()));
        let heard = sink.heard();
        assert_eq!(heard.len(), 1, "{status}");
        assert_eq!(heard[0].target, "/storage?signature=x");
        for name in ["authorization", "cookie", "referer"] {
            assert_eq!(heard[0].header(name), None, "{status}");
        }
        // On its own origin the registry gets the sign-in that it asks for.
        let asked: Vec<_> = registry.heard().iter().map(|heard| heard.authorization().is_some()).collect();
        assert_eq!(asked, [false, true, false, true], "{status}");
    }
}

/// A storage that asks for a password doesn't get one.
#[tokio::test]
async fn a_challenge_from_elsewhere_is_not_answered() {
    let sink = Liar::start(|_| Reply::challenge(&[r#"Basic realm="x""#, r#"Bearer realm="/token""#])).await;
    let to = format!("{}/x", sink.url());
    let registry =
        Liar::start(move |heard| behind_password(heard, Reply::status(307).with("location", to.clone()))).await;
    let found = read(&access(&registry), EMPTY, 100).await;
    assert!(matches!(found, Err(OciError::Unexpected { .. })), "{found:?}");
    assert_eq!(sink.heard().len(), 1);
    assert!(sink.authorizations().is_empty());
}

/// S2, S6: not from HTTPS to HTTP, not to where nobody connects, not to other schemes, not in circles.
#[tokio::test]
async fn redirects_have_limits() {
    let sink = Liar::start(|_| Reply::Answer(200, vec![], b"{}".into())).await;
    let plain = format!("{}/x", sink.url());
    let registry = Liar::start_tls_with(
        move |heard| behind_password(heard, Reply::status(307).with("location", plain.clone())),
        GOOD,
        KEY,
    )
    .await;
    let found = read(&secure(&registry), EMPTY, 100).await;
    assert!(matches!(&found, Err(OciError::Unexpected { answer, .. }) if answer.contains("HTTPS")), "{found:?}");
    assert!(sink.heard().is_empty(), "HTTPS was left");

    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://2852039166/",
        "http://[fe80::1]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://user:password@127.0.0.1/",
    ] {
        let registry = Liar::start(move |heard| behind_password(heard, Reply::status(307).with("location", to))).await;
        let found = read(&access(&registry), EMPTY, 100).await;
        assert!(matches!(found, Err(OciError::Forbidden { .. })), "{to}: {found:?}");
    }

    // R7: circles and chains end.
    let registry = Liar::start(|heard| Reply::status(302).with("location", format!("{}x", heard.path()))).await;
    let found = read(&access(&registry), EMPTY, 100).await;
    assert!(matches!(&found, Err(OciError::Unexpected { answer, .. }) if answer.contains("redirects")), "{found:?}");
    assert_eq!(registry.heard().len(), 6);
    let registry = Liar::start(|_| Reply::status(302)).await;
    let found = read(&access(&registry), EMPTY, 100).await;
    assert!(matches!(found, Err(OciError::Unexpected { .. })), "a redirect to nowhere: {found:?}");
}

/// S2: everything but blobs isn't redirected at all.
#[tokio::test]
async fn nothing_else_is_redirected() {
    let sink = Liar::start(|_| Reply::json(200, r#"{"tags":["1"],"token":"stolen"}"#)).await;
    let to = format!("{}/x", sink.url());
    let redirect = move |heard: &Heard| match heard.path() {
        "/token" => Reply::status(307).with("location", to.clone()),
        path if path.contains("token") => Reply::challenge(&[r#"Bearer realm="/token""#]),
        _ => behind_password(heard, Reply::status(307).with("location", to.clone())),
    };
    let registry = Liar::start(redirect).await;
    let (client, access) = (client(), access(&registry));
    assert!(client.check(&access).await.is_err());
    assert!(client.repositories(&access, None).await.is_err());
    assert!(client.tags(&access, &repository(), None).await.is_err());
    assert!(client.manifest(&access, &repository(), "1").await.is_err());
    assert!(client.digest(&access, &repository(), "1").await.is_err());
    assert!(client.may_push(&access, &repository()).await.is_err());
    assert!(client.tags(&access, &"token/x".parse().expect("a repository"), None).await.is_err(), "the token service");
    assert_eq!(client.get(&access, "/api", "").await.expect("an answer").status, 307, "that is the caller's to judge");
    assert!(sink.heard().is_empty(), "{:?}", sink.heard());
}
