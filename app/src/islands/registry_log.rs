//! The log of a managed registry: what a line looks like, and how the browser adds lines to the ones the server rendered.
//!
//! Lines come faster than anybody reads, so they are put in in batches; the page keeps the newest of them. When the
//! connection is lost it is taken up again behind the last line that came.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use crate::islands::follow::Follow;
use crate::model::registry::{LogEntry, Severity};
use leptos::prelude::*;
use time::OffsetDateTime;

/// Day and time of a line, in UTC: `2026-11-24` and `12:05:33`.
pub fn clock(millis: i64) -> (String, String) {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(millis.div_euclid(1_000)) else { return Default::default() };
    let (year, month, day) = at.to_calendar_date();
    let day = format!("{year:04}-{:02}-{day:02}", u8::from(month));
    (day, format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
}

/// The class of a line, and the word in front of it where it is one that matters.
pub fn look(entry: &LogEntry) -> (&'static str, &'static str) {
    match entry.severity {
        Severity::Debug => ("own", ""),
        Severity::Info if entry.is_own => ("own", ""),
        Severity::Info => ("", ""),
        Severity::Warning => ("warn", "Warning: "),
        Severity::Error => ("bad", "Error: "),
    }
}

/// The controls of a page that follows a registry's log.
#[island]
pub fn RegistryTail(
    /// The stream, with the filter in its query.
    stream: String,
    /// Behind which line it goes on; empty: from now on.
    cursor: String,
) -> impl IntoView {
    let follow = Follow::default();
    let status = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        browser::start(stream.clone(), cursor.clone(), browser::Controls { follow, status });
    });
    #[cfg(not(feature = "hydrate"))]
    drop((stream, cursor));
    view! {
        <div class="live">
            <span role="status" class="muted">{move || status.get()}</span>
            {follow.buttons()}
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{clock, look};
    use crate::islands::dom;
    use crate::islands::follow::Follow;
    use crate::islands::log::Tail;
    use crate::model::registry::LogEntry;
    use leptos::prelude::*;
    use std::cell::RefCell;
    use std::rc::Rc;
    use web_sys::{Element, Event, EventSource, MessageEvent};

    #[derive(Clone, Copy)]
    pub struct Controls {
        pub follow: Follow,
        pub status: RwSignal<&'static str>,
    }

    struct Page {
        stream: String,
        cursor: String,
        day: String,
        waiting: Vec<LogEntry>,
        ended: bool,
        controls: Controls,
    }

    type Shared = Rc<RefCell<Page>>;

    pub fn start(stream: String, cursor: String, controls: Controls) {
        let Some(tail) = Tail::find() else { return };
        tail.go_to_end();
        controls.follow.watch_scrolling(&tail);
        let day = tail.list().get_attribute("data-day").unwrap_or_default();
        let page = Page { stream, cursor, day, waiting: Vec::new(), ended: false, controls };
        open(&Rc::new(RefCell::new(page)));
    }

    fn open(page: &Shared) {
        let url = {
            let page = page.borrow();
            let mark = if page.stream.contains('?') { '&' } else { '?' };
            match page.cursor.as_str() {
                "" => page.stream.clone(),
                cursor => format!("{}{mark}from={}", page.stream, js_sys::encode_uri_component(cursor)),
            }
        };
        let status = page.borrow().controls.status;
        let Ok(source) = EventSource::new(&url) else {
            status.set("No live updates");
            return;
        };
        dom::on(&source, "open", move |_: Event| status.set("Live"));
        let shared = Rc::clone(page);
        dom::on(&source, "line", move |event: MessageEvent| {
            let Some(text) = event.data().as_string() else { return };
            let id = event.last_event_id();
            let mut page = shared.borrow_mut();
            if !id.is_empty() {
                page.cursor = id;
            }
            match serde_json::from_str(&text) {
                Ok(entry) => page.waiting.push(entry),
                Err(_) => web_sys::console::error_1(&"a line can't be read".into()),
            }
            if page.waiting.len() == 1 {
                let shared = Rc::clone(&shared);
                dom::after(250, move || show(&shared));
            }
        });
        let (shared, source_too) = (Rc::clone(page), source.clone());
        dom::on(&source, "end", move |_: MessageEvent| {
            source_too.close();
            shared.borrow_mut().ended = true;
            status.set("Ended: reload the page to go on");
        });
        let (shared, source_too) = (Rc::clone(page), source.clone());
        dom::on(&source, "error", move |_: Event| {
            if shared.borrow().ended {
                return;
            }
            status.set("Reconnecting…");
            // Ours instead of the browser's own try: its address has the place where it goes on.
            source_too.close();
            let shared = Rc::clone(&shared);
            dom::after(2_000, move || open(&shared));
        });
    }

    /// Puts in what came since the last time.
    fn show(page: &Shared) {
        let Some(tail) = Tail::find() else { return };
        let mut page = page.borrow_mut();
        let Some(fragment) = dom::document().map(|document| document.create_document_fragment()) else { return };
        let mut added = 0;
        for entry in std::mem::take(&mut page.waiting) {
            let (day, time) = clock(entry.at);
            if day != page.day {
                dom::append(&fragment, dom::element("li", "step", &day));
                page.day = day;
            }
            dom::append(&fragment, row(&entry, &time));
            added += 1;
        }
        tail.put(&fragment);
        for empty in dom::all("#log > p") {
            empty.remove();
        }
        page.controls.follow.came(&tail, added);
    }

    /// The same row that the page writes on the server.
    fn row(entry: &LogEntry, time: &str) -> Option<Element> {
        let (class, word) = look(entry);
        let row = dom::element("li", class, "")?;
        dom::append(&row, dom::element("span", "at", time));
        dom::append(&row, dom::element("span", "text", &format!("{word}{}", entry.text)));
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_utc() {
        assert_eq!(clock(1_795_521_933_999), ("2026-11-24".into(), "12:05:33".into()));
        assert_eq!(clock(-1), ("1969-12-31".into(), "23:59:59".into()));
        assert_eq!(clock(i64::MAX), (String::new(), String::new()), "nonsense has no time");
    }
}
