//! Serves every page with samples, for looking at: `cargo run -p app --features ssr --example gallery [port]`.
//!
//! `?world=empty` (or `full`, `nodocker`, `noswarm`, `new`) chooses what kind of world is shown, and `?nobody` signs out;
//! both go into the session of the eye only: they have to be in each address. Uses `target/site` when `scripts/build-site`
//! has made it, and plain files otherwise, without islands. Not part of the product.

mod samples;

use app::model::job::{LiveEvent, LogLine};
use app::shell::Assets;
use axum::extract::{RawQuery, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{Stream, StreamExt, stream};
use samples::World;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(7171), |port| port.parse())?;
    let router = app::routes::router()
        .route("/jobs/{id}/log", get(log))
        .route("/registries/{id}/log", get(registry_log))
        .fallback(file_or_not_found)
        .layer(from_fn(set_the_scene));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://127.0.0.1:{port}/");
    axum::serve(listener, router).await?;
    Ok(())
}

/// A job that says something every 300 ms, and ends after a while.
async fn log(RawQuery(query): RawQuery) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let from: u64 = query.and_then(|query| query.strip_prefix("from=")?.parse().ok()).unwrap_or(0);
    let events = stream::iter(0..60_u64).then(move |n| async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let job = samples::running_job();
        Ok(match n {
            59 => Event::default().event("end").data(r#"{"type":"end"}"#),
            n if n % 10 == 5 => {
                event("job", from + n, &LiveEvent::Job { job: Box::new(job), steps: samples::running_steps() })
            }
            n => {
                let text = format!("#4 {n}.1 \u{1b}[32mstill\u{1b}[0m compiling <b>live</b>, line {n} after the page");
                event(
                    "log",
                    from + n,
                    &LiveEvent::Log { lines: vec![LogLine { n: 100 + n, at: 0, step: "build".into(), text }] },
                )
            }
        })
    });
    Sse::new(events)
}

/// A registry that prints a few lines at a time; after a while the connection is lost.
async fn registry_log() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::iter(0..40_u64).then(|n| async move {
        tokio::time::sleep(std::time::Duration::from_millis(if n % 4 == 0 { 1_500 } else { 10 })).await;
        let entry = samples::live_line(n);
        let text = serde_json::to_string(&entry).unwrap_or_default();
        Ok(Event::default().event("line").id(entry.cursor).data(text))
    });
    Sse::new(events)
}

fn event(name: &str, id: u64, event: &LiveEvent) -> Event {
    Event::default().event(name).id(id.to_string()).data(serde_json::to_string(event).unwrap_or_default())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn site() -> PathBuf {
    std::env::var_os("SITE").map_or_else(|| root().join("target/site"), PathBuf::from)
}

fn assets() -> Assets {
    let built = std::fs::read_to_string(site().join("manifest.json"))
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let name = |key: &str| {
        built.as_ref().and_then(|built| built.get(key)?.as_str().map(ToOwned::to_owned)).unwrap_or_default()
    };
    // The style sheet straight from its source, so that an edit is seen at once.
    Assets { js: name("js"), wasm: name("wasm"), css: "/main.css".into(), icons: "/icons.svg".into() }
}

async fn set_the_scene(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let world = match query.split('&').find_map(|pair| pair.strip_prefix("world=")) {
        Some("empty") => World::Empty,
        Some("nodocker") => World::NoDocker,
        Some("noswarm") => World::NoSwarm,
        Some("new") => World::New,
        _ => World::Full,
    };
    let extensions = request.extensions_mut();
    extensions.insert(assets());
    extensions.insert(samples::backend(world));
    if !query.contains("nobody") && world != World::New {
        extensions.insert(samples::actor());
    }
    next.run(request).await
}

async fn file_or_not_found(request: Request) -> Response {
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css",
        Some((_, "js")) => "text/javascript",
        Some((_, "wasm")) => "application/wasm",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain",
    };
    let places = [root().join("style"), root().join("public"), site()];
    let content = (!name.contains("..") && !name.is_empty())
        .then(|| places.iter().find_map(|place| std::fs::read(place.join(&name)).ok()))
        .flatten();
    match content {
        Some(content) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], content).into_response(),
        None => app::routes::not_found(request).await,
    }
}
