//! What a trigger reacts to.

use super::house::{BITBUCKET, GITEA, GITHUB, GITLAB, House, is};
use crate::app::Answer;
use ::http::StatusCode;
use app::model::service::ServiceForm;
use app::model::trigger::Outcome;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// The payload with a few things changed, as one more delivery of GitHub.
async fn changed(house: &House, change: impl FnOnce(&mut Value)) -> Answer {
    let mut payload: Value = serde_json::from_str(GITHUB).expect("JSON");
    change(&mut payload);
    house.github("push", &NEXT.fetch_add(1, Ordering::Relaxed).to_string(), &payload.to_string()).await
}

#[tokio::test]
async fn branches_that_are_not_wanted_are_ignored_with_the_reason() {
    let Some(house) = House::ready().await else { return };
    is(&changed(&house, |push| push["ref"] = json!("refs/heads/dev")).await, StatusCode::OK, "ignored");
    assert_eq!(house.reason().await, "The branch dev isn't one that is built.");
    house.set(true, "release/*\nhotfix/**", "").await;
    for (branch, status) in [
        ("main", StatusCode::OK),
        ("release/1.2", StatusCode::ACCEPTED),
        ("release/1/2", StatusCode::OK),
        ("hotfix/a/b", StatusCode::ACCEPTED),
    ] {
        let answer = changed(&house, |push| push["ref"] = json!(format!("refs/heads/{branch}"))).await;
        assert_eq!(answer.status, status, "{branch}: {}", answer.text);
    }
    assert_eq!(house.wanted().await.1, "hotfix/a/b");
    // Names that no build may get.
    house.set(true, "**", "").await;
    for branch in ["--upload-pack=x", "a b", "a..b", "$(id)", "<script>"] {
        is(
            &changed(&house, |push| push["ref"] = json!(format!("refs/heads/{branch}"))).await,
            StatusCode::OK,
            "ignored",
        );
    }
    is(&changed(&house, |push| push["after"] = json!("HEAD")).await, StatusCode::OK, "ignored");
    assert_eq!(house.builds().await.len(), 2);
}

#[tokio::test]
async fn tags_deletions_pings_and_other_events_start_nothing() {
    let Some(house) = House::ready().await else { return };
    let zeros = "0".repeat(40);
    is(&changed(&house, |push| push["ref"] = json!("refs/tags/v1")).await, StatusCode::OK, "ignored");
    assert_eq!(house.reason().await, "A tag was pushed; only branches are built.");
    let deletion = changed(&house, |push| {
        push["deleted"] = json!(true);
        push["after"] = json!(zeros);
        push["head_commit"] = Value::Null;
        push["commits"] = json!([]);
    });
    is(&deletion.await, StatusCode::OK, "ignored");
    assert_eq!(house.reason().await, "The branch main was deleted.");
    let ping = house.github("ping", "ping-1", include_str!("payloads/github_ping.json")).await;
    is(&ping, StatusCode::OK, "ignored");
    assert_eq!(house.reason().await, "The host tried the address out. It works.");
    is(&house.github("issues", "issues-1", "{\"action\":\"opened\"}").await, StatusCode::OK, "ignored");

    let gitlab = |event: &'static str, body: String| {
        let house = &house;
        async move {
            let headers = [("x-gitlab-event", event), ("x-gitlab-token", house.secret.as_str())];
            house.hook(&headers, &body).await
        }
    };
    let mut push: Value = serde_json::from_str(GITLAB).expect("JSON");
    push["after"] = json!(zeros);
    push["checkout_sha"] = Value::Null;
    is(&gitlab("Push Hook", push.to_string()).await, StatusCode::OK, "ignored");
    push["ref"] = json!("refs/tags/v1");
    is(&gitlab("Tag Push Hook", push.to_string()).await, StatusCode::OK, "ignored");

    let bitbucket = |body: String| {
        let house = &house;
        async move {
            let signature = format!("sha256={}", house.mac(&body));
            house.hook(&[("x-event-key", "repo:push"), ("x-hub-signature", signature.as_str())], &body).await
        }
    };
    let mut push: Value = serde_json::from_str(BITBUCKET).expect("JSON");
    push["push"]["changes"][0]["new"] = Value::Null;
    is(&bitbucket(push.to_string()).await, StatusCode::OK, "ignored");
    let mut push: Value = serde_json::from_str(BITBUCKET).expect("JSON");
    push["push"]["changes"][0]["new"]["type"] = json!("tag");
    is(&bitbucket(push.to_string()).await, StatusCode::OK, "ignored");

    assert!(house.builds().await.is_empty());
    assert!(house.deliveries().await.iter().all(|delivery| delivery.outcome == Outcome::Ignored));

    // Signed, but not a push: told so, and to be seen in the list.
    let answer = house.github("push", "broken", "{\"ref\":\"refs/heads/main\"}").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    assert!(answer.text.contains("missing field `after`"), "{}", answer.text);
    assert_eq!(house.deliveries().await[0].outcome, Outcome::Failed);
}

#[tokio::test]
async fn only_pushes_that_change_a_watched_path_are_built() {
    let Some(house) = House::ready().await else { return };
    house.set(true, "", "api/\n**/*.toml").await;
    is(&changed(&house, |_| {}).await, StatusCode::OK, "ignored");
    assert_eq!(house.reason().await, "Nothing that was pushed to main is in a watched path.");
    for (list, path) in [("added", "api/new.rs"), ("removed", "web/Cargo.toml"), ("modified", "api/a/b.rs")] {
        let answer = changed(&house, |push| push["commits"][0][list] = json!([path])).await;
        is(&answer, StatusCode::ACCEPTED, "started");
    }
    // What isn't told whole is built.
    let many: Vec<Value> =
        (0..2_048).map(|_| json!({ "id": "x", "added": ["docs/x"], "removed": [], "modified": [] })).collect();
    is(&changed(&house, |push| push["commits"] = json!(many)).await, StatusCode::ACCEPTED, "started");
    is(&changed(&house, |push| push["commits"] = json!([])).await, StatusCode::ACCEPTED, "started");
    is(&changed(&house, |push| push["forced"] = json!(true)).await, StatusCode::ACCEPTED, "started");
    assert_eq!(house.builds().await.len(), 6);

    let gitlab = |total: u32| {
        let house = &house;
        async move {
            let mut push: Value = serde_json::from_str(GITLAB).expect("JSON");
            push["total_commits_count"] = json!(total);
            let headers = [("x-gitlab-event", "Push Hook"), ("x-gitlab-token", house.secret.as_str())];
            house.hook(&headers, &push.to_string()).await
        }
    };
    is(&gitlab(2).await, StatusCode::OK, "ignored");
    is(&gitlab(30).await, StatusCode::ACCEPTED, "started");
    let gitea = |total: u32| {
        let house = &house;
        async move {
            let mut push: Value = serde_json::from_str(GITEA).expect("JSON");
            push["total_commits"] = json!(total);
            push["commits"][0]["modified"] = json!(["web/x"]);
            let body = push.to_string();
            let signature = house.mac(&body);
            house.hook(&[("x-gitea-event", "push"), ("x-gitea-signature", signature.as_str())], &body).await
        }
    };
    is(&gitea(1).await, StatusCode::OK, "ignored");
    is(&gitea(9).await, StatusCode::ACCEPTED, "started");
    // Bitbucket tells no paths at all.
    let signature = format!("sha256={}", house.mac(BITBUCKET));
    let headers = [("x-event-key", "repo:push"), ("x-hub-signature", signature.as_str())];
    is(&house.hook(&headers, BITBUCKET).await, StatusCode::ACCEPTED, "started");
}

#[tokio::test]
async fn a_service_of_an_image_has_nothing_to_build() {
    let form = ServiceForm {
        kind: "image".into(),
        image: "ghcr.io/acme/web:1".into(),
        credential: "none".into(),
        ..ServiceForm::default()
    };
    let house = House::of(form).await;
    is(&house.github("push", "1", GITHUB).await, StatusCode::OK, "ignored");
    assert!(house.reason().await.contains("the deploy hook is for it"), "{}", house.reason().await);
}
