//! Pushes are tried again when the registry or the network fails for a moment, and never when it refuses.

use super::gate::{Gate, Verdict};
use super::house::House;
use app::model::job::JobState;
use axum::http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn house_at_gate() -> Option<(House, Gate)> {
    let house = House::empty().await?;
    let gate = Gate::start(&house.facts.lab.url().host.to_string()).await;
    house.registry(&gate.address).await;
    house.jobs.start(house.stop.clone());
    Some((house, gate))
}

fn is_upload(method: &Method, path: &str) -> bool {
    // Opening an upload is what the check of the right to push does as well; sending is the push's own.
    (*method == Method::PUT || *method == Method::PATCH) && path.contains("/blobs/uploads/")
}

/// The gate fails until the log says that the push is tried again; then it goes through, without running anything twice.
async fn goes_through_after(verdict: Verdict) {
    let Some((house, gate)) = house_at_gate().await else { return };
    let is_bad = Arc::new(AtomicBool::new(true));
    let bad = Arc::clone(&is_bad);
    gate.rule(
        move |method, path| {
            if bad.load(Ordering::SeqCst) && is_upload(method, path) { verdict } else { Verdict::Pass }
        },
    );
    let commit = house.commit("One", &[("Dockerfile", &house.dockerfile("RUN echo it ran; date +%N > /made"))]);
    let id = house.start().await;
    let line = "The push failed for a reason that may pass. Trying again in 3 s (try 2 of 3); what is built is kept.";
    house.says(&id, line).await;
    is_bad.store(false, Ordering::SeqCst);
    let build = house.until(&id, JobState::Succeeded).await;
    assert_eq!(house.in_registry(&commit).await, build.digest.map(String::from));
    let text = house.text(&id).await;
    assert_eq!(text.lines().filter(|line| *line == "it ran").count(), 1, "{text}");
    assert_eq!(text.matches("Trying again").count(), 1, "{text}");
    assert_eq!(gate.pushed().len(), 1);
    house.is_clean();
}

#[tokio::test]
async fn a_registry_that_is_busy_gets_the_push_later() {
    goes_through_after(Verdict::Answer(503)).await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_end() {
    goes_through_after(Verdict::Cut).await;
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    let Some((house, gate)) = house_at_gate().await else { return };
    gate.rule(|method, path| if is_upload(method, path) { Verdict::Answer(403) } else { Verdict::Pass });
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN date +%N > /made"))]);
    let id = house.start().await;
    house.fails(&id).await;
    assert!(gate.refused(403) > 0);
    let text = house.text(&id).await;
    assert!(!text.contains("Trying again"), "{text}");
    assert!(gate.pushed().is_empty());
}
