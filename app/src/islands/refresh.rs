//! Keeps parts of a page up to date while somebody looks at it; see `part`.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use leptos::prelude::*;

/// Fetches parts of the page anew every few seconds, and says when that fails.
#[island]
pub fn Refresh(
    /// Ids of the parts, with spaces between them.
    parts: String,
) -> impl IntoView {
    let said = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start(parts.clone(), said));
    #[cfg(not(feature = "hydrate"))]
    drop(parts);
    view! { <span role="status" class="hint">{move || said.get()}</span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::dom;
    use crate::islands::part::{Renewed, renew};
    use leptos::prelude::*;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Milliseconds between two looks.
    const PAUSE: i32 = 5_000;

    pub fn start(parts: String, said: RwSignal<&'static str>) {
        let parts: Rc<str> = parts.into();
        // A slow answer isn't overtaken.
        let is_asking = Rc::new(Cell::new(false));
        dom::every(PAUSE, move || {
            let hidden = dom::document().is_none_or(|document| document.hidden());
            if hidden || is_asking.replace(true) {
                return;
            }
            let (parts, is_asking) = (Rc::clone(&parts), Rc::clone(&is_asking));
            leptos::task::spawn_local(async move {
                let renewed = renew(&parts, true).await;
                said.set(match renewed {
                    Renewed::Done => "",
                    Renewed::OtherPage => "This page has changed.",
                    Renewed::NoAnswer => "Not up to date: Slipway doesn't answer.",
                });
                // Nobody's typing is taken away.
                if renewed == Renewed::OtherPage
                    && !is_typing()
                    && let Some(window) = dom::window()
                {
                    let _ = window.location().reload();
                }
                is_asking.set(false);
            });
        });
    }

    fn is_typing() -> bool {
        let focused = dom::document().and_then(|document| document.active_element());
        focused.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
    }
}
