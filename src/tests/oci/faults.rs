//! Faults: what isn't a registry, what doesn't answer, what lies.

use super::{PASSWORD, access, client, login, repository, with};
use crate::liar::{Heard, Liar, Reply};
use app::model::credential::RegistryUrl;
use app::model::image_ref::Digest;
use slipway::oci::{Client, OciError};
use std::time::{Duration, Instant};

async fn check(script: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Result<(), OciError> {
    let liar = Liar::start(script).await;
    client().check(&access(&liar)).await
}

#[tokio::test]
async fn what_is_no_registry_is_told_apart() {
    let page =
        |status| Reply::Answer(status, vec![("content-type", "text/html; charset=utf-8".into())], b"<html>".into());
    for (name, reply) in [
        ("a web page", page(200)),
        ("no /v2/", page(404)),
        ("text", Reply::Answer(200, vec![], b"hello".into())),
        ("404 without body", Reply::status(404)),
        ("a forbidden page", page(403)),
        ("a redirect to a sign-in page", Reply::status(302).with("location", "/login")),
        ("Kerberos alone", Reply::challenge(&["Negotiate"])),
        ("SSH", Reply::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".into())),
    ] {
        let error = check(move |_| reply.clone()).await.expect_err(name);
        assert!(matches!(error, OciError::NotARegistry { .. }), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn registries_of_all_manners_are_known() {
    for reply in [
        Reply::json(200, "{}"),
        Reply::json(200, "true"),
        Reply::status(200),
        Reply::Answer(200, vec![("docker-distribution-api-version", "registry/2.0".into())], b"hello".into()),
    ] {
        let name = format!("{reply:?}");
        check(move |_| reply.clone()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

/// S13: trouble over there is never a yes, and never "wrong password" either.
#[tokio::test]
async fn trouble_is_neither_yes_nor_no() {
    for status in [408, 500, 502, 503, 504] {
        if status != 408 {
            let error = check(move |_| Reply::status(status)).await.expect_err("refused");
            assert!(
                matches!(&error, OciError::Unexpected { answer, .. } if answer.contains(&status.to_string())),
                "{error:?}"
            );
        }
        let behind_login = move |heard: &Heard| match heard.authorization() {
            None => Reply::challenge(&[r#"Basic realm="x""#]),
            Some(_) => Reply::status(status),
        };
        let liar = Liar::start(behind_login).await;
        assert!(client().check(&access(&liar)).await.is_err(), "{status}");
        let digest = client().digest(&access(&liar), &repository(), "1").await;
        assert!(matches!(digest, Err(OciError::Unexpected { .. })), "{status}: {digest:?}");
        let push = client().may_push(&access(&liar), &repository()).await;
        assert!(matches!(push, Err(OciError::Unexpected { .. })), "{status}: {push:?}");
    }
}

/// R4: a registry that hangs, at any point, costs no more than the limit.
#[tokio::test]
async fn who_hangs_is_given_up() {
    let started = Instant::now();
    let error = check(|_| Reply::Hang).await.expect_err("refused");
    assert!(matches!(error, OciError::Timeout { .. }), "{error:?}");
    let error = check(|heard| match heard.path() {
        "/token" => Reply::Hang,
        _ => Reply::challenge(&[r#"Bearer realm="/token""#]),
    })
    .await
    .expect_err("refused");
    assert!(matches!(error, OciError::Timeout { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

/// R5, S9: a body that breaks off or never ends is an error, and stays out of messages.
#[tokio::test]
async fn bodies_have_limits() {
    let error = check(|_| Reply::Cut(b"{".into())).await.expect_err("refused");
    assert!(matches!(error, OciError::Unexpected { .. }), "{error:?}");
    let error = check(|_| Reply::Flood(20_000_000)).await.expect_err("refused");
    assert!(matches!(&error, OciError::Unexpected { answer, .. } if answer.contains("more than 65536")), "{error:?}");
    let error = check(|heard| match heard.path() {
        "/token" => Reply::Flood(20_000_000),
        _ => Reply::challenge(&[r#"Bearer realm="/token""#]),
    })
    .await
    .expect_err("refused");
    assert!(matches!(&error, OciError::Unexpected { answer, .. } if answer.contains("more than 65536")), "{error:?}");
    let liar = Liar::start(|heard| match heard.method.as_str() {
        "HEAD" => Reply::status(200),
        _ => Reply::Flood(20_000_000),
    })
    .await;
    let error = client().digest(&access(&liar), &repository(), "1").await.expect_err("refused");
    assert!(matches!(&error, OciError::Unexpected { answer, .. } if answer.contains("more than 8388608")), "{error:?}");

    let body = format!("<script>alert(1)</script>{}", "secret ".repeat(10_000));
    let error = check(move |_| Reply::Answer(500, vec![], body.clone().into())).await.expect_err("refused");
    assert!(!error.to_string().contains("secret") && !error.to_string().contains("script"), "{error}");
    let echo = format!(r#"{{"errors":[{{"code":"E","message":"you sent {}"}}]}}"#, PASSWORD.replace('"', "\\\""));
    let error = check(move |_| Reply::json(500, &echo)).await.expect_err("refused");
    assert!(error.to_string().contains("you sent ***"), "{error}");
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
}

/// R6: an answer about another digest than the one asked for is refused, in the header and in the bytes.
#[tokio::test]
async fn a_lying_digest_is_noticed() {
    let real = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"; // of `{}`
    let other = format!("sha256:{}", "a".repeat(64));
    let asked: Digest = real.parse().expect("a digest");
    let client = client();

    let lie = other.clone();
    let liar = Liar::start(move |_| Reply::json(200, "{}").with("docker-content-digest", lie.clone())).await;
    let found = client.digest(&access(&liar), &repository(), real).await;
    assert!(matches!(found, Err(OciError::Unexpected { .. })), "{found:?}");
    let found = client.manifest(&access(&liar), &repository(), "latest").await;
    assert!(matches!(found, Err(OciError::Unexpected { .. })), "{found:?}");

    let liar = Liar::start(|_| Reply::json(200, "{}")).await;
    let found = client.digest(&access(&liar), &repository(), &other).await;
    assert!(matches!(found, Err(OciError::Unexpected { .. })), "other bytes than asked for: {found:?}");
    let found = client.digest(&access(&liar), &repository(), "latest").await.expect("an answer");
    assert_eq!(found, Some(asked.clone()), "without the header the bytes are hashed");

    let liar = Liar::start(|heard| match heard.method.as_str() {
        "HEAD" => Reply::status(405),
        _ => Reply::json(200, "{}"),
    })
    .await;
    let found = client.digest(&access(&liar), &repository(), real).await.expect("an answer");
    assert_eq!(found, Some(asked), "HEAD isn't offered everywhere");

    for header in ["sha256:short", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:../../etc"] {
        let liar = Liar::start(move |_| Reply::json(200, "{}").with("docker-content-digest", header)).await;
        let found = client.digest(&access(&liar), &repository(), "latest").await;
        assert!(matches!(found, Err(OciError::Unexpected { .. })), "{header}: {found:?}");
    }
}

#[tokio::test]
async fn only_tags_and_digests_become_addresses() {
    let liar = Liar::start(|_| Reply::json(200, "{}")).await;
    for reference in ["", "..", "../../_catalog", "a/b", "a?x=1", "a#b", "a b", "a\r\nx: y", "sha256:zz", "-x"] {
        let found = client().digest(&access(&liar), &repository(), reference).await;
        assert!(matches!(found, Err(OciError::Unexpected { .. })), "{reference:?}: {found:?}");
    }
    assert!(liar.heard().is_empty(), "{:?}", liar.heard());
}

#[tokio::test]
async fn a_denied_push_tells_the_registrys_reason() {
    for (status, body) in [
        (403, r#"{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}"#),
        (404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"permission_denied: write_package"}]}"#),
        (405, "permission_denied: write_package"),
    ] {
        let liar = Liar::start(move |_| Reply::json(status, body)).await;
        let error = client().may_push(&access(&liar), &repository()).await.expect_err("refused");
        let OciError::Denied { answer, .. } = &error else { panic!("{error:?}") };
        assert!(answer.contains("write_package") && answer.contains(&status.to_string()), "{answer}");
    }
}

/// S7 and the two ways of mixing up HTTP and HTTPS.
#[tokio::test]
async fn tls_faults_are_told_apart() {
    let https = |liar: &Liar| -> RegistryUrl {
        let port = liar.host().rsplit(':').next().unwrap_or_default().to_owned();
        format!("https://localhost:{port}").parse().expect("an address")
    };
    let reason = async |client: &Client, url: RegistryUrl| match client.check(&with(url.clone(), login())).await {
        Err(OciError::Tls { reason, .. }) => reason,
        other => panic!("{url}: {other:?}"),
    };

    let plain = Liar::start(|_| Reply::json(200, "{}")).await;
    let words = reason(&client(), https(&plain)).await;
    assert!(words.contains("plain HTTP"), "{words}");

    let untrusted = Liar::start_tls(|_| Reply::json(200, "{}")).await;
    let words = reason(&client(), https(&untrusted)).await;
    assert!(words.contains("doesn't know") || words.contains("self-signed"), "{words}");
    assert!(untrusted.heard().is_empty(), "a request went through an untrusted connection");

    // What Go's and nginx's servers say when HTTP arrives at their HTTPS port.
    let go =
        Liar::start(|_| Reply::Answer(400, vec![], b"Client sent an HTTP request to an HTTPS server.\n".into())).await;
    let words = reason(&client(), go.url()).await;
    assert!(words.contains("write https://"), "{words}");
    // Others send a TLS alert.
    let alert = Liar::start(|_| Reply::Raw(vec![0x15, 3, 1, 0, 2, 2, 22])).await;
    let error = client().check(&access(&alert)).await.expect_err("refused");
    assert!(matches!(&error, OciError::NotARegistry { reason, .. } if reason.contains("https://")), "{error:?}");
}

#[tokio::test]
async fn names_ports_and_addresses_that_lead_nowhere() {
    let error = client().check(&with("https://registry.invalid".parse().expect("an address"), login())).await;
    assert!(matches!(&error, Err(OciError::Dns { host }) if host == "registry.invalid"), "{error:?}");

    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let error = client().check(&with(free.to_string().parse().expect("an address"), login())).await;
    assert!(matches!(error, Err(OciError::Refused { .. })), "{error:?}");

    for metadata in ["https://169.254.169.254", "https://[fe80::1]", "https://0.0.0.0"] {
        let error = client().check(&with(metadata.parse().expect("an address"), login())).await;
        assert!(matches!(&error, Err(OciError::Forbidden { internal_helps: false, .. })), "{error:?}");
    }
}

/// R6 and the type-confusion advisories: a manifest is one thing, and what it says it is.
#[tokio::test]
async fn ambiguous_manifests_are_refused() {
    let index = "application/vnd.oci.image.index.v1+json";
    let image = "application/vnd.oci.image.manifest.v1+json";
    for (body, kind, is_fine) in [
        (r#"{"manifests":[]}"#.to_owned(), index, true),
        (format!(r#"{{"mediaType":"{image}","layers":[],"config":{{}}}}"#), image, true),
        (r#"{"manifests":[],"layers":[]}"#.to_owned(), index, false),
        (format!(r#"{{"mediaType":"{index}","manifests":[]}}"#), image, false),
        (r#"{"manifests":[]}"#.to_owned(), image, false),
        (r#"{"layers":[],"layers":[]}"#.to_owned(), image, false),
        (format!(r#"{{"manifests":[{}{{}}]}}"#, "{},".repeat(1_000)), index, false),
        ("<html>".to_owned(), index, false),
    ] {
        let name = format!("{kind} {}", &body[..body.len().min(80)]);
        let liar = Liar::start(move |_| {
            Reply::Answer(200, vec![("content-type", format!("{kind}; charset=utf-8"))], body.clone().into())
        })
        .await;
        let found = client().manifest(&access(&liar), &repository(), "1").await;
        match found {
            Ok(Some(manifest)) if is_fine => assert_eq!(manifest.media_type, kind),
            Err(OciError::Unexpected { answer, .. }) if !is_fine => assert!(!answer.contains("layers"), "{answer}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}
