//! What the tasks of a service print, from all nodes, as the Swarm collects it.

use super::{Docker, DockerError};
use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::{Stream, StreamExt as _};

/// Which lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// The newest so many; None: all there are.
    pub tail: Option<usize>,
    /// Nothing older than this, Unix seconds.
    pub since: Option<i64>,
    /// Goes on with what will be printed; the stream ends when it is dropped, or when Docker goes away.
    pub follow: bool,
}

/// One line that a task printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, as the engine writes it: RFC 3339 with nanoseconds. Sorts by time.
    pub at: String,
    /// On the standard error.
    pub is_error: bool,
    /// Without its line break; at most `LONGEST` bytes, cleaned of nothing.
    pub text: String,
}

/// Longer lines are cut.
pub const LONGEST: usize = 8 * 1024;

impl Docker {
    /// The lines of a service's tasks. No time limit: a stream that follows is meant to stay open.
    pub fn service_log(
        &self,
        service: &str,
        query: &LogQuery,
    ) -> impl Stream<Item = Result<LogLine, DockerError>> + Send + use<> {
        let mut options = LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true).follow(query.follow);
        if let Some(tail) = query.tail {
            options = options.tail(&tail.to_string());
        }
        if let Some(since) = query.since {
            options = options.since(i32::try_from(since).unwrap_or(i32::MAX));
        }
        let address = self.address.clone();
        self.client.service_logs(service, Some(options.build())).map(move |part| match part {
            Ok(part) => Ok(line(part)),
            Err(error) => Err(DockerError::of(&address, error)),
        })
    }
}

/// `2026-11-24T12:00:00.000000000Z text`
fn line(part: LogOutput) -> LogLine {
    let is_error = matches!(part, LogOutput::StdErr { .. });
    let bytes = part.into_bytes();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).trim_end_matches(['\r', '\n']).to_owned();
    let (at, text) = text.split_once(' ').unwrap_or((&text, ""));
    LogLine { at: at.to_owned(), is_error, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let of = |text: &str| line(LogOutput::StdOut { message: text.to_owned().into() });
        let read = of("2026-11-24T12:00:00.5Z a b  c\r\n");
        assert_eq!((read.at.as_str(), read.text.as_str()), ("2026-11-24T12:00:00.5Z", "a b  c"));
        assert_eq!(of("2026-11-24T12:00:00.5Z").text, "");
        assert_eq!(of(&format!("2026-11-24T12:00:00.5Z {}", "x".repeat(LONGEST * 2))).text.len() + 23, LONGEST);
    }
}
