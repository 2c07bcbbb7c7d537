//! Where a log's lines are in its file, so that any range of them is read without reading what stands before.
//!
//! Line n is the n-th of the file. Every 256th line's offset is kept, for the logs that were looked at last; a log that
//! has grown is looked at from where the index ends.

use super::read;
use app::model::job::{LogLine, LogPage};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Lines between two marks.
const STEP: u64 = 256;
/// Logs whose index is kept.
const KEPT: usize = 32;
/// At most so much of a log is in one answer, and one line at least.
const MOST_BYTES: usize = 1 << 20;

/// The indexes of the logs that were looked at last.
#[derive(Default)]
pub(super) struct Indexes {
    kept: Mutex<VecDeque<(PathBuf, Arc<Mutex<Index>>)>>,
}

#[derive(Default)]
struct Index {
    /// Offsets of the lines 1, 257, 513, …
    marks: Vec<u64>,
    /// Whole lines up to `end`.
    lines: u64,
    end: u64,
}

impl Indexes {
    /// At most `count` lines from line `from` on (from 1), and how many there are. A missing file is an empty log.
    pub(super) fn lines(&self, path: &Path, from: u64, count: usize) -> std::io::Result<LogPage> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(LogPage::default()),
            Err(error) => return Err(error),
        };
        let index = self.of(path);
        let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
        index.look(&mut file)?;
        let from = from.max(1);
        let mut lines = index.read(&mut file, from, count)?;
        if lines.first().is_some_and(|line| line.n != from) {
            // The file was cut back after a failed write and has grown anew since.
            *index = Index::default();
            index.look(&mut file)?;
            lines = index.read(&mut file, from, count)?;
        }
        Ok(LogPage { lines, total: index.lines })
    }

    fn of(&self, path: &Path) -> Arc<Mutex<Index>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match kept.iter().position(|(other, _)| other == path) {
            Some(at) => kept.remove(at),
            None => None,
        };
        let entry = entry.unwrap_or_else(|| (path.to_owned(), Arc::default()));
        let index = Arc::clone(&entry.1);
        kept.push_front(entry);
        kept.truncate(KEPT);
        index
    }
}

impl Index {
    /// Takes in what was written since the last time.
    fn look(&mut self, file: &mut File) -> std::io::Result<()> {
        if file.metadata()?.len() < self.end {
            *self = Self::default();
        }
        file.seek(SeekFrom::Start(self.end))?;
        let mut piece = vec![0; 256 * 1_024];
        let mut at = self.end;
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            for (index, byte) in piece[..read].iter().enumerate() {
                if *byte == b'\n' {
                    if self.lines.is_multiple_of(STEP) {
                        self.marks.push(self.end);
                    }
                    self.lines += 1;
                    self.end = at + index as u64 + 1;
                }
            }
            at += read as u64;
        }
    }

    fn read(&self, file: &mut File, from: u64, count: usize) -> std::io::Result<Vec<LogLine>> {
        let count = (count as u64).min((self.lines + 1).saturating_sub(from));
        let mark = (from - 1) / STEP;
        let Some(start) = usize::try_from(mark).ok().and_then(|mark| self.marks.get(mark)) else {
            return Ok(Vec::new());
        };
        let (mut skip, mut left) = ((from - 1) % STEP, count);
        if left == 0 {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(*start))?;
        let mut reader = std::io::BufReader::with_capacity(64 * 1_024, file.take(self.end - start));
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        while left > 0 && bytes.len() < MOST_BYTES {
            line.clear();
            if std::io::BufRead::read_until(&mut reader, b'\n', &mut line)? == 0 {
                break;
            }
            if skip > 0 {
                skip -= 1;
            } else {
                bytes.extend_from_slice(&line);
                left -= 1;
            }
        }
        Ok(read::parse(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{CAPS, JobLog};
    use super::*;

    #[test]
    fn any_range_is_read_also_while_the_log_grows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("job.ndjson");
        let indexes = Indexes::default();
        assert_eq!(indexes.lines(&path, 1, 10).expect("no log"), LogPage::default());
        let log = JobLog::open(path.clone(), CAPS);
        let mut written = 0;
        for more in [1, 255, 1, 700, 20_000] {
            log.append(7, "step", (1..=more).map(|n| format!("line {}", written + n)).collect());
            written += more;
            for from in [0, 1, 2, 255, 256, 257, 258, 512, 513, written - 1, written, written + 1, u64::MAX] {
                let page = indexes.lines(&path, from, 300).expect("a range");
                assert_eq!(page.total, written);
                let from = from.max(1);
                let expected: Vec<u64> = (from..=written.min(from.saturating_add(299))).collect();
                assert_eq!(page.lines.iter().map(|line| line.n).collect::<Vec<_>>(), expected, "{from} of {written}");
                assert!(page.lines.iter().all(|line| line.text == format!("line {}", line.n)));
            }
        }
        assert_eq!(indexes.lines(&path, 5, 0).expect("none").lines, []);
    }

    #[test]
    fn a_torn_line_isnt_counted_and_a_log_that_was_cut_is_looked_at_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("job.ndjson");
        let indexes = Indexes::default();
        JobLog::open(path.clone(), CAPS).append(1, "a", (1..=600).map(|n| format!("old {n}")).collect());
        assert_eq!(indexes.lines(&path, 1, 1).expect("lines").total, 600);
        std::fs::write(&path, "").expect("cut");
        JobLog::open(path.clone(), CAPS).append(1, "a", (1..=300).map(|n| format!("a longer text, new {n}")).collect());
        let page = indexes.lines(&path, 290, 100).expect("lines");
        assert_eq!(page.lines.last().map(|line| line.text.as_str()), Some("a longer text, new 300"));
        std::io::Write::write_all(
            &mut std::fs::OpenOptions::new().append(true).open(&path).expect("the log"),
            b"{\"n\":301",
        )
        .expect("torn");
        assert_eq!(indexes.lines(&path, 290, 100).expect("lines").total, page.total);
    }

    #[test]
    fn long_lines_make_short_answers_but_one_at_least() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("job.ndjson");
        JobLog::open(path.clone(), CAPS).append(1, "a", vec!["x".repeat(16_000); 200]);
        let page = Indexes::default().lines(&path, 1, 200).expect("lines");
        assert!((60..80).contains(&page.lines.len()), "{}", page.lines.len());
        assert_eq!(page.total, 200);
    }
}
