//! What people meet on a full disk: pages as always, a clear word where something was to be kept, and their form back.

use super::database::{exhaust, filler};
use super::tmpfs::Tmpfs;
use crate::app::{TestApp, config, encode, form, runner};
use axum::body::Body;
use slipway::clock::Clock;
use slipway::start::Slipway;
use std::time::Duration;

const FORM: &[(&str, &str)] =
    &[("form[name]", "my pipeline"), ("form[scope]", "read"), ("form[days]", ""), ("page", "/settings/tokens")];

async fn on(disk: &Tmpfs) -> TestApp {
    let folder = tempfile::tempdir_in(disk.path()).expect("a folder");
    let clock = Clock::system();
    let slipway = Slipway::open(config(folder.path(), &[]), clock.clone(), runner()).await.expect("Slipway opens");
    let router = slipway.router();
    TestApp { slipway, router, folder, clock }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_pages_work_forms_come_back_and_the_next_try_works() {
    let Some(disk) = Tmpfs::mount("size=64m") else { return };
    let app = on(&disk).await;
    let mut owner = app.owner().await;
    filler(&app.slipway.db).await;
    disk.fill();
    exhaust(&app.slipway.db).await;

    let program = form("/api/tokens/create", FORM).header("sec-fetch-site", "same-origin");
    let answer = owner.send(program.body(Body::from(encode(FORM))).expect("a request")).await;
    assert_eq!(answer.status, 507, "{}", answer.text);
    assert!(answer.text.contains("storage.full"), "{}", answer.text);

    // Long enough that the session would be written anew.
    app.clock.advance(Duration::from_secs(61));
    for page in ["/", "/services", "/jobs", "/settings"] {
        assert_eq!(owner.get(page).await.status, 200, "{page}");
    }
    let answer = owner.post("/api/tokens/create", FORM).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, Some("/settings/tokens")), "{}", answer.text);
    let page = owner.get("/settings/tokens").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("data folder is full"), "{}", page.text);
    assert!(page.text.contains("my pipeline"), "what was typed is there");

    disk.make_room();
    let answer = owner.post("/api/tokens/create", FORM).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = owner.get("/settings/tokens").await;
    assert!(!page.text.contains("data folder is full") && page.text.contains("my pipeline"), "{}", page.text);
    drop(owner);
    let TestApp { slipway, router, folder, .. } = app;
    drop(router);
    slipway.stop().await;
    drop(folder);
}
