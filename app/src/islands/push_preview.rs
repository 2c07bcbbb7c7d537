//! Keeps the name that a push will have up to date while the service form is filled in, and tries the right to push.
//!
//! The rules stay on the server (`pages/services/push_name.rs`), which renders the name for what is in the form already;
//! here is only what has to happen in a browser: asking when the typing rests, and putting the answer in its place.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use leptos::prelude::*;

/// The fields that decide the name, as form and query call them.
pub const FIELDS: [&str; 5] = ["project", "name", "registry", "base_path", "repository"];

/// Watches the form around it. `address`: where the piece comes from, with a query that the fields are put behind.
#[island]
pub fn PushPreview(address: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::watch(&address));
    #[cfg(not(feature = "hydrate"))]
    drop(address);
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::FIELDS;
    use crate::islands::{dom, piece};
    use std::cell::RefCell;
    use std::rc::Rc;
    use web_sys::{Event, RequestInit};

    /// The typing has rested when no key came for so many milliseconds.
    const REST: i32 = 200;

    /// What was asked last, and the number of the question; answers to others are dropped.
    type Last = Rc<RefCell<(String, u32)>>;

    fn values() -> Vec<String> {
        let value = |field: &&str| {
            let element = dom::by_id(&format!("field-{field}"))?;
            js_sys::Reflect::get(&element, &"value".into()).ok()?.as_string()
        };
        FIELDS.iter().map(|field| value(field).unwrap_or_default()).collect()
    }

    pub fn watch(address: &str) -> Option<()> {
        let (document, shown) = (dom::document()?, dom::by_id("push-name")?);
        let last: Last = Rc::new(RefCell::new((shown.get_attribute("data-typed").unwrap_or_default(), 0)));
        // What was typed before this island woke up, or came back with "back".
        ask(address, &last, false);
        let (of_typing, and_last) = (address.to_owned(), Rc::clone(&last));
        dom::on(&document, "input", move |_: Event| ask(&of_typing, &and_last, false));
        let address = address.to_owned();
        dom::on(&*dom::by_id("push-check")?, "click", move |event: Event| {
            event.prevent_default();
            ask(&address, &last, true);
        });
        Some(())
    }

    /// Asks for the name as it is now, and whether it may be pushed when `is_check`.
    fn ask(address: &str, last: &Last, is_check: bool) {
        let values = values();
        let typed = values.join("\n");
        let turn = {
            let mut last = last.borrow_mut();
            if !is_check && last.0 == typed {
                return;
            }
            *last = (typed, last.1 + 1);
            last.1
        };
        let mut address = address.to_owned();
        for (field, value) in FIELDS.iter().zip(&values) {
            address.push_str(&format!("&{field}={}", String::from(js_sys::encode_uri_component(value))));
        }
        if is_check {
            address.push_str("&check=1");
        }
        let last = Rc::clone(last);
        dom::after(if is_check { 0 } else { REST }, move || {
            if last.borrow().1 == turn {
                leptos::task::spawn_local(show(address, last, turn));
            }
        });
    }

    async fn show(address: String, last: Last, turn: u32) {
        let Some(shown) = dom::by_id("push-name") else { return };
        let _ = shown.set_attribute("aria-busy", "true");
        let answer = piece::fetch(&address, &RequestInit::new()).await;
        if last.borrow().1 != turn {
            return;
        }
        match answer {
            Ok(html) => shown.set_inner_html(&html),
            Err(words) => shown.set_text_content(Some(words)),
        }
        let _ = shown.remove_attribute("aria-busy");
    }
}
