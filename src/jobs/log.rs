//! Writes a job's log: a file of one JSON object a line, `logs/<year>-<month>/<job>.ndjson`.
//!
//! Files and not rows, so that a log never waits for the database, and a full disk or a broken log never fails a build.
//! What must always hold: lines are numbered without gaps, also across a restart; the file ends with a whole line, or
//! with one that the next start cuts off; it has a largest size, and says so when it was reached.

use super::mask::Masks;
use app::model::job::LogLine;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// How much of a log is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    /// From its beginning.
    pub(super) head: u64,
    /// From its end.
    pub(super) tail: usize,
}

/// 50 MiB in all (HARDENING D7).
pub(super) const CAPS: Caps = Caps { head: 48 << 20, tail: 2 << 20 };

/// Where the log of a job is that was asked for at this time.
pub(super) fn path(folder: &Path, created_millis: i64, job: &str) -> PathBuf {
    let month = time::OffsetDateTime::from_unix_timestamp(created_millis.div_euclid(1_000))
        .map_or_else(|_| "0000-00".to_owned(), |at| format!("{:04}-{:02}", at.year(), u8::from(at.month())));
    folder.join(month).join(format!("{job}.ndjson"))
}

/// The log of one running job.
pub(super) struct JobLog {
    state: Mutex<State>,
}

struct State {
    /// None: it couldn't be opened; lines are lost, the job goes on.
    file: Option<File>,
    path: PathBuf,
    caps: Caps,
    /// Behind the last whole line.
    len: u64,
    next: u64,
    /// Lines that wait for the end, once the head is full.
    tail: Option<Tail>,
    is_broken: bool,
}

#[derive(Default)]
struct Tail {
    lines: VecDeque<(i64, String, String)>,
    bytes: usize,
    left_out: u64,
}

impl JobLog {
    /// Opens the log, after what an earlier try wrote.
    pub(super) fn open(path: PathBuf, caps: Caps) -> Self {
        let mut state = State { file: None, path, caps, len: 0, next: 1, tail: None, is_broken: false };
        match open(&state.path) {
            Ok((file, len, last)) => {
                (state.file, state.len, state.next) = (Some(file), len, last + 1);
            }
            Err(error) => state.broken(&error),
        }
        if state.len >= caps.head {
            state.tail = Some(Tail::default());
        }
        Self { state: Mutex::new(state) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).path.clone()
    }

    /// Appends clean lines.
    pub(super) fn append(&self, at: i64, step: &str, lines: Vec<String>) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut bytes = Vec::new();
        for text in lines {
            if state.tail.is_none() && state.len + bytes.len() as u64 >= state.caps.head {
                let note =
                    "Slipway: this log is too long. From here on only its end is kept; it comes when the job ends.";
                state.encode(&mut bytes, at, step, note.to_owned());
                state.tail = Some(Tail::default());
            }
            let keep = state.caps.tail;
            match &mut state.tail {
                Some(tail) => tail.push((at, step.to_owned(), text), keep),
                None => state.encode(&mut bytes, at, step, text),
            }
        }
        state.write(&bytes);
    }

    /// Writes what waited for the end. Appending stays possible.
    pub(super) fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(tail) = state.tail.as_mut().map(std::mem::take) else { return };
        let mut bytes = Vec::new();
        if tail.left_out > 0
            && let Some((at, step, _)) = tail.lines.front()
        {
            let note = format!("Slipway: {} lines were left out here.", tail.left_out);
            state.encode(&mut bytes, *at, step, note);
        }
        for (at, step, text) in tail.lines {
            state.encode(&mut bytes, at, &step, text);
        }
        state.write(&bytes);
    }
}

impl Tail {
    fn push(&mut self, line: (i64, String, String), keep: usize) {
        self.bytes += line.2.len() + 64;
        self.lines.push_back(line);
        while self.bytes > keep
            && let Some((_, _, text)) = self.lines.pop_front()
        {
            self.bytes -= text.len() + 64;
            self.left_out += 1;
        }
    }
}

impl State {
    fn encode(&mut self, into: &mut Vec<u8>, at: i64, step: &str, text: String) {
        let line = LogLine { n: self.next, at, step: step.to_owned(), text };
        let before = into.len();
        if serde_json::to_writer(&mut *into, &line).is_ok() {
            into.push(b'\n');
            self.next += 1;
        } else {
            into.truncate(before);
        }
    }

    /// All or nothing: after a failure (a full disk) the file is cut back to its last whole line.
    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.file.is_none() && !self.reopen() {
            self.lose(bytes);
            return;
        }
        let Some(file) = &mut self.file else { return };
        match file.write_all(bytes) {
            Ok(()) => self.len += bytes.len() as u64,
            Err(error) => {
                let _ = file.set_len(self.len);
                self.lose(bytes);
                self.broken(&error);
            }
        }
    }

    /// Numbers have no gaps: those of lost lines are given again.
    fn lose(&mut self, bytes: &[u8]) {
        let lost = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.next -= lost.min(self.next - 1);
    }

    /// A file that couldn't be made on a full disk may be made now, while nothing is in it.
    fn reopen(&mut self) -> bool {
        if self.next > 1 && self.len > 0 {
            return false;
        }
        self.file = open(&self.path).ok().filter(|(_, len, _)| *len == 0).map(|(file, ..)| file);
        self.file.is_some()
    }

    /// Once per job: the log of the log.
    fn broken(&mut self, error: &std::io::Error) {
        if !self.is_broken {
            self.is_broken = true;
            tracing::warn!(path = %self.path.display(), %error, "a job's log can't be written; the job goes on without it");
        }
    }
}

/// The file, its length up to the last whole line, and the number of that line.
fn open(path: &Path) -> std::io::Result<(File, u64, u64)> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let size = file.metadata()?.len();
    // A line has at most 16 KiB of text, six times that in escapes.
    let from = size.saturating_sub(256 * 1_024);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let len = from + whole as u64;
    if len < size {
        file.set_len(len)?;
    }
    let last = end[..whole]
        .split(|byte| *byte == b'\n')
        .rev()
        .find_map(|line| serde_json::from_slice::<LogLine>(line).ok())
        .map_or(0, |line| line.n);
    Ok((file, len, last))
}

/// One stream of bytes that becomes lines of a job's log, such as the output of a program.
pub struct LogStream {
    cx: super::JobContext,
    step: Option<String>,
    lines: super::lines::Assembler,
}

impl LogStream {
    pub(super) fn new(cx: super::JobContext, step: Option<String>) -> Self {
        Self { cx, step, lines: super::lines::Assembler::default() }
    }

    /// Takes a piece, which may end anywhere, also inside a secret.
    pub fn write(&mut self, piece: &[u8]) {
        let lines = self.lines.push(piece, self.cx.masks());
        self.cx.append(self.step.as_deref(), lines);
    }

    /// Writes what had no line end.
    pub fn end(&mut self) {
        let lines = self.lines.end(self.cx.masks());
        self.cx.append(self.step.as_deref(), lines);
    }
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.end();
    }
}

/// Clean, masked lines of a text.
pub(super) fn lines_of(text: &str, masks: &Masks) -> Vec<String> {
    super::lines::split(text, masks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(path: &Path) -> Vec<(u64, String)> {
        let text = std::fs::read_to_string(path).expect("a log");
        text.lines()
            .map(|line| serde_json::from_str::<LogLine>(line).expect("a line"))
            .map(|line| (line.n, line.text))
            .collect()
    }

    #[test]
    fn numbers_go_on_after_a_crash_and_a_torn_line_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = path(folder.path(), 1_790_000_000_000, "job_x");
        assert!(path.ends_with("2026-09/job_x.ndjson"), "{path:?}");
        JobLog::open(path.clone(), CAPS).append(1, "a", vec!["one".into(), "two".into()]);
        let mut file = OpenOptions::new().append(true).open(&path).expect("the log");
        file.write_all(br#"{"n":3,"at":1,"st"#).expect("a torn line");
        JobLog::open(path.clone(), CAPS).append(2, "b", vec!["three".into()]);
        assert_eq!(texts(&path), [(1, "one".into()), (2, "two".into()), (3, "three".into())]);
    }

    #[test]
    fn a_long_log_keeps_head_and_tail_and_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long.ndjson");
        let log = JobLog::open(path.clone(), Caps { head: 2_000, tail: 1_000 });
        for n in 0..1_000 {
            log.append(1, "a", vec![format!("line {n}")]);
        }
        log.end();
        let lines = texts(&path);
        assert!(std::fs::metadata(&path).expect("the log").len() < 5_000);
        assert!(lines.iter().enumerate().all(|(index, (n, _))| *n == index as u64 + 1), "no gaps");
        assert_eq!(lines.first().map(|(_, text)| text.as_str()), Some("line 0"));
        assert_eq!(lines.last().map(|(_, text)| text.as_str()), Some("line 999"));
        assert_eq!(lines.iter().filter(|(_, text)| text.starts_with("Slipway: ")).count(), 2);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_no_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        let log = JobLog::open(file.join("below").join("job.ndjson"), CAPS);
        log.append(1, "a", vec!["lost".into()]);
        log.end();
    }
}
