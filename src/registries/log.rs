//! What managed registries print, from the Swarm's collection of it.
//!
//! The engine counts and sorts lines for each task by itself, so here they are put into one order by time. A tail that
//! follows keeps going when the service is made anew or Docker restarts, and goes on behind the last line it gave.

mod line;
mod mask;

use super::{Registries, names, store_managed};
use crate::docker::{DockerError, LogLine, LogQuery};
use crate::problems;
use app::api::registries::LogLines;
use app::error::{AppError, Problem};
use app::model::id::RegistryId;
use app::model::registry::{LogEntry, LogView, MOST_LINES, Severity};
use app::paths;
use futures::{Stream, StreamExt as _};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Lines that are read for them: most are Slipway's own looks, so at first many, then very many.
const READ: [usize; 2] = [5_000, 100_000];
/// The longest that reading may take; what came until then is shown.
const PATIENCE: Duration = Duration::from_secs(12);
/// A tail without news looks whether its service is still the one: Docker keeps the stream of a removed one open.
const LOOK: Duration = Duration::from_secs(5);
/// A tail looks for its service so often, so many times.
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: usize = 60;

impl Registries {
    /// The lines of a view, oldest first.
    pub(super) async fn read_log(&self, id: &RegistryId, view: &LogView) -> Result<Vec<LogEntry>, AppError> {
        let service = self.service_with_log(id).await?;
        let mut entries = Vec::new();
        for lines in READ {
            let query = LogQuery { tail: Some(lines), since: view.since, follow: false };
            let newest = self.newest(&service, &query, view, None).await?;
            let all_read = newest.seen < lines || newest.kept.len() >= newest.most;
            entries = newest.entries();
            if all_read {
                break;
            }
        }
        Ok(entries)
    }

    /// The lines as they come.
    pub(super) async fn open_log(
        &self,
        id: &RegistryId,
        view: LogView,
        cursor: Option<String>,
    ) -> Result<LogLines, AppError> {
        let service = self.service_with_log(id).await?;
        let newest = match cursor.as_deref().and_then(nanos) {
            Some(cursor) => Some(cursor),
            // From now on: behind the last line there is, whatever the clocks of the nodes say.
            None => {
                let query = LogQuery { tail: Some(1), since: None, follow: false };
                self.newest(&service, &query, &view, None).await?.last
            }
        };
        let mut tail = Tail {
            registries: self.clone(),
            id: id.clone(),
            view,
            service,
            newest,
            behind: None,
            waiting: VecDeque::new(),
            lines: Box::pin(futures::stream::empty()),
            is_over: false,
        };
        tail.open().await?;
        Ok(Box::pin(futures::stream::unfold(tail, Tail::next)))
    }

    /// The id of the service that prints it.
    async fn service_with_log(&self, id: &RegistryId) -> Result<String, AppError> {
        let record = store_managed::record_of(self.parts.db.read(), id).await.map_err(problems::of)?;
        let record = record.ok_or_else(|| AppError::NotFound("managed registry".into()))?;
        let services = self.parts.docker.services(&names::filter(id)).await.map_err(refused)?;
        let found = services
            .into_iter()
            .find(|service| service.labels.get(names::ROLE).is_some_and(|role| role == names::SERVES));
        found.map(|service| service.id).ok_or_else(|| {
            Problem::new(
                "registry.no_service",
                format!("The registry {} doesn't run: the Swarm has no service of it.", record.name),
                "See the registry's page for why; its log goes with its service.",
            )
            .with_link(paths::registry(id), "Open the registry")
            .into()
        })
    }

    /// Reads what is there. An engine that can't give all gives what it can, and the last entry says so.
    async fn newest(
        &self,
        service: &str,
        query: &LogQuery,
        view: &LogView,
        behind: Option<i128>,
    ) -> Result<Newest, AppError> {
        let mut newest = Newest { most: view.tail.clamp(1, MOST_LINES), seen: 0, last: None, kept: BTreeMap::new() };
        let mut lines = Box::pin(self.parts.docker.service_log(service, query));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match tokio::time::timeout_at(deadline, lines.next()).await {
                Ok(Some(Ok(line))) => newest.take(&line, view, behind),
                Ok(None) => return Ok(newest),
                Ok(Some(Err(error))) if newest.seen == 0 => return Err(refused(error)),
                Ok(Some(Err(error))) => {
                    newest.note(&format!("Slipway: this log isn't whole. {error}."));
                    return Ok(newest);
                }
                Err(_) => {
                    newest.note("Slipway: this log isn't whole. Docker didn't hand over all of it in time.");
                    return Ok(newest);
                }
            }
        }
    }
}

fn refused(error: DockerError) -> AppError {
    error.problem().into()
}

/// Nanoseconds since 1970 of a time as the engine writes it.
fn nanos(at: &str) -> Option<i128> {
    OffsetDateTime::parse(at, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp_nanos)
}

fn entry(line: &LogLine, at: i128) -> LogEntry {
    let said = line::read(&line.text);
    LogEntry {
        at: i64::try_from(at / 1_000_000).unwrap_or(0),
        cursor: line.at.clone(),
        severity: said.severity,
        text: said.text,
        is_own: said.is_own,
    }
}

/// The newest entries of a view, by time, whatever order the lines come in.
struct Newest {
    most: usize,
    /// Lines, shown or not.
    seen: usize,
    /// The newest line's time, shown or not.
    last: Option<i128>,
    kept: BTreeMap<(i128, usize), LogEntry>,
}

impl Newest {
    fn take(&mut self, line: &LogLine, view: &LogView, behind: Option<i128>) {
        self.seen += 1;
        let Some(at) = nanos(&line.at) else { return };
        self.last = self.last.max(Some(at));
        if behind.is_some_and(|behind| at <= behind) {
            return;
        }
        let entry = entry(line, at);
        if view.shows(&entry) {
            self.kept.insert((at, self.seen), entry);
            if self.kept.len() > self.most {
                self.kept.pop_first();
            }
        }
    }

    /// Says something ourselves, behind all lines. The cursor is the last line's, so a tail goes on there.
    fn note(&mut self, text: &str) {
        let last = self.kept.last_key_value();
        let (at, cursor) = last.map_or((0, String::new()), |(_, entry)| (entry.at, entry.cursor.clone()));
        let text = line::clean(text);
        let entry = LogEntry { at, cursor, severity: Severity::Warning, text, is_own: false };
        self.kept.insert((i128::MAX, self.seen), entry);
    }

    fn entries(self) -> Vec<LogEntry> {
        self.kept.into_values().collect()
    }
}

/// A tail that follows.
struct Tail {
    registries: Registries,
    id: RegistryId,
    /// The id of the service that it is connected to.
    service: String,
    view: LogView,
    /// The newest line so far, shown or not.
    newest: Option<i128>,
    /// Lines up to here were given before this connection.
    behind: Option<i128>,
    /// Entries that were printed before this connection, in order.
    waiting: VecDeque<LogEntry>,
    lines: Pin<Box<dyn Stream<Item = Result<LogLine, DockerError>> + Send>>,
    is_over: bool,
}

impl Tail {
    /// Connects: with a place to go on, first all that was printed since, sorted; then what comes.
    async fn open(&mut self) -> Result<(), AppError> {
        let service = self.service.as_str();
        let docker = self.registries.parts.docker.clone();
        let Some(newest) = self.newest else {
            // Nothing was printed when it was opened, so all there is came since.
            let query = LogQuery { tail: None, since: None, follow: true };
            self.lines = Box::pin(docker.service_log(service, &query));
            return Ok(());
        };
        let since = i64::try_from(newest / 1_000_000_000).ok();
        let query = LogQuery { tail: None, since, follow: false };
        let view = LogView { tail: MOST_LINES, ..self.view.clone() };
        let missed = self.registries.newest(service, &query, &view, Some(newest)).await?;
        self.newest = self.newest.max(missed.last);
        self.behind = self.newest;
        self.waiting.extend(missed.entries());
        self.lines = Box::pin(docker.service_log(service, &LogQuery { follow: true, ..query }));
        Ok(())
    }

    /// Looks for the service until it is there again.
    async fn open_again(&mut self) -> Result<(), AppError> {
        let mut tries = TRIES;
        loop {
            tokio::time::sleep(AGAIN).await;
            let opened = match self.registries.service_with_log(&self.id).await {
                Ok(service) => {
                    self.service = service;
                    self.open().await
                }
                Err(error) => Err(error),
            };
            tries -= 1;
            match opened {
                Err(AppError::Problem(_)) if tries > 0 => {}
                opened => return opened,
            }
        }
    }

    async fn is_connected(&mut self) -> bool {
        self.registries.service_with_log(&self.id).await.is_ok_and(|service| service == self.service)
    }

    async fn next(mut self) -> Option<(Result<LogEntry, AppError>, Self)> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(entry) = self.waiting.pop_front() {
                return Some((Ok(entry), self));
            }
            let line = match tokio::time::timeout(LOOK, self.lines.next()).await {
                Ok(Some(Ok(line))) => line,
                Err(_) if self.is_connected().await => continue,
                _ => {
                    if let Err(error) = self.open_again().await {
                        self.is_over = true;
                        return Some((Err(error), self));
                    }
                    continue;
                }
            };
            let Some(at) = nanos(&line.at) else { continue };
            if self.behind.is_some_and(|behind| at <= behind) {
                continue;
            }
            self.newest = self.newest.max(Some(at));
            let entry = entry(&line, at);
            if self.view.shows(&entry) {
                return Some((Ok(entry), self));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: &str, text: &str) -> LogLine {
        LogLine { at: at.into(), is_error: false, text: text.into() }
    }

    #[test]
    fn lines_of_several_tasks_are_sorted_and_the_newest_stay() {
        let mut newest = Newest { most: 2, seen: 0, last: None, kept: BTreeMap::new() };
        let view = LogView { filter: "line".into(), ..LogView::default() };
        for (at, text) in [
            ("2026-11-24T12:00:03.000000001Z", "line d"),
            ("2026-11-24T12:00:03.000000000Z", "line c"),
            ("2026-11-24T12:00:01.5Z", "line a"),
            ("2026-11-24T12:00:09Z", "something else"),
            ("not a time", "line e"),
        ] {
            newest.take(&line(at, text), &view, nanos("2026-11-24T12:00:00Z"));
        }
        assert_eq!(newest.last, nanos("2026-11-24T12:00:09Z"));
        let texts: Vec<String> = newest.entries().into_iter().map(|entry| entry.text).collect();
        assert_eq!(texts, ["line c", "line d"]);
    }

    #[test]
    fn what_was_given_before_is_left_out() {
        let mut newest = Newest { most: 9, seen: 0, last: None, kept: BTreeMap::new() };
        let behind = nanos("2026-11-24T12:00:00.123456789Z");
        for at in ["2026-11-24T12:00:00.1Z", "2026-11-24T12:00:00.123456789Z", "2026-11-24T12:00:00.12345679Z"] {
            newest.take(&line(at, "x"), &LogView::default(), behind);
        }
        let left = newest.entries();
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].at % 1_000, left[0].cursor.as_str()), (123, "2026-11-24T12:00:00.12345679Z"));
    }
}
