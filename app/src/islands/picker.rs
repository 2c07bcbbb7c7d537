//! The image picker: makes a text field a combobox (ARIA APG, list popup, manual text kept) that leads from a few typed
//! letters to an image's digest.
//!
//! The island knows nothing of images. The server answers each step with rows (`pages/images/options.rs` says how); here
//! is only what has to happen in a browser: keys, order of answers, and what screen readers hear. What is known is asked
//! for on every key, and a superseded question is cancelled; registries are asked when the typing rests. Typed text is
//! never lost: Escape gives back what stood there before each choice, and whoever leaves the field keeps what is in it.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use leptos::prelude::*;

/// The popup of the field with the id `field`; a choice sets the select with the id `credential` too.
#[island]
pub fn Picker(
    /// The text field's id.
    field: String,
    /// The id of the select with credentials.
    credential: String,
    /// Where rows come from.
    rows: String,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start(&field, &credential, &rows));
    #[cfg(not(feature = "hydrate"))]
    drop((field, credential, rows));
    view! {
        <div class="picker" id="picker">
            <p class="visually-hidden" role="status"></p>
            <div class="picker-popup" hidden>
                <div class="picker-notes"></div>
                <div class="picker-list" id="picker-list" role="listbox" aria-label="Images"></div>
            </div>
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::{dom, piece};
    use std::cell::RefCell;
    use std::rc::Rc;
    use wasm_bindgen::JsCast;
    use web_sys::{
        AbortController, DomParser, Element, Event, HtmlInputElement, HtmlSelectElement, KeyboardEvent, RequestInit,
        ScrollIntoViewOptions, ScrollLogicalPosition, SupportedType,
    };

    /// The typing has rested when no key came for so many milliseconds.
    const REST: i32 = 120;
    /// Rows that PageUp and PageDown go.
    const PAGE: usize = 8;

    /// One step of a choice.
    struct Level {
        /// What is asked.
        query: String,
        /// How the text begins as long as it belongs to this step; None: any typing leaves it.
        prefix: Option<String>,
        /// The text before this step.
        before: String,
    }

    struct Picker {
        input: HtmlInputElement,
        credential: Option<HtmlSelectElement>,
        popup: Element,
        notes: Element,
        list: Element,
        said: Element,
        rows: String,
        /// The steps taken; the first is the search.
        levels: Vec<Level>,
        active: Option<usize>,
        /// Whether somebody went to the active row, instead of finding it there.
        has_moved: bool,
        /// The number of the newest question; answers to others are dropped.
        turn: u32,
        under_way: Option<AbortController>,
        /// The rows belong to an older text.
        is_stale: bool,
        /// Enter was pressed before the rows came.
        wants_pick: bool,
    }

    type Shared = Rc<RefCell<Picker>>;

    pub fn start(field: &str, credential: &str, rows: &str) -> Option<()> {
        let input: HtmlInputElement = dom::by_id(field)?.dyn_into().ok()?;
        let root = dom::by_id("picker")?;
        let find = |selector: &str| root.query_selector(selector).ok().flatten();
        let picker = Picker {
            credential: dom::by_id(credential).and_then(|select| select.dyn_into().ok()),
            popup: find(".picker-popup")?,
            notes: find(".picker-notes")?,
            list: find(".picker-list")?,
            said: find("[role=status]")?,
            rows: rows.to_owned(),
            levels: vec![Level {
                query: "step=repositories".into(),
                prefix: Some(String::new()),
                before: String::new(),
            }],
            active: None,
            has_moved: false,
            turn: 0,
            under_way: None,
            is_stale: false,
            wants_pick: false,
            input,
        };
        // The popup opens right below the field, above its hint.
        let _ = picker.input.insert_adjacent_element("afterend", &root);
        for (name, value) in [
            ("role", "combobox"),
            ("aria-expanded", "false"),
            ("aria-controls", "picker-list"),
            ("aria-autocomplete", "list"),
            ("autocomplete", "off"),
        ] {
            let _ = picker.input.set_attribute(name, value);
        }
        let (input, popup) = (picker.input.clone(), picker.popup.clone());
        let picker = Rc::new(RefCell::new(picker));
        on(&picker, &input, "input", |picker, _: Event| typed(picker));
        on(&picker, &input, "keydown", key);
        on(&picker, &input, "click", |picker, _: Event| {
            if !picker.borrow().is_open() {
                ask(picker, false);
            }
        });
        on(&picker, &input, "blur", |picker, _: Event| picker.borrow_mut().close());
        // The focus stays in the field.
        on(&picker, &popup, "mousedown", |_, event: Event| event.prevent_default());
        on(&picker, &popup, "click", |picker, event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let row = target.and_then(|target| target.closest("[role=option]").ok().flatten());
            if let Some(row) = row {
                pick(picker, &row);
            }
        });
        Some(())
    }

    fn on<E: JsCast + 'static>(picker: &Shared, target: &Element, event: &str, run: impl Fn(&Shared, E) + 'static) {
        let picker = Rc::clone(picker);
        dom::on(target, event, move |event: E| run(&picker, event));
    }

    impl Picker {
        fn is_open(&self) -> bool {
            !self.popup.has_attribute("hidden")
        }

        fn open(&self) {
            let _ = self.popup.remove_attribute("hidden");
            let _ = self.input.set_attribute("aria-expanded", "true");
        }

        /// The text stays as it is.
        fn close(&mut self) {
            self.turn += 1;
            if let Some(under_way) = self.under_way.take() {
                under_way.abort();
            }
            (self.is_stale, self.wants_pick) = (false, false);
            let _ = self.popup.set_attribute("hidden", "");
            let _ = self.input.set_attribute("aria-expanded", "false");
            self.go_to(None);
        }

        fn row(&self, index: usize) -> Option<Element> {
            self.list.children().item(u32::try_from(index).ok()?)
        }

        fn count(&self) -> usize {
            usize::try_from(self.list.child_element_count()).unwrap_or(0)
        }

        /// Makes a row the active one; the focus stays in the field.
        fn go_to(&mut self, index: Option<usize>) {
            if let Some(old) = self.active.and_then(|old| self.row(old)) {
                let _ = old.set_attribute("aria-selected", "false");
            }
            self.active = index;
            let Some(row) = index.and_then(|index| self.row(index)) else {
                let _ = self.input.remove_attribute("aria-activedescendant");
                return;
            };
            let _ = row.set_attribute("aria-selected", "true");
            let _ = self.input.set_attribute("aria-activedescendant", &row.id());
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            row.scroll_into_view_with_scroll_into_view_options(&nearest);
        }

        fn say(&self, words: &str) {
            if self.said.text_content().as_deref() != Some(words) {
                self.said.set_text_content(Some(words));
            }
        }

        /// Says why there are no rows.
        fn explain(&mut self, words: &str) {
            self.is_stale = false;
            self.go_to(None);
            self.list.set_text_content(None);
            self.notes.set_text_content(Some(words));
            self.open();
            self.say(words);
        }

        /// What is asked now: the step, and what is typed in it.
        fn address(&self, is_live: bool) -> Option<String> {
            let level = self.levels.last()?;
            let text = self.input.value();
            let typed = level.prefix.as_ref().and_then(|prefix| text.strip_prefix(prefix.as_str())).unwrap_or_default();
            let typed = String::from(js_sys::encode_uri_component(typed));
            let live = if is_live { "&live=1" } else { "" };
            Some(format!("{}?{}&q={typed}{live}", self.rows, level.query))
        }

        /// Puts an answer in the place of the rows. True: asking registries may find more.
        fn show(&mut self, html: &str) -> Option<bool> {
            let parsed = DomParser::new().ok()?.parse_from_string(html, SupportedType::TextHtml).ok()?;
            let part = |selector: &str| parsed.query_selector(selector).ok().flatten();
            // An answer of another kind is an explanation.
            let body = parsed.body().map(|body| body.inner_html()).unwrap_or_default();
            let root = part("[data-said]");
            let chosen = self.active.filter(|_| self.has_moved).and_then(|index| self.row(index));
            let chosen = chosen.and_then(|row| row.get_attribute("data-text"));
            let inner = |selector: &str| part(selector).map(|part| part.inner_html()).unwrap_or_default();
            self.notes.set_inner_html(&if root.is_some() { inner("[data-notes]") } else { body });
            self.list.set_inner_html(&inner("[data-rows]"));
            self.active = None;
            let again = (0..self.count()).find(|index| {
                chosen.is_some() && self.row(*index).and_then(|row| row.get_attribute("data-text")) == chosen
            });
            self.has_moved = again.is_some();
            let first = (self.count() > 0 && !self.input.value().is_empty()).then_some(0);
            self.open();
            self.go_to(again.or(first));
            let said = root.as_ref().and_then(|root| root.get_attribute("data-said"));
            let said = said.or_else(|| self.notes.text_content()).unwrap_or_default();
            self.say(&said);
            Some(root.is_some_and(|root| root.has_attribute("data-live")))
        }
    }

    /// The text has changed: it may belong to an earlier step now.
    fn typed(picker: &Shared) {
        {
            let mut picker = picker.borrow_mut();
            let text = picker.input.value();
            while picker.levels.len() > 1
                && !picker
                    .levels
                    .last()
                    .is_some_and(|level| level.prefix.as_ref().is_some_and(|prefix| text.starts_with(prefix.as_str())))
            {
                picker.levels.pop();
            }
            (picker.has_moved, picker.wants_pick) = (false, false);
        }
        ask(picker, false);
    }

    /// Asks for rows: what is known at once, and registries (`is_live`) when nothing else was asked meanwhile.
    fn ask(picker: &Shared, is_live: bool) {
        let mut this = picker.borrow_mut();
        let Some(address) = this.address(is_live) else { return };
        if let Some(under_way) = this.under_way.take() {
            under_way.abort();
        }
        this.turn += 1;
        this.is_stale |= !is_live;
        let turn = this.turn;
        let options = RequestInit::new();
        if let Ok(controller) = AbortController::new() {
            options.set_signal(Some(&controller.signal()));
            this.under_way = Some(controller);
        }
        let _ = this.list.set_attribute("aria-busy", "true");
        let picker = Rc::clone(picker);
        leptos::task::spawn_local(async move {
            let html = piece::fetch(&address, &options).await;
            let mut this = picker.borrow_mut();
            // A newer question is under way, or the popup was closed.
            if this.turn != turn {
                return;
            }
            let _ = this.list.remove_attribute("aria-busy");
            let html = match html {
                Ok(html) => html,
                Err(words) => return this.explain(words),
            };
            let may_find_more = this.show(&html).unwrap_or(false);
            this.is_stale = false;
            let active = this.active.and_then(|index| this.row(index)).filter(|_| this.wants_pick);
            drop(this);
            if let Some(row) = active {
                pick(&picker, &row);
            } else if may_find_more {
                dom::after(REST, move || {
                    if picker.borrow().turn == turn {
                        ask(&picker, true);
                    }
                });
            }
        });
    }

    /// Takes a row: it leads to the next step, or is what was looked for.
    fn pick(picker: &Shared, row: &Element) {
        let text = row.get_attribute("data-text").unwrap_or_default();
        let next = row.get_attribute("data-query");
        let mut this = picker.borrow_mut();
        this.wants_pick = false;
        this.has_moved = false;
        let before = this.input.value();
        this.input.set_value(&text);
        if let Some(query) = next {
            this.levels.push(Level { query, prefix: row.get_attribute("data-prefix"), before });
            drop(this);
            ask(picker, false);
            return;
        }
        this.levels.truncate(1);
        if let (Some(select), Some(credential)) = (&this.credential, row.get_attribute("data-credential")) {
            select.set_value(&credential);
        }
        this.close();
        this.say(&format!("Chosen: {text}"));
    }

    /// Goes back one step, to the text that stood there; from the first one the popup closes.
    fn back(picker: &Shared) {
        let mut this = picker.borrow_mut();
        this.has_moved = false;
        if this.levels.len() > 1
            && let Some(level) = this.levels.pop()
        {
            this.input.set_value(&level.before);
            drop(this);
            ask(picker, false);
        } else {
            this.close();
        }
    }

    fn key(picker: &Shared, event: KeyboardEvent) {
        // The keys of an input method aren't ours.
        if event.is_composing() || event.ctrl_key() || event.meta_key() {
            return;
        }
        let name = event.key();
        let (is_open, is_stale, has_moved, is_first, count, active) = {
            let this = picker.borrow();
            (this.is_open(), this.is_stale, this.has_moved, this.levels.len() == 1, this.count(), this.active)
        };
        if !is_open && !is_stale {
            if matches!(name.as_str(), "ArrowDown" | "ArrowUp") {
                event.prevent_default();
                ask(picker, false);
            }
            return;
        }
        let last = count.saturating_sub(1);
        let to = match name.as_str() {
            "ArrowDown" => Some(active.map_or(0, |index| if index >= last { 0 } else { index + 1 })),
            "ArrowUp" => Some(active.map_or(last, |index| if index == 0 { last } else { index - 1 })),
            "PageDown" => Some(active.map_or(0, |index| (index + PAGE).min(last))),
            "PageUp" => Some(active.map_or(0, |index| index.saturating_sub(PAGE))),
            // Until somebody is among the rows these belong to the text.
            "Home" if has_moved => Some(0),
            "End" if has_moved => Some(last),
            _ => None,
        };
        if let Some(to) = to {
            event.prevent_default();
            if count > 0 {
                let mut this = picker.borrow_mut();
                this.has_moved = true;
                this.go_to(Some(to));
            }
            return;
        }
        let row = active.filter(|_| !is_stale).and_then(|index| picker.borrow().row(index));
        match (name.as_str(), row) {
            ("Escape", _) => {
                event.prevent_default();
                back(picker);
            }
            ("Enter", Some(row)) => {
                event.prevent_default();
                pick(picker, &row);
            }
            ("Enter", None) => {
                event.prevent_default();
                let mut this = picker.borrow_mut();
                // The rows are on their way, or there are none: then the next Enter sends the form.
                if this.is_stale || this.list.has_attribute("aria-busy") {
                    this.wants_pick = true;
                } else {
                    this.close();
                }
            }
            // Leaving keeps the text, unless a choice was begun.
            ("Tab", Some(row)) if !event.shift_key() && (has_moved || !is_first) => {
                if row.has_attribute("data-query") {
                    event.prevent_default();
                }
                pick(picker, &row);
            }
            _ => {}
        }
    }
}
