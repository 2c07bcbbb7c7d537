//! Where connections may lead: this machine and private networks for internal credentials alone, metadata for nobody.

use super::{LIMITS, access, client, login, repository};
use crate::lab::internal;
use crate::liar::{Liar, Reply};
use app::model::credential::Trust;
use slipway::oci::{Access, Call, Client, Lookup, OciError, Sign};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn outside(url: &str) -> Access {
    Access { url: url.parse().expect("an address"), login: Some(login()), trust: Trust::default() }
}

/// Everything that can be asked of a registry.
async fn everything(client: &Client, access: &Access) -> Vec<Result<(), OciError>> {
    let (repository, digest) = (repository(), format!("sha256:{}", "a".repeat(64)).parse().expect("a digest"));
    let call = Call {
        method: http::Method::GET,
        url: format!("{}/api", access.url),
        sign: Sign::Basic(login()),
        headers: Vec::new(),
        body: Vec::new(),
    };
    vec![
        client.check(access).await,
        client.look_up(access).await.map(|_| ()),
        client.shake_hands(access).await.map(|_| ()),
        client.greet(access).await.map(|_| ()),
        client.repositories(access, None).await.map(|_| ()),
        client.tags(access, &repository, None).await.map(|_| ()),
        client.digest(access, &repository, "1").await.map(|_| ()),
        client.manifest(access, &repository, "1").await.map(|_| ()),
        client.blob(access, &repository, &digest, 10).await.map(|_| ()),
        client.may_push(access, &repository).await,
        client.get(access, "/api", "").await.map(|_| ()),
        client.call(&access.trust, call).await.map(|_| ()),
    ]
}

/// A way of looking up that gives its answers in turn, the last one for ever.
fn turns(answers: Vec<Vec<&'static str>>) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let turn = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found: Vec<IpAddr> = answers[turn].iter().map(|text| text.parse().expect("an address")).collect();
        Box::pin(async move { Ok(found) })
    });
    (lookup, asked)
}

/// S4: whatever is asked, and however the address is spelled.
#[tokio::test]
async fn this_machine_and_private_networks_are_refused_unless_internal() {
    let liar = Liar::start_tls(|_| Reply::json(200, "{}")).await;
    let port = liar.host().rsplit(':').next().unwrap_or_default().to_owned();
    let client = client();
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("127.9.9.9:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        "10.0.0.7".into(),
        "172.16.0.1".into(),
        "192.168.1.1:5000".into(),
        "100.64.0.1".into(),
        "[fd00::7]".into(),
        "[fc00::1]".into(),
    ] {
        for outcome in everything(&client, &outside(&format!("https://{host}"))).await {
            let Err(error @ OciError::Forbidden { internal_helps: true, .. }) = &outcome else {
                panic!("{host}: {outcome:?}")
            };
            let problem = error.problem();
            assert!(problem.remedy.contains("internal network if this registry is yours"), "{problem:?}");
        }
    }
    assert!(liar.heard().is_empty(), "{:?}", liar.heard());
    let error = client.check(&Access { trust: internal(), ..outside(&format!("https://localhost:{port}")) }).await;
    assert!(matches!(error, Err(OciError::Tls { .. })), "an internal one is connected to: {error:?}");
}

/// S4: metadata services and the like, for internal credentials, too.
#[tokio::test]
async fn metadata_is_refused_to_everybody() {
    let client = client();
    for host in ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[fe80::1]", "0.0.0.0", "[::]"] {
        for scheme in ["https", "http"] {
            let access = Access { trust: internal(), ..outside(&format!("{scheme}://{host}")) };
            for outcome in everything(&client, &access).await {
                let is_refused = matches!(outcome, Err(OciError::Forbidden { internal_helps: false, .. }));
                assert!(is_refused, "{scheme}://{host}: {outcome:?}");
            }
        }
    }
}

/// S6: plain HTTP is for internal networks alone.
#[tokio::test]
async fn plain_http_is_refused_unless_internal() {
    let liar = Liar::start(|_| Reply::json(200, "{}")).await;
    for outcome in everything(&client(), &Access { trust: Trust::default(), ..access(&liar) }).await {
        assert!(matches!(outcome, Err(OciError::Forbidden { internal_helps: true, .. })), "{outcome:?}");
    }
    assert!(liar.heard().is_empty());
    client().check(&access(&liar)).await.expect("accepted");
}

/// S5: a name that was public when somebody looked and is private when a connection is made.
#[tokio::test]
async fn rebinding_leads_nowhere() {
    let liar = Liar::start_tls(|_| Reply::json(200, "{}")).await;
    let port = liar.host().rsplit(':').next().unwrap_or_default().to_owned();
    let access = outside(&format!("https://registry.example:{port}"));

    let (lookup, asked) = turns(vec![vec!["1.1.1.1"], vec!["127.0.0.1"]]);
    let client = Client::with_lookup(LIMITS, lookup).expect("a client");
    let found = client.look_up(&access).await.expect("a public address");
    assert_eq!(found, ["1.1.1.1".parse::<IpAddr>().expect("an address")]);
    for outcome in everything(&client, &access).await {
        assert!(matches!(outcome, Err(OciError::Forbidden { .. })), "{outcome:?}");
    }
    assert!(asked.load(Ordering::SeqCst) > 10, "each connection is judged by its own lookup");

    // 1,000 tries, alternating between what is refused for different reasons.
    let (lookup, _) =
        turns((0..1_000).map(|n| if n % 2 == 0 { vec!["127.0.0.1", "::1"] } else { vec!["10.0.0.7"] }).collect());
    let client = Client::with_lookup(LIMITS, lookup).expect("a client");
    for _ in 0..1_000 {
        let outcome = client.check(&access).await;
        assert!(matches!(outcome, Err(OciError::Forbidden { .. })), "{outcome:?}");
    }
    assert!(liar.heard().is_empty(), "{:?}", liar.heard());

    // Metadata isn't reached by name, whatever the credential allows; and the allowed address of two is the one.
    let inside = Access { trust: internal(), ..access };
    let (lookup, _) = turns(vec![vec!["169.254.169.254"]]);
    let outcome = Client::with_lookup(LIMITS, lookup).expect("a client").check(&inside).await;
    assert!(matches!(outcome, Err(OciError::Forbidden { internal_helps: false, .. })), "{outcome:?}");
    let (lookup, _) = turns(vec![vec!["169.254.169.254", "127.0.0.1"]]);
    let outcome = Client::with_lookup(LIMITS, lookup).expect("a client").check(&inside).await;
    assert!(matches!(outcome, Err(OciError::Tls { .. })), "{outcome:?}");
}

/// S2, S5: a name that a redirect or a realm names is judged as any other.
#[tokio::test]
async fn names_that_a_registry_names_are_judged_too() {
    let (lookup, asked) = turns(vec![vec!["169.254.169.254"]]);
    let client = Client::with_lookup(LIMITS, lookup).expect("a client");
    let registry = Liar::start(|heard| match heard.path() {
        path if path.contains("/blobs/") => Reply::status(307).with("location", "http://metadata.example/latest"),
        _ => Reply::challenge(&[r#"Bearer realm="https://metadata.example/token""#]),
    })
    .await;
    let digest = format!("sha256:{}", "a".repeat(64)).parse().expect("a digest");
    let outcome = client.blob(&access(&registry), &repository(), &digest, 10).await;
    assert!(matches!(outcome, Err(OciError::Forbidden { .. })), "{outcome:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let approved = Trust { realm: Some("https://metadata.example".into()), ..internal() };
    let outcome = client.check(&Access { trust: approved, ..access(&registry) }).await;
    assert!(matches!(outcome, Err(OciError::Forbidden { .. })), "{outcome:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
