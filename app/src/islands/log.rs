//! A job's log: what a line looks like, and how the browser adds lines to the ones the server rendered.

use crate::model::ansi::{self, Look};
use crate::model::job::{LogLine, Step};

/// At most so many lines are in a page; the whole text is a download.
pub const MOST_LINES: u32 = 2_000;

/// The step that a line's heading names: BuildKit's own steps belong to the one that runs it.
pub fn heading_of(line: &LogLine) -> &str {
    line.step.split('/').next().unwrap_or_default()
}

/// The words of a heading.
pub fn heading_words<'a>(name: &'a str, steps: &'a [Step]) -> &'a str {
    steps.iter().find(|step| step.name == name).map_or(name, |step| &step.title)
}

/// The pieces of a line.
pub fn pieces(line: &LogLine) -> Vec<(Look, String)> {
    ansi::pieces(&line.text)
}

#[cfg(feature = "hydrate")]
pub use browser::Tail;

#[cfg(feature = "hydrate")]
mod browser {
    use super::{MOST_LINES, heading_of, heading_words, pieces};
    use crate::islands::dom;
    use crate::model::job::{LogLine, Step};
    use web_sys::{Element, Node};

    /// The log at the bottom of the page.
    pub struct Tail {
        scroller: Element,
        list: Element,
        last: u64,
        step: String,
    }

    impl Tail {
        /// The page's log, if it has one.
        pub fn find() -> Option<Self> {
            let scroller = dom::by_id("log")?;
            let list = scroller.query_selector("ol").ok().flatten()?;
            let last = list.get_attribute("data-last").and_then(|last| last.parse().ok()).unwrap_or(0);
            let step = list.get_attribute("data-step").unwrap_or_default();
            Some(Self { scroller, list, last, step })
        }

        /// The box that scrolls.
        pub fn scroller(&self) -> &Element {
            &self.scroller
        }

        /// The list of lines.
        pub fn list(&self) -> &Element {
            &self.list
        }

        /// Whether the newest line is in sight.
        pub fn is_at_end(&self) -> bool {
            let below = self.scroller.scroll_height() - self.scroller.client_height() - self.scroller.scroll_top();
            below < 30
        }

        /// Brings the newest line in sight.
        pub fn go_to_end(&self) {
            self.scroller.set_scroll_top(self.scroller.scroll_height());
        }

        /// Adds lines, drops old ones; says how many were new.
        pub fn add(&mut self, lines: &[LogLine], steps: &[Step]) -> u32 {
            let Some(fragment) = dom::document().map(|document| document.create_document_fragment()) else { return 0 };
            let mut added = 0;
            // A stream that was taken up again may repeat a line.
            for line in lines {
                if line.n <= self.last {
                    continue;
                }
                self.last = line.n;
                let step = heading_of(line);
                if step != self.step {
                    step.clone_into(&mut self.step);
                    dom::append(&fragment, dom::element("li", "step", heading_words(step, steps)));
                }
                dom::append(&fragment, row(line));
                added += 1;
            }
            self.put(&fragment);
            added
        }

        /// Adds rows that are made already, and drops the oldest when there are too many.
        pub fn put(&self, rows: &Node) {
            let _ = self.list.append_child(rows);
            while self.list.child_element_count() > MOST_LINES {
                let Some(first) = self.list.first_element_child() else { break };
                first.remove();
            }
        }
    }

    fn row(line: &LogLine) -> Option<Element> {
        let row = dom::element("li", "", "")?;
        row.set_id(&format!("L{}", line.n));
        let number = dom::element("a", "", &line.n.to_string())?;
        let _ = number.set_attribute("href", &format!("#L{}", line.n));
        let text = dom::element("span", "text", "")?;
        for (look, piece) in pieces(line) {
            match look.class() {
                Some(class) => dom::append(&text, dom::element("span", &class, &piece)),
                None => {
                    let node: Option<Node> = dom::document().map(|document| document.create_text_node(&piece).into());
                    if let Some(node) = node {
                        let _ = text.append_child(&node);
                    }
                }
            }
        }
        dom::append(&row, Some(number));
        dom::append(&row, Some(text));
        Some(row)
    }
}
