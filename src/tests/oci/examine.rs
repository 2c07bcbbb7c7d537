//! What the doctor looks at: name, connection, certificate, greeting.

use super::certificates::{AUTHORITY, EXPIRED, GOOD, KEY, OTHER, authority};
use super::{access, client, secure};
use crate::lab::internal;
use crate::liar::{Heard, Liar, Reply};
use app::model::credential::Trust;
use slipway::oci::{Access, OciError, check_ca};

fn registry(_: &Heard) -> Reply {
    Reply::json(200, "{}")
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, OciError>) -> String {
    match outcome {
        Err(OciError::Tls { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

/// S7: a credential's own authority is trusted for that credential alone.
#[tokio::test]
async fn an_own_authority_is_trusted_where_it_was_given() {
    let liar = Liar::start_tls_with(registry, GOOD, KEY).await;
    let client = client();
    client.check(&secure(&liar)).await.expect("accepted");
    let words = client.shake_hands(&secure(&liar)).await.expect("shaken");
    assert_eq!(words, "TLS 1.3, certificate until 2125-12-31");

    let heard = liar.heard().len();
    let without = Access { trust: internal(), ..secure(&liar) };
    for words in [reason(client.check(&without).await), reason(client.shake_hands(&without).await)] {
        assert!(words.contains("doesn't know"), "{words}");
    }
    let other = Trust { ca: Some(authority().replace(AUTHORITY, OTHER)), ..internal() };
    let words = reason(client.check(&Access { trust: other, ..secure(&liar) }).await);
    assert!(words.contains("doesn't know"), "{words}");
    assert_eq!(liar.heard().len(), heard, "a request went through an untrusted connection");
}

/// S7: over a real handshake, each fault has its own words.
#[tokio::test]
async fn certificates_that_are_no_good_say_why() {
    for (certificate, expected) in [(EXPIRED, "has expired"), (OTHER, "for another name")] {
        let liar = Liar::start_tls_with(registry, certificate, KEY).await;
        let client = client();
        for words in [reason(client.check(&secure(&liar)).await), reason(client.shake_hands(&secure(&liar)).await)] {
            assert!(words.contains(expected), "{words}");
        }
        assert!(liar.heard().is_empty());
    }
    let selfmade = Liar::start_tls(registry).await;
    let words = reason(client().shake_hands(&secure(&selfmade)).await);
    assert!(words.contains("doesn't know") || words.contains("self-signed"), "{words}");
    let plain = Liar::start(registry).await;
    let words = reason(client().shake_hands(&secure(&plain)).await);
    assert!(words.contains("plain HTTP"), "{words}");
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused_in_words() {
    assert_eq!(check_ca(&authority()), Ok(()));
    assert_eq!(check_ca(&format!("# ours\n{}\n{}", authority(), authority().replace(AUTHORITY, OTHER))), Ok(()));
    let broken = authority().replace("MIIB", "MIIC");
    let key = format!("{}\n-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----", authority());
    for (pem, part) in [
        ("", "no certificate"),
        ("hello", "no certificate"),
        (AUTHORITY, "no certificate"),
        (broken.as_str(), "damaged"),
        ("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----", "damaged"),
        (key.as_str(), "private key"),
        (&authority().repeat(33), "more than 32"),
    ] {
        let refused = check_ca(pem).expect_err(pem);
        assert!(refused.contains(part), "{pem}: {refused}");
    }
    let liar = Liar::start_tls_with(registry, GOOD, KEY).await;
    let bad = Access { trust: Trust { ca: Some("hello".into()), ..internal() }, ..secure(&liar) };
    let words = reason(client().check(&bad).await);
    assert!(words.contains("belongs to the credential"), "{words}");
}

#[tokio::test]
async fn a_name_is_looked_up_alone() {
    let client = client();
    let liar = Liar::start(registry).await;
    let found = client.look_up(&access(&liar)).await.expect("addresses");
    assert_eq!(found, ["127.0.0.1".parse::<std::net::IpAddr>().expect("an address")]);
    let words = client.shake_hands(&access(&liar)).await.expect("connected");
    assert!(words.contains("Plain HTTP"), "{words}");
    assert!(liar.heard().is_empty(), "looking isn't asking");

    let nowhere = Access::public("https://registry.invalid".parse().expect("an address"));
    let error = client.look_up(&nowhere).await.expect_err("no such name");
    assert!(matches!(error, OciError::Dns { .. }), "{error:?}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let closed = Access { url: format!("https://{free}").parse().expect("an address"), ..access(&liar) };
    let error = client.shake_hands(&closed).await.expect_err("nobody listens");
    assert!(matches!(error, OciError::Refused { .. }), "{error:?}");
}

/// R4: who takes the connection and says nothing costs no more than the limit.
#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", silent.local_addr().expect("an address")).parse().expect("an address");
    let error = client().shake_hands(&Access { url, login: None, trust: internal() }).await.expect_err("given up");
    assert!(matches!(error, OciError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn the_greeting_says_what_sign_in_is_wanted() {
    let greet = async |reply: Reply| {
        let liar = Liar::start(move |_| reply.clone()).await;
        let words = client().greet(&access(&liar)).await;
        assert!(liar.authorizations().is_empty(), "nobody signs in to say hello");
        words
    };
    let words = async |reply| greet(reply).await.expect("a registry");
    assert_eq!(words(Reply::json(200, "{}")).await, "It answers without a sign-in");
    assert!(words(Reply::challenge(&[r#"Basic realm="x""#])).await.contains("Basic"));
    let bearer = Reply::challenge(&[r#"Bearer realm="https://auth.example/token",service="s""#]);
    assert_eq!(words(bearer).await, "It wants a token (Bearer) of auth.example");
    for reply in [Reply::challenge(&["Negotiate"]), Reply::status(404), Reply::Answer(200, vec![], b"hello".into())] {
        let error = greet(reply).await.expect_err("no registry");
        assert!(matches!(error, OciError::NotARegistry { .. }), "{error:?}");
    }
}
