//! The program's own log: one line an event, for people or as JSON, to standard error.

use crate::config::LogFormat;
use std::io::Write;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What is logged unless SLIPWAY_LOG says otherwise. The session library's "suspicious activity" is an ended session.
const FILTER: &str = "info,tower_sessions_core=off";

/// Starts logging. A second call, as in tests, changes nothing.
pub fn start_logging(format: LogFormat) {
    let filter = std::env::var("SLIPWAY_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(FILTER));
    let filter = match crate::docker::NEVER_LOGGED.parse() {
        Ok(never) => filter.add_directive(never),
        Err(_) => filter,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(OneLine).with_ansi(false);
    let started = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging runs already");
    }
}

/// Writes to standard error, each event on one line: what comes from outside can neither start a line nor steer a
/// terminal.
#[derive(Clone, Copy, Debug)]
struct OneLine;

impl<'w> MakeWriter<'w> for OneLine {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        Self
    }
}

impl Write for OneLine {
    /// The subscriber hands over whole events.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        std::io::stderr().lock().write_all(&one_line(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

fn one_line(event: &[u8]) -> Vec<u8> {
    let text = event.strip_suffix(b"\n").unwrap_or(event);
    let mut line = Vec::with_capacity(event.len() + 16);
    for byte in text {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            0..=31 | 127 => line.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            _ => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_event_is_one_line_without_control_characters() {
        assert_eq!(super::one_line(b"a\nb\x1b[31mc\r\n"), b"a\\nb\\x1b[31mc\\x0d\n");
    }
}
