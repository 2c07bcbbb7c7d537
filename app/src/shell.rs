//! The HTML document, rendered in one place after the data is there.
//!
//! Nothing streams: the page function is awaited first, so status, title and headers are right, and the answer is one
//! piece. Only pages with islands get a script; all others are sent with a policy that forbids every script.

use crate::error::AppError;
use crate::islands::part::PART;
use crate::model::account::Actor;
use crate::model::settings::Host;
use crate::pages::{Instead, Page, PageFuture, PartFuture, not_found};
use crate::request::{self, FormState};
use crate::ui::layout::{Layout, Plain};
use crate::{paths, ui};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos::reactive::owner::Sandboxed;

/// Where the built files are; their names have a hash of the content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// The script that loads the wasm.
    pub js: String,
    /// The browser's half of the app crate.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The sprite with all icons.
    pub icons: String,
}

/// Runs a page function and answers with its document.
pub async fn respond(show: fn() -> PageFuture, request: Request) -> Response {
    in_request(request, || document(show)).await
}

/// Runs the function of a piece of HTML and answers with it alone: no frame, no session touched.
pub async fn respond_part(show: fn() -> PartFuture, request: Request) -> Response {
    in_request(request, || async move {
        let (status, html) = match show().await {
            Ok(part) => (StatusCode::OK, part.to_html()),
            Err(error) => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, ui::note::explain(&error).to_html())
            }
        };
        let html_type = HeaderValue::from_static("text/html; charset=utf-8");
        (status, [(header::CONTENT_TYPE, html_type), (header::CACHE_CONTROL, NO_STORE)], html).into_response()
    })
    .await
}

/// Runs work with the request's pieces at hand.
async fn in_request<F: Future<Output = Response>>(request: Request, work: impl FnOnce() -> F) -> Response {
    let (parts, _) = request.into_parts();
    let owner = Owner::new_root(None);
    let work = owner.with(|| {
        provide_context(parts.extensions.get::<Assets>().cloned().unwrap_or_default());
        provide_context(parts);
        provide_nonce();
        // Gives every poll the same owner, so that contexts can be read after an await too.
        ScopedFuture::new_untracked(work())
    });
    Sandboxed::new(work).await
}

async fn document(show: fn() -> PageFuture) -> Response {
    // An island asks for a part of a page that is shown already: messages and forms that came back are for people.
    let is_part = request::query(PART).is_some();
    // Before the page: its forms read it.
    let form = if is_part { FormState::default() } else { request::take_form().await };
    provide_context(form.clone());
    let actor = request::actor();
    let (page, status) = match show().await {
        Ok(page) => (page, StatusCode::OK),
        Err(Instead::See(to)) => return see(&to),
        Err(Instead::Error(AppError::SignIn)) => return see(&sign_in_and_back()),
        Err(Instead::Error(error)) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (not_found::page(&error), status)
        }
    };
    let host = match (&actor, request::find_backend()) {
        (Some(_), Some(backend)) => Some(backend.settings.host().await),
        _ => None,
    };
    let flash = if is_part { None } else { request::take_flash().await };
    let start = if form.error.is_some() { "Error: " } else { "" };
    let title = format!("{start}{} – Slipway", page.title);
    let html = render(page, actor, host, flash, form);
    answer(status, html, &title)
}

/// The sign-in page, which leads back here.
fn sign_in_and_back() -> String {
    let here = request::here();
    if here == paths::OVERVIEW { paths::SIGN_IN.into() } else { paths::sign_in_then(&here) }
}

fn see(to: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else {
        tracing::error!(to, "an address can't be a header");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)]).into_response()
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn render(page: Page, actor: Option<Actor>, host: Option<Host>, flash: Option<String>, form: FormState) -> String {
    let assets = use_context::<Assets>().unwrap_or_default();
    let theme = request::cookie("theme").filter(|theme| ui::layout::THEMES.iter().any(|(name, _)| name == theme));
    let content = match actor {
        Some(actor) => view! { <Layout actor host=host.unwrap_or_default() flash form page/> }.into_any(),
        None => view! { <Plain flash form page/> }.into_any(),
    };
    let view = view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                {(!assets.css.is_empty()).then(|| view! { <link rel="stylesheet" href=assets.css.clone()/> })}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            </head>
            <body>{content}</body>
        </html>
    };
    view.to_html()
}

/// Text as it stands between tags or in an attribute, where the framework doesn't write it: it leaves the content of a
/// `<textarea>` as it is, and adds markers to a `<title>`, which browsers would show.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The content security policy, with what scripts may come from.
macro_rules! policy {
    ($scripts:literal) => {
        concat!(
            "default-src 'none'; script-src ",
            $scripts,
            "; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'none'; object-src 'none'; ",
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
    };
}

/// The content security policy of whatever needs no script.
pub const NO_SCRIPT: &str = policy!("'none'");

/// Adds the title, the script where there are islands, and the headers.
fn answer(status: StatusCode, mut html: String, title: &str) -> Response {
    if let Some(end) = html.find("</head>") {
        html.insert_str(end, &format!("<title>{}</title>", escaped(title)));
    }
    let mut policy = NO_SCRIPT.to_owned();
    let assets = use_context::<Assets>().unwrap_or_default();
    if html.contains("<leptos-island")
        && !assets.js.is_empty()
        && let Some(nonce) = use_nonce()
        && let Some(end) = html.find("</head>")
    {
        html.insert_str(end, &wake_islands(&nonce, &assets));
        policy = format!(policy!("'self' 'nonce-{}' 'wasm-unsafe-eval'"), nonce);
    }
    let Ok(policy) = HeaderValue::from_str(&policy) else {
        tracing::error!("the content security policy can't be a header");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, NO_STORE),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, html).into_response()
}

/// What `leptos::hydration::HydrationScripts` writes for islands, for files with our names: load the glue, start the
/// wasm, then give each `<leptos-island>` to the function that `data-component` names, from the outside in. (Its part for
/// children inside islands is left out: no island here has any.) Islands in a part of the page that `islands::live` has
/// fetched anew are woken by its event.
fn wake_islands(nonce: &str, assets: &Assets) -> String {
    let Assets { js, wasm, .. } = assets;
    format!(
        r#"<link rel="modulepreload" href="{js}"/><link rel="preload" href="{wasm}" as="fetch" type="application/wasm" crossorigin="anonymous"/><script type="module" nonce="{nonce}">
import init, * as app from "{js}";
await init({{module_or_path: "{wasm}"}});
app.hydrate();
const wakeAll = async (root) => {{
  for (const island of root.querySelectorAll("leptos-island")) {{
    const wake = app[island.dataset.component];
    if (wake) await wake(island); else console.error("unknown island", island.dataset.component);
  }}
}};
document.addEventListener("renewed", (event) => wakeAll(event.target));
await wakeAll(document);
document.documentElement.dataset.awake = "";
</script>"#
    )
}
