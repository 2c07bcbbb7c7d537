//! Registries and their jobs over the API.

use super::engine::{self, CANARY};
use super::{House, Program};
use crate::liar::{Liar, Reply};
use ::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use ::http::{Method, Request, StatusCode};
use app::model::credential::CredentialForm;
use app::model::secret::Secret;
use axum::body::{Body, Bytes};
use serde_json::{Value, json};

const LIST: &str = "/api/v1/registries";

/// A credential whose registry runs as long as the liar is kept.
async fn credential(house: &House) -> (Liar, String) {
    let liar = Liar::start(|_| Reply::json(200, "{}")).await;
    let actor = house.app.slipway.accounts.named("owner").await.expect("the owner");
    let form = CredentialForm {
        name: "Main".into(),
        url: liar.host(),
        username: "deploy".into(),
        password: Secret::new(CANARY.into()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    let id = house.app.slipway.backend.credentials.create(&actor, form).await.expect("created");
    (liar, id.to_string())
}

fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().expect("errors").iter().filter_map(|error| error["field"].as_str()).collect()
}

#[tokio::test]
async fn external_ones_are_created_shown_and_deleted() {
    let house = House::open().await;
    let (liar, credential) = credential(&house).await;
    let wish = json!({
        "kind": "external", "name": "Main", "credential": credential, "base_path": "acme",
        "platforms": ["linux/amd64", "linux/arm64"],
    });
    let got = house.program.post(LIST, Some(wish.clone())).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.text);
    assert_eq!(got.json["job"], Value::Null);
    let registry = &got.json["registry"];
    let id = registry["id"].as_str().expect("an id");
    assert_eq!(got.header("location"), format!("{LIST}/{id}"));
    assert_eq!((&registry["kind"], &registry["is_default"]), (&json!("external"), &json!(true)));
    assert_eq!(registry["host"], liar.host());
    assert_eq!(registry["platforms"], json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(registry["credential"], json!({ "id": credential, "name": "Main", "works": true }));
    assert_eq!(house.reader.get(got.header("location")).await.json, *registry);
    assert_eq!(house.reader.get(LIST).await.json, json!({ "items": [registry] }));

    let again = house.program.post(LIST, Some(wish)).await;
    assert_eq!(fields(again.problem(422)), ["name"], "{}", again.text);
    let gone = house.program.ask(&Method::DELETE, &format!("{LIST}/{id}"), None).await;
    assert!(gone.status == StatusCode::NO_CONTENT && gone.text.is_empty(), "{gone:?}");
    house.program.get(&format!("{LIST}/{id}")).await.problem(404);
    assert_eq!(house.program.get(LIST).await.json, json!({ "items": [] }));
    let record: Vec<String> = sqlx::query_scalar("SELECT actor FROM activity WHERE verb LIKE 'registry.%'")
        .fetch_all(house.app.slipway.db.read())
        .await
        .expect("the record");
    assert_eq!(record, ["owner (token ci)", "owner (token ci)"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_and_nothing_of_it_is_repeated() {
    let house = House::open().await;
    for (wish, field) in [
        (json!({}), "kind"),
        (json!({ "kind": "external", "name": "x" }), "credential"),
        (json!({ "kind": "external", "name": "x", "credential": "y", "password": CANARY }), "password"),
        (json!({ "kind": "external", "name": [CANARY], "credential": "y" }), "name"),
        (json!({ "kind": "external", "name": "x", "credential": "cred_0123456789ab" }), "credential"),
        (json!({ "kind": "managed", "name": "x", "port": CANARY }), "port"),
    ] {
        let got = house.program.post(LIST, Some(wish)).await;
        assert_eq!(fields(got.problem(422)), [field], "{}", got.text);
        assert_eq!(got.json["type"], "/problems/invalid");
        assert!(!got.text.contains(CANARY), "{}", got.text);
    }
    let all = house.program.post(LIST, Some(json!({ "kind": "external", "name": "", "credential": "" }))).await;
    assert_eq!(fields(all.problem(422)), ["name", "credential"]);

    let send = async |kind: &str, body: Body| {
        let request = Request::post(LIST).header(CONTENT_TYPE, kind);
        house.program.send(request.body(body).expect("a request")).await
    };
    send("application/x-www-form-urlencoded", "kind=external".into()).await.problem(415);
    send("application/json", "{\"kind\":".into()).await.problem(400);
    send("application/json", "[]".into()).await.problem(400);
    send("application/json", Body::empty()).await.problem(400);
    send("application/json; charset=utf-8", "{}".into()).await.problem(422);
    let large = Bytes::from(vec![b' '; (1 << 20) + 1]);
    send("application/json", large.clone().into()).await.problem(413);
    let pieces = futures::stream::iter([Ok::<_, std::io::Error>(large.slice(..1 << 19)), Ok(large)]);
    send("application/json", Body::from_stream(pieces)).await.problem(413);
    let request = Request::post(LIST).header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "gzip");
    house.program.send(request.body("{}".into()).expect("a request")).await.problem(415);
}

#[tokio::test]
async fn managed_ones_are_asked_for_with_all_they_need() {
    let house = House::scripted().await;
    let storage = |bucket: &str| {
        json!({ "kind": "s3", "region": "eu-1", "endpoint": "https://s3.example", "bucket": bucket,
                "access_key": "id", "secret_key": CANARY, "path_style": true })
    };
    let wish = json!({ "kind": "managed", "name": "Ours", "port": 5001, "storage": storage("images") });
    let got = house.program.post(LIST, Some(wish)).await;
    assert_eq!(got.status, StatusCode::ACCEPTED, "{}", got.text);
    let registry = &got.json["registry"];
    assert_eq!(got.header("location"), format!("{LIST}/{}", registry["id"].as_str().expect("an id")));
    assert_eq!(registry["managed"]["storage"]["kind"], "s3");
    assert_eq!(got.json["job"]["kind"], "create_registry");
    assert!(!got.text.contains(CANARY), "{}", got.text);
    {
        let heard = house.engine.heard.lock().expect("a lock");
        let form = &heard.created[0];
        assert_eq!(form.s3_secret_key.expose("the test compares it"), CANARY);
        assert_eq!((form.storage.as_str(), form.port.as_str()), ("s3", "5001"));
    }
    let wrong = json!({ "kind": "managed", "name": "Ours", "storage": storage("wrong") });
    let got = house.program.post(LIST, Some(wrong)).await;
    assert_eq!(fields(got.problem(422)), ["storage.bucket"], "{}", got.text);
    assert!(got.json["detail"].as_str().is_some_and(|text| text.starts_with("storage.bucket")), "{}", got.text);
}

#[tokio::test]
async fn a_status_has_the_steps_of_the_probe_and_is_fresh_when_asked_for() {
    let house = House::scripted().await;
    let path = format!("{LIST}/{}/status", engine::id());
    let got = house.reader.get(&path).await;
    assert_eq!((got.status, &got.json["state"]), (StatusCode::OK, &json!("failing")), "{}", got.text);
    let steps = got.json["probe"]["steps"].as_array().expect("steps");
    let told: Vec<_> = steps.iter().map(|step| (step["name"].as_str().expect("a name"), &step["ok"])).collect();
    assert_eq!(told, [("connect", &json!(true)), ("push", &json!(false)), ("read", &Value::Null)]);
    assert_eq!(got.json["problem"]["code"], "registry.full");
    assert_eq!(got.json["looked_at"], "2023-11-14T22:13:20Z");
    assert_eq!(house.program.get(&format!("{path}?fresh=true")).await.status, StatusCode::OK);
    assert_eq!(house.engine.heard.lock().expect("a lock").checks, 1);
    for (query, field) in [("fresh=perhaps", "fresh"), ("frsh=true", "frsh")] {
        let got = house.program.get(&format!("{path}?{query}")).await;
        assert_eq!(fields(got.problem(422)), [field], "{}", got.text);
    }
    let broken = house.program.get(&format!("{LIST}/{}/status", engine::breaks())).await;
    assert_eq!(broken.problem(500)["type"], "about:blank", "a fault of ours is told like any other");
    house.program.get(&format!("{LIST}/reg_0123456789ab/status")).await.problem(404);
    house.program.get(&format!("{LIST}/srv_0123456789ab/status")).await.problem(404);
    house.program.get(&format!("{LIST}/..%2f..%2fetc/status")).await.problem(404);
}

/// Follows a 202 to its job.
async fn followed(program: &Program, got: &super::Got, kind: &str) {
    assert_eq!(got.status, StatusCode::ACCEPTED, "{}", got.text);
    let to = got.header("location");
    assert_eq!(to, format!("/api/v1/jobs/{}", got.json["id"].as_str().expect("an id")));
    let job = program.get(to).await;
    assert_eq!((job.status, &job.json["kind"]), (StatusCode::OK, &json!(kind)), "{}", job.text);
    assert_eq!(job.json["subject"], format!("registry:{}", engine::id()));
    assert_eq!((&job.json["state"], &job.json["finished"]), (&json!("queued"), &json!(false)));
    assert_eq!(job.json["asked_by"], "owner (token ci)");
}

#[tokio::test]
async fn a_restart_can_be_followed() {
    let house = House::scripted().await;
    let path = format!("{LIST}/{}/restart", engine::id());
    let got = house.program.post(&path, None).await;
    followed(&house.program, &got, "restart_registry").await;
    followed(&house.reader, &house.program.post(&path, Some(json!({}))).await, "restart_registry").await;
    assert_eq!(fields(house.program.post(&path, Some(json!({ "now": true }))).await.problem(422)), ["now"]);
    house.program.post(&format!("{LIST}/reg_0123456789ab/restart"), None).await.problem(404);
    house.program.get("/api/v1/jobs/job_0123456789ab").await.problem(404);
    house.program.get("/api/v1/jobs/nothing").await.problem(404);
}

#[tokio::test]
async fn a_deletion_takes_its_wishes_from_query_or_body() {
    let house = House::scripted().await;
    let path = format!("{LIST}/{}", engine::id());
    let delete = async |query: &str, body: Option<Value>| {
        house.program.ask(&Method::DELETE, &format!("{path}{query}"), body).await
    };
    assert_eq!(fields(delete("", None).await.problem(422)), ["name"]);
    let blocked = delete("?name=busy", None).await;
    let problem = blocked.problem(409);
    assert_eq!(problem["type"], "/problems/blocked");
    assert_eq!(
        problem["blockers"],
        json!([{ "reason": "The service web builds to it.", "page": "/services/srv_0123456789ab" }])
    );
    let body = json!({ "name": "Ours", "successor": "reg_0123456789ab", "keep_data": true });
    followed(&house.program, &delete("", Some(body.clone())).await, "delete_registry").await;
    followed(&house.program, &delete("?name=Ours&keep_data=true", None).await, "delete_registry").await;
    delete("?name=Ours", Some(body)).await.problem(400);
    assert_eq!(fields(delete("?nam=Ours", None).await.problem(422)), ["nam"]);
    assert_eq!(fields(delete("", Some(json!({ "keep": true }))).await.problem(422)), ["keep"]);
    let heard = house.engine.heard.lock().expect("a lock");
    let [.., by_body, by_query] = heard.deleted.as_slice() else { panic!("{:?}", heard.deleted) };
    assert_eq!((by_body.successor.as_str(), by_body.keep_data.is_some()), ("reg_0123456789ab", true));
    assert_eq!((by_query.successor.as_str(), by_query.keep_data.is_some()), ("", true));
}
