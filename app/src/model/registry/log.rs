//! Lines that a managed registry prints, as people read them.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For those who look for a fault.
    Debug,
    /// Told in passing.
    #[default]
    Info,
    /// May need a look.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// As it stands in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// By its name in addresses.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Debug, Self::Info, Self::Warning, Self::Error].into_iter().find(|severity| severity.as_str() == text)
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When, Unix milliseconds.
    pub at: i64,
    /// As the engine writes the time, with nanoseconds; where a live tail goes on.
    pub cursor: String,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words: one line, cleaned.
    pub text: String,
    /// One of Slipway's own looks at the registry.
    pub is_own: bool,
}

/// Which lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// The newest so many; at most [`MOST_LINES`].
    pub tail: usize,
    /// Nothing older, Unix seconds.
    pub since: Option<i64>,
    /// At least as bad.
    pub severity: Severity,
    /// Holds this text, whatever its case; empty: any.
    pub filter: String,
    /// With Slipway's own looks.
    pub own: bool,
}

impl Default for LogView {
    fn default() -> Self {
        Self { tail: 200, since: None, severity: Severity::Info, filter: String::new(), own: false }
    }
}

/// The most lines that one answer has.
pub const MOST_LINES: usize = 5_000;

impl LogView {
    /// From the fields of an address: `severity`, `filter`, `own`, `tail`, `since`. Nonsense is as good as nothing.
    /// `since` is a time span before `now`, in minutes (`30`) or with its unit (`30m`, `6h`, `2d`), or Unix seconds.
    pub fn read<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>, now: i64) -> Self {
        let mut view = Self::default();
        for (name, value) in fields {
            match name {
                "severity" => view.severity = Severity::parse(value).unwrap_or_default(),
                "filter" => view.filter = value.trim().chars().take(200).collect(),
                "own" => view.own = !matches!(value, "" | "0" | "false"),
                "tail" => view.tail = value.parse().map_or(view.tail, |tail: usize| tail.clamp(1, MOST_LINES)),
                "since" => view.since = since(value, now),
                _ => {}
            }
        }
        view
    }

    /// Whether a line is to be shown.
    pub fn shows(&self, entry: &LogEntry) -> bool {
        entry.severity >= self.severity
            && (self.own || !entry.is_own)
            && (self.filter.is_empty() || entry.text.to_lowercase().contains(&self.filter.to_lowercase()))
    }
}

/// A number up to here is minutes, as the page sends them: a year. Above it, a time.
const MINUTES: i64 = 525_600;

fn since(text: &str, now: i64) -> Option<i64> {
    let seconds = match text.char_indices().last()? {
        (at, 'm') => text[..at].parse::<i64>().ok()?.checked_mul(60)?,
        (at, 'h') => text[..at].parse::<i64>().ok()?.checked_mul(3_600)?,
        (at, 'd') => text[..at].parse::<i64>().ok()?.checked_mul(86_400)?,
        _ => match text.parse::<i64>().ok()? {
            minutes @ ..=MINUTES => minutes.checked_mul(60)?,
            at => return Some(at),
        },
    };
    now.checked_sub(seconds).filter(|at| seconds > 0 && *at >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_read_from_an_address() {
        let read = |fields: &[(&'static str, &'static str)]| LogView::read(fields.iter().copied(), 100_000);
        assert_eq!(read(&[("x", "y"), ("severity", "loud"), ("tail", "-1"), ("since", "soon")]), LogView::default());
        let all = [("severity", "error"), ("filter", " a b "), ("own", "1"), ("tail", "9999"), ("since", "30m")];
        let view =
            LogView { tail: 5_000, since: Some(98_200), severity: Severity::Error, filter: "a b".into(), own: true };
        assert_eq!(read(&all), view);
        for (text, expected) in [
            ("1d", Some(13_600)),
            ("2h", Some(92_800)),
            ("15", Some(99_100)),
            ("1700000000", Some(1_700_000_000)),
            ("-5", None),
            ("0m", None),
            ("9d", None),
            ("m", None),
            ("", None),
            ("9223372036854775807d", None),
        ] {
            assert_eq!(read(&[("since", text)]).since, expected, "{text}");
        }
    }
}
