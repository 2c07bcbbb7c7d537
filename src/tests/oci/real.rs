//! The registry client against a real registry with a password.

use super::with;
use crate::lab::Lab;
use app::model::image_ref::{Digest, Repository};
use app::model::secret::Secret;
use slipway::oci::{Client, Login, OciError};

fn repository() -> Repository {
    "tests/oci".parse().expect("a repository")
}

/// Pushes an image without layers the way any client does: config blob, then manifest.
async fn push(lab: &Lab, tag: &str) -> String {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let base = format!("http://{}/v2/{}", lab.registry, repository());
    let opened = http
        .post(format!("{base}/blobs/uploads/"))
        .basic_auth(&lab.username, Some(&lab.password))
        .send()
        .await
        .expect("an answer");
    assert_eq!(opened.status(), 202);
    let location = opened.headers()["location"].to_str().expect("text");
    let mut location = opened.url().join(location).expect("a URL");
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    location.query_pairs_mut().append_pair("digest", empty);
    let put = http.put(location).basic_auth(&lab.username, Some(&lab.password)).body("{}");
    assert_eq!(put.send().await.expect("an answer").status(), 201);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"{empty}"}},"layers":[],"annotations":{{"tag":"{tag}"}}}}"#
    );
    let put = http
        .put(format!("{base}/manifests/{tag}"))
        .basic_auth(&lab.username, Some(&lab.password))
        .header("content-type", kind)
        .body(manifest);
    let answer = put.send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    answer.headers()["docker-content-digest"].to_str().expect("text").to_owned()
}

async fn delete(lab: &Lab, digest: &str) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://{}/v2/{}/manifests/{digest}", lab.registry, repository());
    let answer = http.delete(url).basic_auth(&lab.username, Some(&lab.password)).send().await.expect("an answer");
    assert_eq!(answer.status(), 202);
}

#[tokio::test]
async fn a_real_registry_accepts_the_right_password_alone() {
    let Some(lab) = Lab::find() else { return };
    let client = Client::new().expect("a client");
    client.check(&lab.access()).await.expect("accepted");
    for (username, password) in [
        (lab.username.as_str(), "wrong"),
        ("somebody", lab.password.as_str()),
        (lab.username.as_str(), ""),
        (lab.username.as_str(), "~?>ü:\"x"),
    ] {
        let login = Login { username: username.into(), password: Secret::new(password.into()) };
        let error = client.check(&with(lab.url(), login.clone())).await.expect_err("refused");
        assert!(matches!(error, OciError::WrongCredentials { .. }), "{error:?}");
        let error = client.may_push(&with(lab.url(), login.clone()), &repository()).await.expect_err("refused");
        assert!(matches!(error, OciError::WrongCredentials { .. }), "{error:?}");
        let error = client.digest(&with(lab.url(), login.clone()), &repository(), "x").await.expect_err("refused");
        assert!(matches!(error, OciError::WrongCredentials { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_pushed_manifest_is_found_by_tag_and_digest() {
    let Some(lab) = Lab::find() else { return };
    let client = Client::new().expect("a client");
    let (url, login) = (lab.url(), lab.login());
    let tag = slipway::clock::random_token();
    assert_eq!(client.digest(&with(url.clone(), login.clone()), &repository(), &tag).await.expect("an answer"), None);
    client.may_push(&with(url.clone(), login.clone()), &repository()).await.expect("may push");

    let pushed: Digest = push(&lab, &tag).await.parse().expect("a digest");
    let by_tag = client.digest(&with(url.clone(), login.clone()), &repository(), &tag).await.expect("an answer");
    assert_eq!(by_tag.as_ref(), Some(&pushed));
    let by_digest =
        client.digest(&with(url.clone(), login.clone()), &repository(), pushed.as_str()).await.expect("an answer");
    assert_eq!(by_digest.as_ref(), Some(&pushed));
    let manifest = client
        .manifest(&with(url.clone(), login.clone()), &repository(), &tag)
        .await
        .expect("an answer")
        .expect("a manifest");
    assert_eq!(manifest.digest, pushed);
    assert_eq!(manifest.media_type, "application/vnd.oci.image.manifest.v1+json");
    assert!(String::from_utf8_lossy(&manifest.bytes).contains(&tag));

    delete(&lab, pushed.as_str()).await;
    assert_eq!(client.digest(&with(url.clone(), login.clone()), &repository(), &tag).await.expect("an answer"), None);
}

#[tokio::test]
async fn https_to_the_real_registry_says_that_it_speaks_http() {
    let Some(lab) = Lab::find() else { return };
    let url = format!("https://{}", lab.registry).parse().expect("an address");
    let error = Client::new().expect("a client").check(&with(url, lab.login())).await.expect_err("refused");
    assert!(matches!(&error, OciError::Tls { reason, .. } if reason.contains("plain HTTP")), "{error:?}");
}

#[tokio::test]
async fn lists_blobs_and_greetings_of_a_real_registry() {
    let Some(lab) = Lab::find() else { return };
    let (client, access) = (Client::new().expect("a client"), lab.access());
    let tags = [slipway::clock::random_token(), slipway::clock::random_token()];
    let digests = [push(&lab, &tags[0]).await, push(&lab, &tags[1]).await];

    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..1_000 {
        let page = client.repositories(&access, next.as_deref()).await.expect("a page");
        found.extend(page.names);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(next.is_none(), "the catalog goes on for ever");
    assert!(found.contains(&repository().to_string()), "{found:?}");
    // The registry's own paging, one repository a page.
    if found.len() > 1 {
        let first = client.repositories(&access, Some("/v2/_catalog?n=1")).await.expect("a page");
        assert_eq!(first.names.len(), 1);
        let place = first.next.expect("more");
        let second = client.repositories(&access, Some(&place)).await.expect("a page");
        assert_eq!(second.names.len(), 1);
        assert_ne!(first.names, second.names);
    }
    let page = client.tags(&access, &repository(), None).await.expect("a page");
    assert!(tags.iter().all(|tag| page.names.contains(tag)), "{page:?}");
    let missing = client.tags(&access, &"tests/none".parse().expect("a repository"), None).await;
    assert!(
        matches!(&missing, Err(OciError::NotOffered { answer, .. }) if answer.contains("NAME_UNKNOWN")),
        "{missing:?}"
    );

    let empty: Digest =
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".parse().expect("a digest");
    let blob = client.blob(&access, &repository(), &empty, 100).await.expect("an answer");
    assert_eq!(blob.as_deref(), Some(b"{}".as_slice()));

    assert!(client.greet(&access).await.expect("a greeting").contains("Basic"));
    assert_eq!(client.look_up(&access).await.expect("an address").len(), 1);
    for digest in digests {
        delete(&lab, &digest).await;
    }
}
