//! ECR: an access key that is exchanged, its own interface with signatures, and the registry.

use super::script::{Heard, Reply, Server};
use super::{cannot, digest, names, nowhere};
use app::model::provider::Provider::Ecr;
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use slipway::clock::Clock;
use slipway::oci::{Access, Client, Login, OciError};
use slipway::providers::{Asker, Endpoints, ListError, Providers};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const HOST: &str = "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const SECRET: &str = "wJalrXUtnFEMI/SECRETCANARY";
const SESSION: &str = "SESSIONcanary==";

/// ECR's interface; `passwords` counts those that were given out, each good for twelve hours of `clock`.
fn aws(heard: &Heard, passwords: &AtomicUsize, clock: &Clock) -> Reply {
    assert_eq!((heard.method.as_str(), heard.target.as_str()), ("POST", "/"));
    assert_eq!(heard.header("content-type"), Some("application/x-amz-json-1.1"));
    let refuse = |kind: &str, said: &str| Reply::json(400, format!(r#"{{"__type":"{kind}","message":"{said}"}}"#));
    let signature = heard.authorization().unwrap_or_default();
    if !signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIA") {
        return refuse("MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    if signature.contains("AKIAWRONG") {
        return refuse("com.amazon.coral.service#UnrecognizedClientException", "The security token is invalid.");
    }
    assert!(signature.contains("/eu-central-1/ecr/aws4_request, SignedHeaders="), "{signature}");
    let body: serde_json::Value = serde_json::from_str(&heard.body).expect("JSON");
    let target = heard.header("x-amz-target").unwrap_or_default();
    match target.strip_prefix("AmazonEC2ContainerRegistry_V20150921.").expect("a target") {
        "GetAuthorizationToken" => {
            let number = passwords.fetch_add(1, Ordering::SeqCst) + 1;
            let token = STANDARD.encode(format!("AWS:password-{number}"));
            let ends = clock.seconds() + 12 * 3_600;
            Reply::json(
                200,
                format!(
                    r#"{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":{ends}.123,"proxyEndpoint":"{HOST}"}}]}}"#
                ),
            )
        }
        _ if signature.contains("AKIAPULL") => {
            refuse("AccessDeniedException", "is not authorized to perform: ecr:Describe")
        }
        "DescribeRepositories" if body["nextToken"].is_null() => {
            assert_eq!((&body["registryId"], &body["maxResults"]), (&"123456789012".into(), &1000.into()));
            Reply::json(
                200,
                r#"{"repositories":[{"repositoryName":"shop/web","repositoryUri":"x"},{"repositoryName":"api"}],"nextToken":"opaque=="}"#,
            )
        }
        "DescribeRepositories" => {
            assert_eq!(body["nextToken"], "opaque==");
            Reply::json(200, r#"{"repositories":[{"repositoryName":"worker"}]}"#)
        }
        "DescribeImages" if body["repositoryName"] == "api" => refuse("ThrottlingException", "Rate exceeded"),
        "DescribeImages" => {
            assert_eq!(body["filter"]["tagStatus"], "TAGGED");
            let a = digest("a");
            Reply::json(
                200,
                format!(
                    r#"{{"imageDetails":[{{"imageDigest":"{a}","imageTags":["1.0","latest"],"imageSizeInBytes":99,"imagePushedAt":1795514400.5}},{{"imageDigest":"x"}}]}}"#
                ),
            )
        }
        other => panic!("{other}"),
    }
}

struct World {
    aws: Server,
    providers: Providers,
    clock: Clock,
    passwords: Arc<AtomicUsize>,
}

async fn world() -> World {
    let (clock, passwords) = (Clock::system(), Arc::new(AtomicUsize::new(0)));
    let (time, count) = (clock.clone(), passwords.clone());
    let aws = Server::start(move |heard| aws(heard, &count, &time)).await;
    let endpoints = Endpoints { ecr: aws.origin(), ..nowhere() };
    let providers = Providers::with_clock(Client::new().expect("a client"), endpoints, clock.clone());
    World { aws, providers, clock, passwords }
}

fn stored(id: &str, secret: &str) -> Login {
    Login { username: id.into(), password: Secret::new(secret.into()) }
}

fn at(url: &str, login: Option<Login>) -> Access {
    Access { url: url.parse().expect("an address"), login, trust: crate::lab::internal() }
}

impl World {
    /// What `Credentials::access` does.
    async fn sign_in(&self, id: &str, secret: &str) -> Access {
        let login = self.providers.of(Ecr).login(&at(HOST, None), &stored(id, secret)).await.expect("a login");
        at(HOST, Some(login))
    }
}

#[tokio::test]
async fn an_access_key_becomes_a_password_that_is_kept_until_an_hour_before_its_end() {
    let world = world().await;
    let access = world.sign_in("AKIAGOOD", SECRET).await;
    let login = access.login.expect("a login");
    assert_eq!((login.username.as_str(), login.password.expose("test")), ("AWS", "password-1"));
    world.clock.advance(Duration::from_secs(10 * 3_600 + 3_500));
    world.sign_in("AKIAGOOD", SECRET).await;
    assert_eq!(world.passwords.load(Ordering::SeqCst), 1, "it is still good");
    world.clock.advance(Duration::from_secs(200));
    let renewed = world.sign_in("AKIAGOOD", SECRET).await.login.expect("a login");
    assert_eq!(renewed.password.expose("test"), "password-2");
    world.sign_in("AKIAGOOD", &format!("{SECRET}x")).await;
    assert_eq!(world.passwords.load(Ordering::SeqCst), 3, "another secret is another login");
}

#[tokio::test]
async fn many_ask_and_one_exchanges() {
    let world = world().await;
    let all = futures::future::join_all((0..20).map(|_| world.sign_in("AKIAGOOD", SECRET))).await;
    assert_eq!((all.len(), world.passwords.load(Ordering::SeqCst)), (20, 1));
}

#[tokio::test]
async fn requests_are_signed_and_the_secret_stays_here() {
    let world = world().await;
    let access = world.sign_in("AKIAGOOD", &format!("{SECRET}|{SESSION}")).await;
    world.providers.of(Ecr).repositories(Asker { access: &access, namespaces: &[] }, None).await.expect("a page");
    assert!(!world.aws.heard_of(SECRET), "the secret key left this machine");
    for heard in world.aws.heard() {
        let signature = heard.authorization().expect("signed");
        assert!(signature.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"));
        assert_eq!(heard.header("x-amz-security-token"), Some(SESSION));
        let time = heard.header("x-amz-date").expect("a time");
        assert!(signature.contains(&format!("/{}/eu-central-1/", &time[..8])), "{signature} {time}");
    }
}

#[tokio::test]
async fn repositories_and_tags_come_from_its_interface() {
    let world = world().await;
    let access = world.sign_in("AKIAGOOD", SECRET).await;
    let ecr = world.providers.of(Ecr);
    let asker = Asker { access: &access, namespaces: &[] };
    let first = ecr.repositories(asker, None).await.expect("a page");
    let second = ecr.repositories(asker, first.next.as_deref()).await.expect("a page");
    let found: Vec<_> = first.items.iter().chain(&second.items).map(|item| item.name.as_str()).collect();
    assert_eq!((found, second.next), (vec!["shop/web", "api", "worker"], None));

    let page = ecr.tags(&access, &"shop/web".parse().expect("a repository"), None).await.expect("tags");
    assert_eq!(names(&page.items), ["1.0", "latest"]);
    let tag = &page.items[1];
    assert_eq!(tag.digest.as_ref().map(ToString::to_string), Some(digest("a")));
    assert_eq!((tag.at, tag.size), (Some(1_795_514_400), Some(99)));

    let busy = ecr.tags(&access, &"api".parse().expect("a repository"), None).await;
    assert!(matches!(busy, Err(ListError::Failed(OciError::RateLimited { .. }))), "AWS names no time: {busy:?}");
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_host_have_their_own_words() {
    let world = world().await;
    let ecr = world.providers.of(Ecr);
    let error = ecr.login(&at(HOST, None), &stored("AKIAWRONG", SECRET)).await.expect_err("refused");
    assert!(matches!(error, OciError::WrongCredentials { .. }), "{error:?}");
    let problem = ecr.explain(&error).expect("known");
    assert!(problem.remedy.contains("access key id"), "{problem:?}");
    let elsewhere = at("https://registry.example.com", None);
    let error = ecr.login(&elsewhere, &stored("AKIAGOOD", SECRET)).await.expect_err("refused");
    assert!(matches!(&error, OciError::NotARegistry { reason, .. } if reason.contains("dkr.ecr")), "{error:?}");
    assert_eq!(world.passwords.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_password_of_aws_stays_as_it_is_and_the_registry_lists() {
    let registry = Server::start(|heard| {
        let basic = format!("Basic {}", STANDARD.encode("AWS:ready"));
        match (heard.target.as_str(), heard.authorization()) {
            (_, value) if value != Some(basic.as_str()) => {
                Reply::challenge(&[r#"Basic realm="https://x/",service="ecr.amazonaws.com""#])
            }
            ("/v2/_catalog?n=1000", _) => Reply::json(200, r#"{"repositories":["shop/web"]}"#),
            ("/v2/shop/web/tags/list?n=1000", _) => Reply::json(200, r#"{"tags":["1"]}"#),
            _ => Reply::json(405, "{}"),
        }
    })
    .await;
    let world = world().await;
    let ready = stored("AWS", "ready");
    let login = world.providers.of(Ecr).login(&at(HOST, None), &ready).await.expect("a login");
    assert_eq!(login.password.expose("test"), "ready");
    let access = at(&registry.origin(), Some(login));
    let page = world.providers.of(Ecr).repositories(Asker { access: &access, namespaces: &[] }, None).await;
    assert_eq!(page.expect("a page").items.len(), 1);
    let page = world.providers.of(Ecr).tags(&access, &"shop/web".parse().expect("a repository"), None).await;
    assert_eq!(names(&page.expect("tags").items), ["1"]);
    assert!(world.aws.heard().is_empty());
}

#[tokio::test]
async fn an_empty_list_is_a_sentence() {
    let registry = Server::start(|_| Reply::json(200, r#"{"repositories":[]}"#)).await;
    let world = world().await;
    let access = at(&registry.origin(), Some(stored("AWS", "ready")));
    let page = world.providers.of(Ecr).repositories(Asker { access: &access, namespaces: &[] }, None).await;
    assert!(cannot(page).contains("AWS shows this login no repositories"));
}
