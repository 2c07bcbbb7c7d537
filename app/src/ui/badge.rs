//! States in a word, a shape and a tint; never colour alone.

use crate::model::job::JobState;
use crate::model::registry::{ManagedState, Phase};
use crate::model::service::ServiceState;
use leptos::prelude::*;

/// What a state means for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Ok,
    /// Happening now.
    Busy,
    /// Needs a look.
    Warn,
    /// Broken.
    Bad,
    /// Nothing to say.
    Idle,
}

impl Tone {
    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Idle => "idle",
        }
    }
}

/// A state in one word.
#[component]
pub fn Badge(
    /// What it means.
    tone: Tone,
    /// The word.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <span class=format!("badge {}", tone.class())>{text}</span> }
}

/// A job's, build's or deployment's state. With `of`, the browser keeps the badge up to date from that job's events.
#[component]
pub fn JobBadge(
    /// The state.
    state: JobState,
    /// The job whose events change it.
    #[prop(optional, into)]
    of: Option<String>,
) -> impl IntoView {
    view! {
        <span class=state_class(state) data-state=state.as_str() data-job=of>
            {state_word(state)}
        </span>
    }
}

pub use crate::islands::live::{state_class, state_word};

/// How a service is.
#[component]
pub fn ServiceBadge(
    /// The state.
    state: ServiceState,
) -> impl IntoView {
    let (tone, word, name) = match state {
        ServiceState::New => (Tone::Idle, "Never deployed", "new"),
        ServiceState::Running => (Tone::Ok, "Running", "running"),
        ServiceState::Degraded => (Tone::Warn, "Degraded", "degraded"),
        ServiceState::Stopped => (Tone::Idle, "Stopped", "stopped"),
        ServiceState::Unknown => (Tone::Idle, "Unknown", "unknown"),
    };
    view! { <span class=format!("badge {}", tone.class()) data-state=name>{word}</span> }
}

/// A managed registry's state: tone, and the word.
pub fn managed_words(phase: Phase, state: ManagedState) -> (Tone, &'static str) {
    match (phase, state) {
        (Phase::Deleting, ManagedState::Failing) => (Tone::Bad, "Deletion fails"),
        (Phase::Deleting, _) => (Tone::Busy, "Being deleted"),
        (Phase::Creating, _) => (Tone::Busy, "Being created"),
        (Phase::Failed, _) | (_, ManagedState::NotCreated) => (Tone::Bad, "Not created"),
        (_, ManagedState::Unknown) => (Tone::Idle, "Not looked at yet"),
        (_, ManagedState::Working) => (Tone::Busy, "Being changed"),
        (_, ManagedState::Healthy) => (Tone::Ok, "Healthy"),
        (_, ManagedState::Warning) => (Tone::Warn, "Needs a look"),
        (_, ManagedState::Failing) => (Tone::Bad, "Failing"),
        (_, ManagedState::Stopped) => (Tone::Idle, "Stopped"),
    }
}

/// How a managed registry is.
#[component]
pub fn ManagedBadge(
    /// Where it is in its life.
    phase: Phase,
    /// The state.
    state: ManagedState,
) -> impl IntoView {
    let (tone, word) = managed_words(phase, state);
    view! { <span class=format!("badge {}", tone.class()) data-state=state.as_str()>{word}</span> }
}
