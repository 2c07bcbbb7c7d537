//! Signatures, and once only.

use super::house::{BITBUCKET, BITBUCKET_SERVER, GITEA, GITHUB, GITLAB, House, is, mac, tells_nothing};
use crate::lab::Lab;
use ::http::StatusCode;
use app::model::build_record;
use app::model::id::TriggerId;
use app::model::service::ServiceForm;
use app::model::trigger::Outcome;
use futures::future::join_all;
use slipway::clock::random;

/// Host, who pushed, commit, headers, body.
type Case<'a> = (&'a str, &'a str, &'a str, Vec<(&'a str, &'a str)>, &'a str);

#[tokio::test]
async fn a_push_at_each_host_starts_one_build_of_its_commit() {
    let Some(house) = House::ready().await else { return };
    let prefixed = |body: &str| format!("sha256={}", house.mac(body));
    let (gitea, bitbucket, server) = (house.mac(GITEA), prefixed(BITBUCKET), prefixed(BITBUCKET_SERVER));
    let github = prefixed(GITHUB);
    let secret = house.secret.clone();
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", GITHUB).finish();
    let form_signature = prefixed(&form);
    let cases: Vec<Case> = vec![
        (
            "GitHub",
            "octo-example",
            "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",
            vec![
                ("x-github-event", "push"),
                ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
                ("x-hub-signature-256", &github),
                ("content-type", "application/json"),
            ],
            GITHUB,
        ),
        (
            "GitHub",
            "octo-example",
            "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",
            vec![
                ("x-github-event", "push"),
                ("x-github-delivery", "82d3162e-cc78-11e3-81ab-4c9367dc0958"),
                ("x-hub-signature-256", &form_signature),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            &form,
        ),
        (
            "GitLab",
            "jexample",
            "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
            vec![
                ("x-gitlab-event", "Push Hook"),
                ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e"),
                ("idempotency-key", "f5e57c7c-7b3f-4b7e-9c9a-0a7d2c4a9c11"),
                ("x-gitlab-instance", "https://gitlab.example.com"),
                ("x-gitlab-token", &secret),
                ("content-type", "application/json"),
            ],
            GITLAB,
        ),
        (
            "Gitea",
            "gitea",
            "bffeb74224043ba2feb48d137756c8a9331c449a",
            vec![
                ("x-github-event", "push"),
                ("x-github-delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473"),
                ("x-gogs-event", "push"),
                ("x-gitea-event", "push"),
                ("x-gitea-event-type", "push"),
                ("x-gitea-delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473"),
                ("x-gitea-signature", &gitea),
            ],
            GITEA,
        ),
        (
            "Forgejo",
            "gitea",
            "bffeb74224043ba2feb48d137756c8a9331c449a",
            vec![
                ("x-github-event", "push"),
                ("x-gitea-event", "push"),
                ("x-forgejo-event", "push"),
                ("x-forgejo-delivery", "0f266f16-1bf3-46a5-9ea4-602e06ead473"),
                ("x-forgejo-signature", &gitea),
            ],
            GITEA,
        ),
        (
            "Bitbucket",
            "emma1",
            "709d658dc5b6d6afcd46049c2f332ee3f515a67d",
            vec![
                ("x-event-key", "repo:push"),
                ("x-hook-uuid", "{12345678-1234-1234-1234-123456789012}"),
                ("x-request-uuid", "5c8b1a0e-6a0c-4a6e-8d5e-111111111111"),
                ("x-attempt-number", "1"),
                ("x-hub-signature", &bitbucket),
            ],
            BITBUCKET,
        ),
        (
            "Bitbucket",
            "admin",
            "178864a7d521b6f5e720b386b2c2b0ef8563e0dc",
            vec![
                ("x-event-key", "repo:refs_changed"),
                ("x-request-id", "0c5b1a0e-6a0c-4a6e-8d5e-222222222222"),
                ("x-hub-signature", &server),
            ],
            BITBUCKET_SERVER,
        ),
    ];
    for (count, (host, by, commit, headers, body)) in cases.into_iter().enumerate() {
        is(&house.hook(&headers, body).await, StatusCode::ACCEPTED, "started");
        let builds = house.builds().await;
        assert_eq!(builds.len(), count + 1, "{host}");
        assert_eq!(builds[0].trigger, build_record::Trigger::Push { host: host.into(), by: by.into() });
        assert!(builds[0].deploys, "{host}");
        assert_eq!(house.wanted().await, (commit.to_owned(), "main".to_owned()), "{host}");
        let delivery = house.deliveries().await.swap_remove(0);
        assert_eq!((delivery.host.as_str(), delivery.outcome), (host, Outcome::Started));
        assert_eq!(delivery.build.map(|(id, _)| id), Some(builds[0].id.clone()));
        // The very same once more.
        is(&house.hook(&headers, body).await, StatusCode::OK, "repeated");
        assert_eq!(house.builds().await.len(), count + 1, "{host}");
    }
}

#[tokio::test]
async fn who_is_not_signed_learns_and_does_nothing() {
    let Some(house) = House::ready().await else { return };
    let (right, wrong) = (format!("sha256={}", house.mac(GITHUB)), format!("sha256={}", mac("guess", GITHUB)));
    let short = &right[..40];
    let bare = house.mac(GITHUB);
    for headers in [
        vec![("x-github-event", "push")],
        vec![("x-github-event", "push"), ("x-hub-signature-256", &wrong)],
        vec![("x-github-event", "push"), ("x-hub-signature-256", short)],
        vec![("x-github-event", "push"), ("x-hub-signature-256", &bare)],
        vec![("x-hub-signature-256", &right)],
        vec![("x-gitlab-event", "Push Hook"), ("x-gitlab-token", "guess")],
        vec![("x-gitlab-event", "Push Hook"), ("x-gitlab-token", "")],
        vec![("x-gitea-event", "push"), ("x-gitea-signature", &wrong)],
        vec![("x-event-key", "repo:push"), ("x-hub-signature", &wrong)],
        vec![],
    ] {
        tells_nothing(&house.hook(&headers, GITHUB).await, StatusCode::UNAUTHORIZED);
    }
    // One byte more than what was signed.
    let signed = [("x-github-event", "push"), ("x-hub-signature-256", right.as_str())];
    tells_nothing(&house.hook(&signed, &format!("{GITHUB} ")).await, StatusCode::UNAUTHORIZED);
    let unknown = app::paths::hook(&TriggerId::from_random(random()));
    tells_nothing(&house.post(&unknown, &signed, GITHUB).await, StatusCode::NOT_FOUND);
    tells_nothing(&house.post("/hooks/nonsense", &signed, GITHUB).await, StatusCode::NOT_FOUND);
    house.set(false, "", "").await;
    tells_nothing(&house.hook(&signed, GITHUB).await, StatusCode::NOT_FOUND);
    house.set(true, "", "").await;
    assert!(house.builds().await.is_empty() && house.deliveries().await.is_empty());
    let triggers = &house.app.slipway.backend.triggers;
    let seen = triggers.of_service(&house.actor, &house.service).await.expect("read").expect("a trigger");
    assert_eq!(seen.refused.map(|(count, _)| count), Some(11), "and it is counted");

    // Whoever guesses on has to wait; whoever is signed doesn't.
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(house.hook(&[("x-github-event", "push")], "{}").await.status);
    }
    assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
    is(&house.github("push", "1", GITHUB).await, StatusCode::ACCEPTED, "started");

    // A renewed secret ends the old one.
    triggers.renew(&house.actor, &house.service).await.expect("renewed");
    assert_ne!(house.github("push", "2", GITHUB).await.status, StatusCode::ACCEPTED);
    triggers.delete(&house.actor, &house.service).await.expect("deleted");
    tells_nothing(&house.github("push", "3", GITHUB).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_replayed_delivery_builds_once_also_when_all_come_together() {
    let Some(house) = House::ready().await else { return };
    let answers = join_all((0..12).map(|_| house.github("push", "72d3162e", GITHUB))).await;
    let started = answers.iter().filter(|answer| answer.status == StatusCode::ACCEPTED).count();
    assert_eq!(started, 1, "{answers:?}");
    assert!(
        answers
            .iter()
            .filter(|answer| answer.status != StatusCode::ACCEPTED)
            .all(|answer| { answer.status == StatusCode::OK && answer.text.contains("\"repeated\"") })
    );
    assert_eq!((house.builds().await.len(), house.deliveries().await.len()), (1, 1));
    is(&house.github("push", "82d3162e", GITHUB).await, StatusCode::ACCEPTED, "started");
    assert_eq!(house.builds().await.len(), 2, "another delivery is another push");
}

#[tokio::test]
async fn what_could_not_begin_may_come_again() {
    let Some(lab) = Lab::find() else { return };
    let house = House::of(ServiceForm {
        repository: "https://git.example.com/acme/web".into(),
        branch: "main".into(),
        ..ServiceForm::default()
    })
    .await;
    let answer = house.github("push", "1", GITHUB).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    assert!(answer.text.contains("There is no registry to push to."), "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let delivery = house.deliveries().await.swap_remove(0);
    assert_eq!(delivery.outcome, Outcome::Failed);
    assert!(delivery.reason.contains("no registry"), "{delivery:?}");
    house.registry(&lab).await;
    is(&house.github("push", "1", GITHUB).await, StatusCode::ACCEPTED, "started");
    is(&house.github("push", "1", GITHUB).await, StatusCode::OK, "repeated");
    assert_eq!((house.builds().await.len(), house.deliveries().await.len()), (1, 1));
}

#[tokio::test]
async fn bodies_have_a_limit_and_secrets_are_sealed() {
    let Some(house) = House::ready().await else { return };
    let huge = "x".repeat((5 << 20) + 1);
    let answer = house.github("push", "1", &huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let path = app::paths::hook(&house.trigger.id);
    let answer = house.post(&path, &[("content-length", "999999999")], "{}").await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.app.browser().get(&path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    house.github("push", "2", GITHUB).await;
    for file in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(house.app.folder.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(house.secret.len()).any(|part| part == house.secret.as_bytes()), "{file}");
    }
}
