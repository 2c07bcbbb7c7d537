//! Stores that refuse one thing, or aren't any: a script answers as they do.

use super::keys;
use crate::liar::{Heard, Liar, Reply};
use app::error::FieldError;
use app::model::registry::S3Place;
use slipway::s3::probe;
use std::sync::{Arc, Mutex};

const LIST: &str =
    r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name></ListBucketResult>"#;
const BEGUN: &str = r#"<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket><Key>k</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>"#;

fn xml(status: u16, body: &str) -> Reply {
    Reply::Answer(status, vec![("content-type", "application/xml".into())], body.into())
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    xml(status, &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

/// The S3 name of what is asked for.
fn action(heard: &Heard) -> &'static str {
    let query = heard.target.split_once('?').map_or("", |(_, query)| query);
    let is_in_bucket = heard.path().trim_matches('/').contains('/');
    match (heard.method.as_str(), query) {
        ("GET", query) if query.contains("list-type=2") => "list",
        ("GET", _) if is_in_bucket => "get",
        ("PUT", _) => "put",
        ("POST", query) if query.contains("uploads") => "begin",
        ("DELETE", query) if query.contains("uploadId=u1") => "abort",
        ("DELETE", _) if is_in_bucket => "delete",
        _ => "unknown",
    }
}

/// A store in which everything works but what `refuse` answers itself.
async fn store(refuse: impl Fn(&str, &Heard) -> Option<Reply> + Send + Sync + 'static) -> Liar {
    let kept = Arc::new(Mutex::new(Vec::new()));
    Liar::start(move |heard| {
        let action = action(heard);
        if let Some(reply) = refuse(action, heard) {
            return reply;
        }
        let mut kept = kept.lock().expect("not poisoned");
        match action {
            "list" => xml(200, LIST),
            "put" => {
                kept.clone_from(&heard.body);
                Reply::status(200)
            }
            "get" => Reply::Answer(200, Vec::new(), kept.clone()),
            "begin" => xml(200, BEGUN),
            "abort" | "delete" => Reply::status(204),
            other => panic!("{other}: {heard:?}"),
        }
    })
    .await
}

fn place(store: &Liar) -> S3Place {
    S3Place {
        region: "us-east-1".into(),
        endpoint: Some(format!("http://{}", store.host())),
        bucket: "images".into(),
        prefix: "ours".into(),
        path_style: true,
        encrypt: true,
        internal: true,
    }
}

async fn ask(store: &Liar) -> Result<(), FieldError> {
    probe(&place(store), &keys("AKIAIOSFODNN7EXAMPLE", "the-secret-key")).await
}

#[tokio::test]
async fn the_whole_way_is_gone_and_nothing_secret_is_sent() {
    let store = store(|_, _| None).await;
    ask(&store).await.expect("it works");
    let heard = store.heard();
    let actions: Vec<&str> = heard.iter().map(action).collect();
    assert_eq!(actions, ["list", "put", "get", "begin", "abort", "delete"]);
    for request in &heard {
        assert!(!format!("{request:?}").contains("the-secret-key"), "{request:?}");
        assert!(request.target.contains("X-Amz-Signature="), "{request:?}");
        assert_eq!(request.header("user-agent"), Some(concat!("slipway/", env!("CARGO_PKG_VERSION"))));
    }
    let encrypted: Vec<bool> = heard.iter().map(|one| one.header("x-amz-server-side-encryption").is_some()).collect();
    assert_eq!(encrypted, [false, true, false, true, false, false]);
    assert!(heard[1].path().starts_with("/images/ours/slipway-probe-"), "{}", heard[1].path());
}

#[tokio::test]
async fn each_refusal_names_its_field_and_right_and_the_object_goes() {
    for (refused, status, code, message, field, words) in [
        ("list", 403, "AccessDenied", "Access Denied", "s3_bucket", "s3:ListBucket"),
        ("put", 403, "AccessDenied", "Access Denied", "s3_prefix", "s3:PutObject"),
        ("get", 403, "AccessDenied", "Access Denied", "s3_prefix", "s3:GetObject"),
        ("abort", 403, "AccessDenied", "Access Denied", "s3_prefix", "s3:AbortMultipartUpload"),
        ("delete", 403, "AccessDenied", "Access Denied", "s3_prefix", "s3:DeleteObject"),
        ("begin", 501, "NotImplemented", "No parts here", "s3_endpoint", "s3:PutObject"),
        ("list", 403, "AccessDenied", "Forbidden: No such key: GK31", "s3_access_key", "doesn't know this key"),
        ("list", 403, "AccessDenied", "Forbidden: Invalid signature", "s3_secret_key", "doesn't belong"),
        ("list", 403, "RequestTimeTooSkewed", "The difference is too large", "s3_endpoint", "clocks"),
        ("list", 403, "AccessDenied", "Request has expired", "s3_endpoint", "clocks"),
        ("list", 503, "SlowDown", "Reduce your rate", "s3_endpoint", "Try again"),
        ("put", 507, "XMinioStorageFull", "Full", "s3_bucket", "no room"),
        (
            "list",
            400,
            "AuthorizationQueryParametersError",
            "the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            "s3_region",
            "eu-west-1",
        ),
    ] {
        let store = store(move |action, _| (action == refused).then(|| error(status, code, message))).await;
        let error = ask(&store).await.expect_err(code);
        assert_eq!(error.field, field, "{refused} {code}: {error:?}");
        assert!(error.message.contains(words), "{refused} {code}: {error:?}");
        let heard = store.heard();
        let wrote = heard.iter().any(|request| action(request) == "put");
        assert_eq!(heard.last().map(action) == Some("delete"), wrote, "{refused} {code}");
    }
}

#[tokio::test]
async fn another_region_is_named() {
    let elsewhere =
        store(|action, _| (action == "list").then(|| Reply::status(301).with("x-amz-bucket-region", "ap-southeast-2")))
            .await;
    let error = ask(&elsewhere).await.expect_err("elsewhere");
    assert_eq!(error.field, "s3_region", "{error:?}");
    assert!(error.message.contains("ap-southeast-2"), "{error:?}");
    let moved = Liar::start(|_| Reply::status(301).with("location", "http://169.254.169.254/")).await;
    let error = ask(&moved).await.expect_err("not followed");
    assert_eq!(error.field, "s3_endpoint", "{error:?}");
}

#[tokio::test]
async fn a_store_that_cannot_encrypt_is_told_apart() {
    let store = store(|_, heard| {
        let wants = heard.header("x-amz-server-side-encryption").is_some();
        wants.then(|| error(501, "NotImplemented", "Server side encryption specified but KMS is not configured"))
    })
    .await;
    let error = ask(&store).await.expect_err("it can't");
    assert_eq!(error.field, "s3_encrypt", "{error:?}");
    assert!(error.message.contains("KMS is not configured"), "{error:?}");
    assert_eq!(store.heard().last().map(action), Some("delete"), "what was written without it goes");
}

#[tokio::test]
async fn what_is_no_store_is_told_apart() {
    for reply in [
        Reply::Answer(200, vec![("content-type", "text/html".into())], b"<html>console</html>".to_vec()),
        Reply::json(404, r#"{"error":"nothing here"}"#),
        Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        Reply::Flood(4 << 20),
    ] {
        let shown = format!("{reply:?}").chars().take(40).collect::<String>();
        let wrong = Liar::start(move |_| reply.clone()).await;
        let error = ask(&wrong).await.expect_err("no store");
        assert_eq!(error.field, "s3_endpoint", "{shown}: {error:?}");
    }
    let forgetful =
        store(|action, _| (action == "get").then(|| Reply::Answer(200, Vec::new(), b"other".to_vec()))).await;
    let error = ask(&forgetful).await.expect_err("other bytes");
    assert!(error.field == "s3_endpoint" && error.message.contains("something else"), "{error:?}");
}

/// `images.localhost` resolves to this machine, so both styles can be asked.
#[tokio::test]
async fn the_style_that_works_is_named() {
    let by_host = store(|_, heard| {
        (!heard.header("host").is_some_and(|host| host.starts_with("images.")))
            .then(|| error(404, "NoSuchBucket", "The specified bucket does not exist"))
    })
    .await;
    let port = by_host.host().to_string();
    let port = port.rsplit_once(':').expect("a port").1;
    if tokio::net::lookup_host(("images.localhost", 0)).await.is_err() {
        eprintln!("skipped: this machine resolves no names below localhost");
        return;
    }
    let place = S3Place { endpoint: Some(format!("http://localhost:{port}")), ..place(&by_host) };
    let error =
        probe(&place, &keys("AKIAIOSFODNN7EXAMPLE", "the-secret-key")).await.expect_err("by path it doesn't answer");
    assert_eq!(error.field, "s3_path_style", "{error:?}");
    assert!(error.message.contains("Untick"), "{error:?}");
}
