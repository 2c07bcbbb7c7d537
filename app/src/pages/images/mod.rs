//! Images: what registries hold, from the search down to the layers of one image.
//!
//! These pages show what is known; "Look now" is a form, because it asks a registry. They are also the image picker
//! without script: with `?for=service` each of them leads on, and the last one to the form of a new service.

pub mod image;
pub mod options;
mod platforms;
pub mod repository;
pub mod search;
mod sources;
pub mod typed;

use crate::api::images::{LookAtImage, Place};
use crate::error::AppError;
use crate::model::id::CredentialId;
use crate::model::image::{Allowance, Listing, RunsIn};
use crate::model::image_ref::ImageRef;
use crate::model::text;
use crate::ui::{Form, Name, Note, Submit, time};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Entries on a page.
const PAGE: u64 = 50;
/// Typed text is cut here; nothing that is longer is a name.
const TEXT_MAX: usize = 400;

/// Whether the choice is for a new service.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Purpose {
    is_service: bool,
}

impl Purpose {
    fn asked() -> Self {
        Self { is_service: request::query("for").as_deref() == Some("service") }
    }

    /// How links carry it on.
    fn pair(self) -> (&'static str, &'static str) {
        ("for", if self.is_service { "service" } else { "" })
    }

    /// Says what the choice is for, and leads back.
    fn note(self) -> Option<AnyView> {
        let back = paths::with_query(paths::NEW_SERVICE, &[("kind", "image")]);
        self.is_service.then(|| {
            view! {
                <Note tone="info" title="Choose the image of a new service.">
                    <p>"Search, choose a tag, then “Use this image”. " <a href=back>"Back to the form"</a></p>
                </Note>
            }
            .into_any()
        })
    }
}

/// A text of the query, trimmed and cut.
fn asked(name: &str) -> String {
    request::query(name).unwrap_or_default().trim().chars().take(TEXT_MAX).collect()
}

/// How many entries are skipped.
fn offset() -> u64 {
    request::query("from").and_then(|from| from.parse().ok()).unwrap_or(0)
}

/// The credential that the query names, if it does.
fn credential() -> Option<CredentialId> {
    request::query("credential").and_then(|id| id.parse().ok())
}

/// The place that the query names.
fn place() -> Result<Place, AppError> {
    let missing = || AppError::NotFound("repository".into());
    let part = |name: &str| request::query(name).ok_or_else(missing);
    Ok(Place {
        credential: credential(),
        host: part("host")?.parse().map_err(|_| missing())?,
        repository: part("name")?.parse().map_err(|_| missing())?,
    })
}

/// The reference of a tag or digest at a place. None: it is neither.
fn reference_at(place: &Place, reference: &str) -> Option<ImageRef> {
    let of = |tag, digest| ImageRef { host: place.host.clone(), repository: place.repository.clone(), tag, digest };
    match (reference.parse(), reference.parse()) {
        (_, Ok(digest)) => Some(of(None, Some(digest))),
        (Ok(tag), _) => Some(of(Some(tag), None)),
        _ => None,
    }
}

/// The button that asks the registry now: about one tag or digest, or, where that is empty, about the tags.
fn look_now(place: &Place, reference: &str) -> impl IntoView + use<> {
    let mut hidden = paths::place_query(place).to_vec();
    hidden.push(("reference", reference.to_owned()));
    view! {
        <Form to=LookAtImage::PATH class="row" flat=true hidden=hidden>
            <Submit text="Look now" icon=Name::Refresh/>
        </Form>
    }
}

/// Services that run it, as links.
fn runs_in_links(runs_in: &[RunsIn]) -> Option<impl IntoView + use<>> {
    const SHOWN: usize = 3;
    let more = runs_in.len().saturating_sub(SHOWN);
    let links = runs_in
        .iter()
        .take(SHOWN)
        .enumerate()
        .map(|(index, RunsIn { service, name, .. })| {
            view! { {(index > 0).then_some(", ")} <a href=paths::service(service)>{name.clone()}</a> }
        })
        .collect_view();
    (!runs_in.is_empty()).then(|| view! { <span>{links}{(more > 0).then(|| format!(" and {more} more"))}</span> })
}

/// Services that run it, in words: "runs in shop".
fn runs_in_words(runs_in: &[RunsIn]) -> Option<String> {
    let (first, rest) = runs_in.split_first()?;
    Some(match rest.len() {
        0 => format!("runs in {}", first.name),
        more => format!("runs in {} and {more} more", first.name),
    })
}

/// How far a list is, in words; `count` says what is in it.
fn listing_words(listing: &Listing, count: fn(u64) -> String) -> String {
    let age = |at: i64| text::age(at, time::now());
    match listing {
        Listing::Never => "Not read yet".into(),
        Listing::Reading { found } => format!("Reading… {} so far", text::figure(*found)),
        Listing::Complete { at, count: found, is_refreshing } => {
            let again = if *is_refreshing { ", being read again" } else { "" };
            format!("{}, read {}{again}", count(*found), age(*at))
        }
        Listing::CannotList { .. } => "This registry can't list; type a name and it will be checked".into(),
        Listing::Failed { at: Some(at), count: found, .. } => {
            format!("The last reading failed; {} of {}", count(*found), age(*at))
        }
        Listing::Failed { at: None, .. } => "The last reading failed".into(),
    }
}

/// What Docker Hub still lets us pull.
fn allowance_words(allowance: &Allowance) -> String {
    let Allowance { remaining, limit, window, .. } = allowance;
    let window = match window {
        0..3_600 => format!("{} min", window / 60),
        window => format!("{} h", window / 3_600),
    };
    format!("{} of {} pulls left in {window}", text::figure(*remaining), text::figure(*limit))
}

/// Whether so few are left that it should be said loudly.
fn is_scarce(allowance: &Allowance) -> bool {
    allowance.remaining.saturating_mul(10) <= allowance.limit
}
