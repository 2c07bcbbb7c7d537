//! A registry that Slipway runs, from its creation to its deletion over the API alone, on the lab's engine.

use super::{Program, token};
use crate::app::TestApp;
use crate::registries::managed::house::{Sweep, in_docker};
use crate::swarm::{Lab, eventually, free_port};
use ::http::{Method, Request, StatusCode};
use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::time::Duration;

/// Waits for the good end of the job that an answer leads to.
async fn succeeded(program: &Program, job: &Value) {
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().expect("an id"));
    let job = eventually(Duration::from_secs(300), "the job ends", || async {
        let job = program.get(&path).await.json;
        (job["finished"] == true).then_some(job)
    })
    .await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert!(job["steps"].as_array().is_some_and(|steps| steps.iter().all(|step| step["state"] == "done")), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_lives_and_dies_over_the_api() {
    let Some(lab) = Lab::find() else { return };
    let env = [("SLIPWAY_DOCKER_HOST", lab.docker_host.as_str()), ("SLIPWAY_REGISTRY_IMAGE", "slipway-lab/registry:2")];
    let app = TestApp::with(&env).await;
    app.owner().await;
    let program = Program { browser: app.browser(), token: token(&app, "ci", "everything").await };
    app.slipway.start_loops();

    let wish = json!({ "kind": "managed", "name": "Ours", "port": free_port() });
    let made = program.post("/api/v1/registries", Some(wish)).await;
    assert_eq!(made.status, StatusCode::ACCEPTED, "{}", made.text);
    let path = made.header("location").to_owned();
    let id = made.json["registry"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let sweep = Sweep(lab.clone(), id);
    succeeded(&program, &made.json["job"]).await;
    let shown = program.get(&path).await.json;
    assert_eq!((&shown["is_default"], &shown["managed"]["phase"]), (&json!(true), &json!("running")), "{shown}");

    let fresh = format!("{path}/status?fresh=true");
    let status = program.get(&fresh).await;
    assert_eq!((status.status, &status.json["state"]), (StatusCode::OK, &json!("healthy")), "{}", status.text);
    let steps = status.json["probe"]["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["name"] == "push" && step["ok"] == true), "{}", status.text);

    // The probe's requests are Slipway's own lines.
    let lines = program.get(&format!("{path}/logs?own=true&tail=50")).await;
    let is_own = |line: &Value| line["own"] == true && line["at"].as_str().is_some_and(|at| at.ends_with('Z'));
    assert!(lines.json["lines"].as_array().is_some_and(|lines| lines.iter().any(is_own)), "{}", lines.text);
    let request = Request::get(format!("{path}/logs?own=true&follow=true&tail=1")).body(Body::empty());
    let mut stream = program.open(request.expect("a request")).await.into_body();
    let news = async {
        let mut text = String::new();
        while text.matches("event: line\n").count() < 3 {
            let frame = stream.frame().await.expect("it goes on").expect("no error");
            text.push_str(&String::from_utf8_lossy(frame.data_ref().expect("data")));
        }
    };
    let probe = program.get(&fresh);
    let (news, probe) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), news), probe);
    assert!(news.is_ok() && probe.status == StatusCode::OK, "the next probe is seen live: {news:?}");

    let restart = program.post(&format!("{path}/restart"), None).await;
    assert_eq!(restart.status, StatusCode::ACCEPTED, "{}", restart.text);
    succeeded(&program, &restart.json).await;

    let refused = program.ask(&Method::DELETE, &path, None).await;
    assert_eq!(refused.problem(422)["errors"][0]["field"], "name", "{}", refused.text);
    let deleted = program.ask(&Method::DELETE, &format!("{path}?name=Ours"), None).await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED, "{}", deleted.text);
    succeeded(&program, &deleted.json).await;
    program.get(&path).await.problem(404);
    assert_eq!(in_docker(&lab, &sweep.1), Vec::<String>::new());
    app.slipway.shutdown.cancel();
}
