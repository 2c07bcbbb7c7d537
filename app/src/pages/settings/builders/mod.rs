//! What runs builds: the list, one builder's page, and forms.

pub mod delete;
mod fields;
pub mod list;
pub mod new;
pub mod show;

use crate::model::builder::{Builder, BuilderKind, BuilderState};
use crate::ui::{Badge, Tone};
use leptos::prelude::*;

/// What kind it is, in words.
fn kind(kind: BuilderKind) -> &'static str {
    match kind {
        BuilderKind::Engine => "The engine's own",
        BuilderKind::Container => "Container on this engine",
        BuilderKind::Remote => "Machines elsewhere",
    }
}

/// How it is, in a word.
fn badge(builder: &Builder) -> AnyView {
    let (tone, text) = match &builder.state {
        BuilderState::Works => (Tone::Ok, "Builds"),
        BuilderState::Fails(_) if builder.is_looking => (Tone::Busy, "Looking again"),
        BuilderState::Fails(_) => (Tone::Bad, "Doesn't build"),
        BuilderState::Unknown if builder.is_looking => (Tone::Busy, "Looking"),
        BuilderState::Unknown => (Tone::Idle, "Not looked yet"),
    };
    view! { <Badge tone text=text/> }.into_any()
}

/// What it builds for; emulated platforms say so.
fn platforms(builder: &Builder) -> String {
    let words = |native: bool| {
        let those = builder.platforms.iter().filter(|builds| builds.is_native == native);
        those.map(|builds| builds.platform.to_string()).collect::<Vec<_>>().join(", ")
    };
    match (words(true), words(false)) {
        (native, emulated) if emulated.is_empty() => native,
        (native, emulated) if native.is_empty() => format!("{emulated} (emulated)"),
        (native, emulated) => format!("{native}; emulated: {emulated}"),
    }
}
