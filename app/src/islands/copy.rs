//! Copies a long name to the clipboard. Hidden until it is awake: without script there is nothing it could do.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use leptos::prelude::*;

/// A button that copies `text`.
#[island]
pub fn Copy(
    /// What is copied.
    text: String,
    /// What the button is called.
    name: String,
    /// The address of its icon.
    icon: String,
) -> impl IntoView {
    let said = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    let copy = move |_| browser::copy(&text, said);
    #[cfg(not(feature = "hydrate"))]
    let copy = {
        drop(text);
        |_| ()
    };
    view! {
        <span class="copy">
            <button type="button" class="button quiet small" aria-label=name on:click=copy>
                <svg class="icon" aria-hidden="true" focusable="false" width="16" height="16">
                    <use href=icon></use>
                </svg>
            </button>
            <span role="status">{move || said.get()}</span>
        </span>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::dom;
    use leptos::prelude::*;
    use wasm_bindgen_futures::JsFuture;

    /// Copies, and says for two seconds how it went.
    pub fn copy(text: &str, said: RwSignal<&'static str>) {
        let Some(window) = dom::window() else { return };
        // Browsers offer the clipboard on https and on this machine only.
        if !window.is_secure_context() {
            said.set("Copying needs https");
            return;
        }
        let written = window.navigator().clipboard().write_text(text);
        leptos::task::spawn_local(async move {
            said.set(if JsFuture::from(written).await.is_ok() { "Copied" } else { "The browser refused" });
            dom::after(2_000, move || said.set(""));
        });
    }
}
