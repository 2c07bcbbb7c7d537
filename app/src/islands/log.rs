//! A log: what a job's line looks like, and the box with the lines, which `window` and `registry_log` fill.

use crate::model::ansi::{self, Look};
use crate::model::job::{LogLine, Step};

/// At most so many lines of a registry's log are in a page.
#[cfg(feature = "hydrate")]
const MOST_LINES: u32 = 2_000;

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
    use super::MOST_LINES;
    use crate::islands::dom;
    use web_sys::{Element, Node};

    /// The log at the bottom of the page.
    pub struct Tail {
        scroller: Element,
        list: Element,
    }

    impl Tail {
        /// The page's log, if it has one.
        pub fn find() -> Option<Self> {
            let scroller = dom::by_id("log")?;
            let list = scroller.query_selector("ol").ok().flatten()?;
            Some(Self { scroller, list })
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

        /// Adds rows that are made already, and drops the oldest when there are too many.
        pub fn put(&self, rows: &Node) {
            let _ = self.list.append_child(rows);
            while self.list.child_element_count() > MOST_LINES {
                let Some(first) = self.list.first_element_child() else { break };
                first.remove();
            }
        }
    }
}
