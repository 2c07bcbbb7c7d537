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
    /// The newest so many; at most 5,000.
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

impl LogView {
    /// Whether a line is to be shown.
    pub fn shows(&self, entry: &LogEntry) -> bool {
        entry.severity >= self.severity
            && (self.own || !entry.is_own)
            && (self.filter.is_empty() || entry.text.to_lowercase().contains(&self.filter.to_lowercase()))
    }
}
