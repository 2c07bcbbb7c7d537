//! The name that a push will have, while the service form is filled in.
//!
//! The server renders it for what is in the form already; the browser calls the same function on every key.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use crate::model::image_ref::RegistryHost;
use crate::model::path_template::push_reference;
use crate::model::{registry, text};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A registry to choose from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// Its id, as the form sends it.
    pub id: String,
    /// Its host.
    pub host: String,
    /// Its base path; may be empty.
    pub base: String,
    /// Used when nothing is chosen.
    pub is_default: bool,
}

/// What the form holds that decides the name.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// The project's name.
    pub project: String,
    /// The service's name.
    pub name: String,
    /// The chosen registry's id, or nothing.
    pub registry: String,
    /// The service's own base path.
    pub base: String,
}

/// Stands in names for an id that isn't known yet; replaced by `‹id›` in what people see.
const UNKNOWN_ID: &str = "0unknown0";
const UNKNOWN_COMMIT: &str = "0commit0";

/// The reference, with `‹commit›` and, without an id, `‹id›` in it; or what is missing for one.
pub fn preview(choices: &[Choice], typed: &Typed, id: Option<&str>) -> Result<String, String> {
    let choice = choices
        .iter()
        .find(|choice| if typed.registry.is_empty() { choice.is_default } else { choice.id == typed.registry })
        .ok_or("There is no registry to push to yet.")?;
    let host: RegistryHost = choice.host.parse().map_err(|_| "The registry's address is broken.")?;
    let own = registry::base_path("base_path", &typed.base).map_err(|error| error.message)?;
    let base = match own {
        Some(own) => Some(own),
        None => registry::base_path("base_path", &choice.base).map_err(|error| error.message)?,
    };
    let (project, name) = (text::slug(&typed.project), text::slug(&typed.name));
    if project.is_empty() || name.is_empty() {
        return Err("Fill in project and name to see what the image will be called.".into());
    }
    let service = format!("{name}-{}", id.unwrap_or(UNKNOWN_ID));
    push_reference(&host, base.as_ref(), &project, &service, UNKNOWN_COMMIT)
        .map(|name| name.to_string().replace(UNKNOWN_ID, "‹id›").replace(UNKNOWN_COMMIT, "‹commit›"))
        .map_err(|error| error.0)
}

/// "Pushed as …", or what is missing for it.
#[island]
pub fn PushPreview(
    /// Registries to choose from.
    choices: Vec<Choice>,
    /// The service's id without prefix; empty while it has none.
    id: String,
    /// What the server rendered.
    now: Result<String, String>,
) -> impl IntoView {
    let shown = RwSignal::new(now);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::watch(choices.clone(), id.clone(), shown));
    #[cfg(not(feature = "hydrate"))]
    drop((choices, id));
    view! {
        <p class="preview" role="status">
            <span>{move || if shown.get().is_ok() { "Pushed as " } else { "" }}</span>
            <code id="push-preview">{move || shown.get().unwrap_or_default()}</code>
            <span class="muted">{move || shown.get().err().unwrap_or_default()}</span>
        </p>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Choice, Typed, preview};
    use crate::islands::dom;
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use web_sys::{Event, HtmlInputElement, HtmlSelectElement};

    fn typed() -> Typed {
        let text = |field: &str| {
            dom::by_id(&format!("field-{field}"))
                .and_then(|element| element.dyn_into::<HtmlInputElement>().ok())
                .map(|input| input.value())
                .unwrap_or_default()
        };
        let registry = dom::by_id("field-registry")
            .and_then(|element| element.dyn_into::<HtmlSelectElement>().ok())
            .map(|select| select.value())
            .unwrap_or_default();
        Typed { project: text("project"), name: text("name"), registry, base: text("base_path") }
    }

    pub fn watch(choices: Vec<Choice>, id: String, shown: RwSignal<Result<String, String>>) {
        let Some(document) = dom::document() else { return };
        let show = move || {
            let new = preview(&choices, &typed(), (!id.is_empty()).then_some(id.as_str()));
            if shown.get_untracked() != new {
                shown.set(new);
            }
        };
        // What was typed before this island woke up, or came back with "back".
        show();
        dom::on(&document, "input", move |_: Event| show());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preview_says_the_name_or_what_is_missing() {
        let choices = [
            Choice { id: "a".into(), host: "127.0.0.1:5600".into(), base: "".into(), is_default: true },
            Choice { id: "b".into(), host: "ghcr.io".into(), base: "acme".into(), is_default: false },
        ];
        let name = |registry: &str, base: &str, id| {
            let typed =
                Typed { project: "Shop".into(), name: "Web".into(), registry: registry.into(), base: base.into() };
            preview(&choices, &typed, id)
        };
        assert_eq!(name("", "", None), Ok("127.0.0.1:5600/shop/web-‹id›:‹commit›".into()));
        assert_eq!(name("b", "", Some("3f9k2")), Ok("ghcr.io/acme/shop/web-3f9k2:‹commit›".into()));
        assert_eq!(name("b", "team/x", Some("3f9k2")), Ok("ghcr.io/team/x/shop/web-3f9k2:‹commit›".into()));
        assert!(name("c", "", None).is_err());
        assert!(name("", "UPPER", None).is_err());
        assert!(preview(&choices, &Typed::default(), None).is_err());
        assert!(preview(&[], &Typed::default(), None).is_err());
    }
}
