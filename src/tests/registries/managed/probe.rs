//! The end-to-end probe: against a real registry, and against ones that fail in every way there is.

use crate::credentials::{CANARY, House, accepts_canary, form};
use crate::lab::Lab;
use crate::liar::{Heard, Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::model::credential::CredentialForm;
use app::model::id::RegistryId;
use app::model::registry::{ManagedState, ManagedStatus, RegistryForm};
use app::model::secret::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Makes a registry that answers at `host` look as if Slipway ran it.
pub async fn adopt(house: &House, host: &str, credential: CredentialForm, domain: Option<&str>) -> RegistryId {
    let credential = house.credentials.create(&house.actor, credential).await.expect("a credential");
    let form = RegistryForm {
        name: "Ours".into(),
        credential: credential.to_string(),
        base_path: String::new(),
        is_default: None,
        platforms: String::new(),
    };
    let id = house.registries.create(&house.actor, form).await.expect("a registry");
    let port: u16 = host.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let wanted = serde_json::json!({"image": "registry:2", "domain": domain, "storage": {"volume": {"name": "none"}}});
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query(
        "INSERT INTO managed_registries (id, phase, port, reach, node_id, node_name, wanted, settled, settled_revision)
         VALUES (?1, 'running', ?2, 'host', 'n1', 'one', ?3, ?3, 1)",
    )
    .bind(id.as_str())
    .bind(port)
    .bind(wanted.to_string())
    .execute(&mut *tx)
    .await
    .expect("a row");
    tx.commit().await.expect("committed");
    id
}

async fn check(house: &House, id: &RegistryId) -> ManagedStatus {
    house.registries.check(&house.actor, id).await.expect("a status")
}

fn steps(status: &ManagedStatus) -> Vec<(&str, Option<bool>)> {
    let probe = status.probe.as_ref().expect("it was probed");
    probe.steps.iter().map(|step| (step.name.as_str(), step.ok)).collect()
}

#[tokio::test]
async fn a_real_registry_passes_and_nothing_stays_behind() {
    let Some(lab) = Lab::find() else { return };
    let house = House::open().await;
    let credential = CredentialForm {
        username: lab.username.clone(),
        password: Secret::new(lab.password.clone()),
        ..form("Lab", &format!("http://{}", lab.registry), "")
    };
    let id = adopt(&house, &lab.registry, credential, None).await;
    for _ in 0..2 {
        let status = check(&house, &id).await;
        let all = ["connect", "sign_in", "push", "read", "delete", "storage"].map(|name| (name, Some(true)));
        assert_eq!(steps(&status), all, "{:?}", status.probe);
        assert!(status.probe.is_some_and(|probe| probe.ok && probe.problem.is_none()));
    }
    let oci = slipway::oci::Client::new().expect("a client");
    let repository = "slipway-probe".parse().expect("a repository");
    let digest = {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(b"Slipway looks whether this registry works.\n");
        format!("sha256:{}", app::model::text::hex(&hash)).parse().expect("a digest")
    };
    let left = oci.blob(&lab.access(), &repository, &digest, 100).await.expect("an answer");
    assert!(left.is_none(), "the blob is gone");
    let tags = oci.tags(&lab.access(), &repository, None).await;
    assert!(matches!(tags, Err(slipway::oci::OciError::NotOffered { .. })), "no manifest was ever there: {tags:?}");
    let kept = house.count("SELECT count(*) FROM registry_checks WHERE ok = 1").await;
    assert!((1..=2).contains(&kept), "two probes, perhaps within one second");
    let status = house.registries.status(&house.actor, &id).await.expect("a status");
    assert_eq!(status.uptime.len(), 48);
    assert_eq!(i64::from(status.uptime.iter().map(|slot| slot.good).sum::<u32>()), kept);
}

/// What the scripted registry does, by number.
const FINE: u8 = 0;
const REFUSES: u8 = 1;
const FULL: u8 = 2;
const UNHEALTHY: u8 = 3;
const OPEN: u8 = 4;
const FORGETS: u8 = 5;
const KEEPS: u8 = 6;
const ELSEWHERE: u8 = 7;
const WEB: u8 = 8;

fn registry(mode: u8, heard: &Heard) -> Reply {
    let blob = heard.target.contains("/blobs/sha256:");
    match mode {
        UNHEALTHY => return Reply::json(503, r#"{"errors":[{"code":"UNAVAILABLE","message":"service unavailable"}]}"#),
        OPEN => return Reply::json(200, "{}"),
        WEB => return Reply::Answer(404, vec![("content-type", "text/html".into())], b"<html>".to_vec()),
        REFUSES => return Reply::challenge(&[r#"Basic realm="registry""#]),
        _ => {}
    }
    if let refused @ Reply::Answer(401, ..) = accepts_canary(heard) {
        return refused;
    }
    match (heard.method.as_str(), mode) {
        ("POST", FULL) => Reply::json(
            500,
            r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem","Enclosed":{"Op":"mkdir","Path":"/var/lib/registry","Err":28}}}]}"#,
        ),
        ("POST", ELSEWHERE) => {
            Reply::status(202).with("location", "http://127.0.0.1:9/v2/slipway-probe/blobs/uploads/1")
        }
        ("POST", _) => Reply::status(202).with("location", "/v2/slipway-probe/blobs/uploads/1?_state=x"),
        ("PUT", _) => Reply::status(201),
        ("GET", FORGETS) if blob => Reply::json(404, r#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#),
        ("GET", _) if blob => Reply::Answer(200, vec![], b"Slipway looks whether this registry works.\n".to_vec()),
        ("DELETE", KEEPS) => Reply::json(405, r#"{"errors":[{"code":"UNSUPPORTED"}]}"#),
        ("DELETE", _) => Reply::status(202),
        _ => Reply::json(200, "{}"),
    }
}

#[tokio::test]
async fn each_failure_is_told_with_its_step_and_its_remedy() {
    let house = House::open().await;
    let mode = Arc::new(AtomicU8::new(FINE));
    let now = mode.clone();
    let liar = Liar::start(move |heard| registry(now.load(Ordering::SeqCst), heard)).await;
    let id = adopt(&house, &liar.host(), form("Ours", &liar.host(), CANARY), None).await;
    for (does, code, step) in [
        (FINE, None, None),
        (REFUSES, Some("registry.password_differs"), Some("sign_in")),
        (FULL, Some("registry.disk_full"), Some("push")),
        (UNHEALTHY, Some("registry.unhealthy"), Some("connect")),
        (OPEN, Some("registry.open"), Some("connect")),
        (WEB, Some("registry.stranger"), Some("connect")),
        (FORGETS, Some("registry.forgets"), Some("read")),
        (KEEPS, Some("registry.no_delete"), Some("delete")),
        (ELSEWHERE, Some("registry.probe_failed"), Some("push")),
        (FINE, None, None),
    ] {
        mode.store(does, Ordering::SeqCst);
        let status = check(&house, &id).await;
        let probe = status.probe.as_ref().expect("it was probed");
        assert_eq!(probe.problem.as_ref().map(|problem| problem.code.as_str()), code, "{does}: {probe:?}");
        assert_eq!(probe.ok, code.is_none(), "{does}");
        let failed = probe.steps.iter().find(|step| step.ok == Some(false)).map(|step| step.name.as_str());
        assert_eq!(failed, step, "{does}: {probe:?}");
        // Behind a failure nothing is tried that needs it.
        let mut order = steps(&status).into_iter().filter(|(name, _)| *name != "storage").map(|(_, ok)| ok);
        let reached: Vec<_> = order.by_ref().take_while(|ok| *ok == Some(true)).collect();
        assert!(reached.len() <= 5 && (does == FORGETS || order.all(|ok| ok.is_none())), "{does}: {probe:?}");
    }
    let agent = format!("slipway-probe/{}", env!("CARGO_PKG_VERSION"));
    let heard = liar.heard();
    let ours = heard.iter().filter(|heard| heard.header("user-agent") == Some(agent.as_str()));
    assert!(ours.clone().count() > 20, "the probe says who it is");
    assert!(ours.clone().any(|heard| heard.method == "PUT" && heard.target.contains("_state=x&digest=sha256%3A")));

    drop(liar);
    let status = check(&house, &id).await;
    assert_eq!(status.state, ManagedState::Failing);
    let problem = status.probe.and_then(|probe| probe.problem).expect("a problem");
    assert_eq!(problem.code, "registry.not_listening");
    let kept = house.count("SELECT count(*) FROM registry_checks WHERE ok = 0 AND problem IS NOT NULL").await;
    assert!(kept > 0, "failures stay on record");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_a_warning() {
    let house = House::open().await;
    let liar = Liar::start(|heard| registry(FINE, heard)).await;
    let credential = form("Ours", &liar.host(), CANARY);
    let id = adopt(&house, &liar.host(), credential, Some("registry.example.invalid")).await;
    let status = check(&house, &id).await;
    let probe = status.probe.as_ref().expect("it was probed");
    assert!(probe.ok, "it works all the same: {probe:?}");
    assert_eq!(probe.problem.as_ref().map(|problem| problem.code.as_str()), Some("registry.domain_away"));
    assert_eq!(steps(&status).last(), Some(&("domain", Some(false))));
}
