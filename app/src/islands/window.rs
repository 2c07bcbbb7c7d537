//! A job's log in the browser: of all its lines only those in sight, and some around them, are in the document.
//!
//! All rows are of one height, so that a line's number says where it is; the list is padded to the height of all of them.
//! Lines come from the server by range, or at the end from the job's event stream. A run of lines around what is in sight
//! is kept.

use super::dom;
use super::log::{Tail, heading_of, pieces};
use crate::model::job::{LiveEvent, LogLine};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, Node};

/// Rows above and below those in sight.
const AROUND: u64 = 120;
/// Lines that are asked for at once.
const PIECE: u64 = 500;
/// Lines that are kept.
const KEPT: usize = 4_000;

/// The log, as scrolling and new lines find it.
pub struct Window {
    scroller: Element,
    list: HtmlElement,
    path: String,
    /// Names of steps, each with its title behind a tab.
    titles: String,
    /// A run of lines without gaps.
    lines: Vec<LogLine>,
    total: u64,
    /// The lines whose rows are in the list: from this one on, up to before that one.
    first: u64,
    end: u64,
    row: u64,
    telling: Option<u64>,
    target: Option<u64>,
    is_asking: bool,
}

/// The window, shared by all that moves it.
pub type Shared = Rc<RefCell<Window>>;

/// Takes over the page's log; `path` answers ranges.
pub fn take_over(path: String, titles: String, is_live: bool) -> Option<Shared> {
    let tail = Tail::find()?;
    let (scroller, list) = (tail.scroller().clone(), tail.list().clone());
    let number = |name: &str| list.get_attribute(name).and_then(|text| text.parse::<u64>().ok());
    let first = number("data-first").unwrap_or(1);
    let end = number("data-last").unwrap_or(0) + 1;
    let total = number("data-total").unwrap_or(0);
    let (telling, asked) = (number("data-telling"), number("data-asked"));
    let window = Window {
        scroller,
        list: list.dyn_into().ok()?,
        path,
        titles,
        lines: Vec::new(),
        total,
        first: first.min(end),
        end,
        row: 0,
        telling,
        target: target(),
        is_asking: false,
    };
    let window = Rc::new(RefCell::new(window));
    {
        let mut window = window.borrow_mut();
        window.pad();
        match window.target.or(asked).or(telling.filter(|_| !is_live)) {
            Some(line) => window.go_to(line),
            None => window.go_to_end(),
        }
    }
    show(&window);
    let shared = Rc::clone(&window);
    dom::on(&window.borrow().scroller, "scroll", move |_: Event| show(&shared));
    if let Some(browser) = dom::window() {
        let shared = Rc::clone(&window);
        dom::on(&browser, "hashchange", move |_: Event| point(&shared));
    }
    Some(window)
}

/// The line that the address names.
fn target() -> Option<u64> {
    dom::window()?.location().hash().ok()?.strip_prefix("#L")?.parse().ok()
}

/// Another line was named.
fn point(shared: &Shared) {
    for row in dom::all("#log li.target") {
        row.set_class_name("");
    }
    let mut window = shared.borrow_mut();
    window.target = target();
    let Some(line) = window.target else { return };
    match dom::by_id(&format!("L{line}")) {
        Some(row) => row.set_class_name(window.class(line)),
        None => window.go_to(line),
    }
}

/// Puts the rows into the list that are in sight now, and asks for lines that aren't there.
pub fn show(shared: &Shared) {
    let Ok(mut window) = shared.try_borrow_mut() else { return };
    window.render();
    let Some(from) = window.missing().filter(|_| !window.is_asking) else { return };
    window.is_asking = true;
    let from = from.saturating_sub(PIECE / 2).max(1);
    let url = format!("{}?from={from}&count={PIECE}", window.path);
    let shared = Rc::clone(shared);
    leptos::task::spawn_local(async move {
        let answer = dom::get(&url).await.and_then(|text| serde_json::from_str(&text).ok());
        shared.borrow_mut().is_asking = false;
        match answer {
            Some(LiveEvent::Log { lines }) => {
                {
                    let mut window = shared.borrow_mut();
                    window.take(lines);
                    window.fill();
                }
                show(&shared);
            }
            // The connection is away: the rows wait for it.
            _ => dom::after(1_000, move || show(&shared)),
        }
    });
}

impl Window {
    /// Lines of the event stream; says how many were new.
    pub fn add(&mut self, lines: Vec<LogLine>) -> u32 {
        let total = self.total;
        self.total = lines.last().map_or(total, |line| line.n.max(total));
        // What was repeated after a reconnect isn't new.
        let new = u32::try_from(self.total - total).unwrap_or(u32::MAX);
        let adjoins = self.lines.last().is_none_or(|last| lines.first().is_some_and(|line| line.n <= last.n + 1));
        if adjoins || self.end + PIECE > total {
            self.take(lines);
            self.fill();
        }
        if let Ok(Some(waiting)) = self.scroller.query_selector("p") {
            waiting.remove();
        }
        self.pad();
        new
    }

    /// A step has this title.
    pub fn title(&mut self, name: &str, title: &str) {
        self.titles.push_str(&format!("\n{name}\t{title}"));
    }

    /// Brings the newest line in sight.
    fn go_to_end(&mut self) {
        self.scroller.set_scroll_top(self.scroller.scroll_height());
    }

    fn go_to(&mut self, line: u64) {
        let above = self.sight() / 3;
        let top = line.saturating_sub(1 + above) * self.height();
        self.scroller.set_scroll_top(i32::try_from(top).unwrap_or(i32::MAX));
    }

    /// Of a row, in pixels; measured once there is one.
    fn height(&mut self) -> u64 {
        if self.row == 0 {
            let measured = self.list.first_element_child().map_or(0, |row| row.client_height());
            self.row = u64::try_from(measured).unwrap_or(0);
        }
        if self.row == 0 { 24 } else { self.row }
    }

    /// How many rows are in sight.
    fn sight(&mut self) -> u64 {
        u64::try_from(self.scroller.client_height()).unwrap_or(0) / self.height() + 1
    }

    /// The list is as high as if all rows were in it.
    fn pad(&mut self) {
        let height = self.height();
        let (above, below) = ((self.first - 1) * height, (self.total + 1).saturating_sub(self.end) * height);
        // A style attribute would be against the content security policy; the property isn't.
        if let Ok(style) = js_sys::Reflect::get(&self.list, &"style".into()) {
            let _ = js_sys::Reflect::set(&style, &"paddingBlock".into(), &format!("{above}px {below}px").into());
        }
    }

    fn render(&mut self) {
        let top = u64::try_from(self.scroller.scroll_top()).unwrap_or(0) / self.height();
        let end = (top + self.sight() + AROUND).min(self.total) + 1;
        let first = (top.saturating_sub(AROUND) + 1).min(end);
        if (first, end) == (self.first, self.end) {
            return;
        }
        while self.first < self.end && self.first < first {
            self.drop_row(self.list.first_element_child());
            self.first += 1;
        }
        while self.first < self.end && self.end > end {
            self.drop_row(self.list.last_element_child());
            self.end -= 1;
        }
        if self.first == self.end {
            (self.first, self.end) = (first, first);
        }
        while self.first > first {
            self.first -= 1;
            if let Some(row) = self.row(self.first) {
                let _ = self.list.insert_before(&row, self.list.first_child().as_ref());
            }
        }
        while self.end < end {
            dom::append(&self.list, self.row(self.end));
            self.end += 1;
        }
        self.pad();
    }

    /// A row that goes doesn't take the keyboard with it.
    fn drop_row(&self, row: Option<Element>) {
        let Some(row) = row else { return };
        let focused = dom::document().and_then(|document| document.active_element());
        if focused.is_some_and(|focused| row.contains(Some(&focused)))
            && let Some(scroller) = self.scroller.dyn_ref::<HtmlElement>()
        {
            let _ = scroller.focus();
        }
        row.remove();
    }

    /// The first row without its line.
    fn missing(&self) -> Option<u64> {
        let rows = self.list.children();
        let of_row = |row: Element| row.id().strip_prefix('L').and_then(|line| line.parse().ok());
        (0..rows.length()).filter_map(|index| rows.item(index)).find(|row| row.class_name() == "wait").and_then(of_row)
    }

    /// Rows that waited for their lines get them.
    fn fill(&mut self) {
        let rows = self.list.children();
        for index in 0..rows.length() {
            let Some(old) = rows.item(index).filter(|row| row.class_name() == "wait") else { continue };
            let line = self.first + u64::from(index);
            if self.line(line).is_some()
                && let Some(new) = self.row(line)
            {
                let _ = self.list.replace_child(&new, &old);
            }
        }
    }

    fn line(&self, n: u64) -> Option<&LogLine> {
        let start = self.lines.first()?.n;
        self.lines.get(usize::try_from(n.checked_sub(start)?).ok()?)
    }

    /// Keeps lines: joined to those that are kept already, or in their place.
    fn take(&mut self, lines: Vec<LogLine>) {
        let (Some(from), Some(to)) = (lines.first().map(|line| line.n), lines.last().map(|line| line.n)) else {
            return;
        };
        let joins = self.lines.first().is_some_and(|first| first.n <= to + 1)
            && self.lines.last().is_some_and(|last| last.n + 1 >= from);
        if !joins {
            self.lines = lines;
            return;
        }
        let after = self.lines.iter().position(|line| line.n > to).map(|at| self.lines.split_off(at));
        self.lines.retain(|line| line.n < from);
        self.lines.extend(lines);
        self.lines.extend(after.into_iter().flatten());
        if self.lines.len() > KEPT {
            let start = self.lines[0].n;
            let surplus = self.lines.len() - KEPT;
            let above = usize::try_from(self.first.saturating_sub(start)).unwrap_or(0);
            if above > KEPT / 2 {
                self.lines.drain(..surplus);
            } else {
                self.lines.truncate(KEPT);
            }
        }
    }

    fn class(&self, n: u64) -> &'static str {
        if self.target == Some(n) {
            "target"
        } else if self.telling == Some(n) {
            "telling"
        } else {
            ""
        }
    }

    /// The same row that `ui::job` writes on the server.
    fn row(&self, n: u64) -> Option<Element> {
        let line = self.line(n);
        let row = dom::element("li", if line.is_some() { self.class(n) } else { "wait" }, "")?;
        row.set_id(&format!("L{n}"));
        let number = dom::element("a", "", &n.to_string())?;
        let _ = number.set_attribute("href", &format!("#L{n}"));
        let text = dom::element("span", "text", "")?;
        if let Some(line) = line {
            if n == 1 || self.line(n - 1).is_some_and(|before| heading_of(before) != heading_of(line)) {
                let name = heading_of(line);
                let titles = self.titles.lines().filter_map(|line| line.split_once('\t'));
                let title = titles.rev().find(|(step, _)| *step == name).map_or(name, |(_, title)| title);
                let _ = text.set_attribute("data-of", title);
            }
            for (look, piece) in pieces(line) {
                match look.class() {
                    Some(class) => dom::append(&text, dom::element("span", &class, &piece)),
                    None => {
                        let node: Option<Node> =
                            dom::document().map(|document| document.create_text_node(&piece).into());
                        if let Some(node) = node {
                            let _ = text.append_child(&node);
                        }
                    }
                }
            }
        }
        dom::append(&row, Some(number));
        dom::append(&row, Some(text));
        Some(row)
    }
}
