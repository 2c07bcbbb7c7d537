//! The files that browsers load, embedded: names with a hash of their content are kept for ever; each has compressed
//! twins, made when it was built.

use app::shell::Assets;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::LazyLock;

/// What `scripts/build-site` made. Empty in a build without it: pages then come without style and behaviour.
#[derive(rust_embed::RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Files;

/// The site's files and their names.
pub struct Site;

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    // Named here so that a new site makes Cargo build this file again (see build.rs).
    let _stamp = env!("SLIPWAY_SITE");
    let manifest: serde_json::Value =
        Files::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default();
    let name = |key: &str| manifest.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    Assets { js: name("js"), wasm: name("wasm"), css: name("css"), icons: name("icons") }
});

impl Site {
    /// The names under which pages find script, style and icons.
    pub fn assets() -> Assets {
        ASSETS.clone()
    }
}

/// `GET /assets/…`.
pub async fn hashed(Path(path): Path<String>, request: Request) -> Response {
    serve(&format!("assets/{path}"), request.headers(), "public, max-age=31536000, immutable")
}

/// Files whose names are fixed: `/favicon.svg`, `/robots.txt`.
pub async fn fixed(request: Request) -> Response {
    serve(&format!("root{}", request.uri().path()), request.headers(), "public, max-age=3600")
}

fn serve(name: &str, headers: &HeaderMap, keep: &'static str) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let twin = [("br", "br"), ("gz", "gzip")]
        .into_iter()
        .filter(|(_, encoding)| accepts(accepted, encoding))
        .find_map(|(suffix, encoding)| Files::get(&format!("{name}.{suffix}")).map(|file| (file, Some(encoding))));
    let is_twin = name.ends_with(".br") || name.ends_with(".gz");
    let Some((file, encoding)) = twin.or_else(|| Files::get(name).map(|file| (file, None))).filter(|_| !is_twin) else {
        return super::errors::refuse(StatusCode::NOT_FOUND, headers, "Not found", "There is no such file.");
    };
    let hash = app::model::text::hex(&file.metadata.sha256_hash()[..12]);
    let etag = format!("\"{hash}\"");
    let is_known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(file.data) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    out.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(value) = HeaderValue::from_str(&etag) {
        out.insert(ETAG, value);
    }
    response
}

/// Whether the browser takes this encoding; `;q=0` says no.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut words = item.split(';').map(str::trim);
        let is_it = words.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        is_it && !words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "ico" => "image/x-icon",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::accepts;

    #[test]
    fn encodings_are_taken_only_when_offered() {
        assert!(accepts("gzip, deflate, br", "br") && accepts("br;q=0.5", "br") && accepts("BR", "br"));
        assert!(!accepts("gzip", "br") && !accepts("br;q=0, gzip", "br") && !accepts("", "gzip"));
    }
}
