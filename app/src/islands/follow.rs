//! Following a log at its end: the buttons, and what scrolling and new lines do to them. Part of the islands that have a log.

use crate::model::text;
use leptos::prelude::*;

/// Whether the reader follows, and what came while they didn't.
#[derive(Clone, Copy)]
pub struct Follow {
    /// New lines are brought in sight.
    pub follows: RwSignal<bool>,
    /// Lines that came while they weren't.
    pub unseen: RwSignal<u32>,
}

impl Default for Follow {
    /// From the start one follows.
    fn default() -> Self {
        Self { follows: RwSignal::new(true), unseen: RwSignal::new(0) }
    }
}

impl Follow {
    /// "3 new lines", and the switch.
    pub fn buttons(self) -> impl IntoView {
        let Self { follows, unseen } = self;
        let show_newest = move |_| {
            follows.set(true);
            unseen.set(0);
            #[cfg(feature = "hydrate")]
            if let Some(tail) = super::log::Tail::find() {
                tail.go_to_end();
            }
        };
        let toggle = move |_| follows.update(|follows| *follows = !*follows);
        view! {
            <button type="button" class="button small new-lines" hidden=move || unseen.get() == 0 on:click=show_newest>
                {move || text::count(unseen.get().into(), "new line")}
                " ↓"
            </button>
            <button
                type="button"
                class="button small"
                aria-pressed=move || if follows.get() { "true" } else { "false" }
                on:click=toggle
            >
                "Follow"
            </button>
        }
    }

    /// Whoever scrolls away from the end doesn't follow any more, and whoever comes back does.
    #[cfg(feature = "hydrate")]
    pub fn watch_scrolling(self, tail: &super::log::Tail) {
        super::dom::on(tail.scroller(), "scroll", move |_: web_sys::Event| {
            let at_end = super::log::Tail::find().is_some_and(|tail| tail.is_at_end());
            if at_end != self.follows.get_untracked() {
                self.follows.set(at_end);
            }
            if at_end {
                self.unseen.set(0);
            }
        });
    }

    /// So many lines were added.
    #[cfg(feature = "hydrate")]
    pub fn came(self, tail: &super::log::Tail, lines: u32) {
        if self.follows.get_untracked() {
            tail.go_to_end();
        } else {
            self.unseen.update(|unseen| *unseen += lines);
        }
    }
}
