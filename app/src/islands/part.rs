//! Parts of a page that the browser fetches anew: the page itself is asked for, with a word in the query that says so, and
//! the parts with the same ids take the places of the old ones.

/// The name in the query by which only a part of a page is asked for.
pub const PART: &str = "part";

/// The attribute by which a part says whether the page around it is still the same.
pub const WHOLE: &str = "data-page";

#[cfg(feature = "hydrate")]
pub use browser::{Renewed, renew};

#[cfg(feature = "hydrate")]
mod browser {
    use super::{PART, WHOLE};
    use crate::islands::dom;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{Document, DomParser, Element, Event, EventInit, Response, SupportedType};

    /// What became of it.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum Renewed {
        /// The parts are the newest.
        Done,
        /// The page around them has changed too: it has to be loaded again.
        OtherPage,
        /// The server gave no page, or another one.
        NoAnswer,
    }

    /// Puts the server's newest parts (ids with spaces between them) in the places of the old ones. What somebody is using
    /// isn't taken away: a part with the focus in it, or with details that were opened.
    pub async fn renew(ids: &str, whole: bool) -> Renewed {
        let page = match fetch(ids).await {
            Some(Some(page)) => page,
            Some(None) if whole => return Renewed::OtherPage,
            _ => return Renewed::NoAnswer,
        };
        let pairs: Vec<(Element, Element)> =
            ids.split(' ').filter_map(|id| Some((dom::by_id(id)?, page.get_element_by_id(id)?))).collect();
        if pairs.is_empty() {
            return Renewed::NoAnswer;
        }
        if whole && pairs.iter().any(|(old, new)| old.get_attribute(WHOLE) != new.get_attribute(WHOLE)) {
            return Renewed::OtherPage;
        }
        for (old, new) in pairs {
            replace(&old, &new);
        }
        Renewed::Done
    }

    /// The page as it is now; nothing inside when it is there no more.
    async fn fetch(ids: &str) -> Option<Option<Document>> {
        let window = dom::window()?;
        let name = ids.split(' ').next()?;
        let url = format!("{}?{PART}={name}", window.location().pathname().ok()?);
        let response: Response = JsFuture::from(window.fetch_with_str(&url)).await.ok()?.dyn_into().ok()?;
        if !response.ok() {
            return (response.status() == 404).then_some(None);
        }
        let html = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
        DomParser::new().ok()?.parse_from_string(&html, SupportedType::TextHtml).ok().map(Some)
    }

    fn replace(old: &Element, new: &Element) -> Option<()> {
        let focused = dom::document()?.active_element();
        if old.contains(focused.as_deref()) || old.query_selector("details[open]").ok()?.is_some() {
            return None;
        }
        if new.text_content() == old.text_content() {
            return None;
        }
        old.replace_with_with_node_1(new).ok()?;
        let init = EventInit::new();
        init.set_bubbles(true);
        let renewed = Event::new_with_event_init_dict("renewed", &init).ok()?;
        new.dispatch_event(&renewed).ok()?;
        Some(())
    }
}
