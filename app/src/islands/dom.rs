//! The few things that islands do with the document, with what can't be there left out instead of panicking.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, Event, EventTarget, Node, Response, Window};

/// The window.
pub fn window() -> Option<Window> {
    web_sys::window()
}

/// The document.
pub fn document() -> Option<Document> {
    window()?.document()
}

/// The element with an id.
pub fn by_id(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// All elements that match.
pub fn all(selector: &str) -> Vec<Element> {
    let Some(list) = document().and_then(|document| document.query_selector_all(selector).ok()) else {
        return Vec::new();
    };
    (0..list.length()).filter_map(|index| list.item(index)?.dyn_into().ok()).collect()
}

/// A new element with a class and a text.
pub fn element(tag: &str, class: &str, text: &str) -> Option<Element> {
    let element = document()?.create_element(tag).ok()?;
    if !class.is_empty() {
        element.set_class_name(class);
    }
    if !text.is_empty() {
        element.set_text_content(Some(text));
    }
    Some(element)
}

/// Appends, if there is something to append.
pub fn append(parent: &Node, child: Option<Element>) {
    if let Some(child) = child {
        // Fails only for a child that holds its parent.
        let _ = parent.append_child(&child);
    }
}

/// The text at an address of ours; None where there is none, or no connection.
pub async fn get(url: &str) -> Option<String> {
    let response: Response = JsFuture::from(window()?.fetch_with_str(url)).await.ok()?.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

/// Calls back on every event, as long as the page lives.
pub fn on<E: JsCast + 'static>(target: &EventTarget, event: &str, mut run: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if let Ok(event) = event.dyn_into() {
            run(event);
        }
    });
    let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Calls back once, later.
pub fn after(millis: i32, run: impl FnOnce() + 'static) {
    if let Some(window) = window() {
        let closure = Closure::once_into_js(run);
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(closure.unchecked_ref(), millis);
    }
}

/// Calls back again and again, as long as the page lives.
pub fn every(millis: i32, run: impl FnMut() + 'static) {
    if let Some(window) = window() {
        let closure = Closure::<dyn FnMut()>::new(run);
        let _ = window.set_interval_with_callback_and_timeout_and_arguments_0(closure.as_ref().unchecked_ref(), millis);
        closure.forget();
    }
}
