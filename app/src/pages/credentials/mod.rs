//! Credentials: how to sign in at one registry host.

pub mod delete;
mod fields;
pub mod import;
pub mod import_list;
mod lights;
pub mod list;
pub mod new;
pub mod show;

use crate::model::credential::{Credential, CredentialState};
use crate::model::text;
use crate::ui::{Badge, Tone};
use leptos::prelude::*;

/// From so many days before its end on, a credential wants attention.
pub const SOON: i64 = 14;

/// What the last test found, in a word; that it ends soon where it works.
fn badge(credential: &Credential) -> AnyView {
    match (&credential.state, ending(credential)) {
        (CredentialState::Fails(_), _) => view! { <Badge tone=Tone::Bad text="Fails"/> },
        (CredentialState::Works, Some(_)) => view! { <Badge tone=Tone::Warn text="Works, ends soon"/> },
        (CredentialState::Works, None) => view! { <Badge tone=Tone::Ok text="Works"/> },
    }
    .into_any()
}

/// When it ends, in words, if that is soon or over.
pub fn ending(credential: &Credential) -> Option<String> {
    let days = credential.days_left(crate::ui::time::now()).filter(|days| *days <= SOON)?;
    Some(match days {
        i64::MIN..0 => "It has ended, as its expiry date says.".to_owned(),
        0 => "It ends today.".to_owned(),
        days => format!("It ends in {}.", text::count(days.unsigned_abs(), "day")),
    })
}
