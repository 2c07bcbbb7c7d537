//! Reads logs: a piece from an offset, the last lines, the whole as text. All of it is file reading without locks: lines
//! are only ever added, and an offset behind a whole line stays good.

use super::lines::without_colours;
use app::model::job::LogLine;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at once; longer than any line.
const PIECE: usize = 256 * 1_024;

/// Whole lines from an offset on, at most 256 KiB, and the offset behind them. A missing file is an empty log.
pub(super) fn from(path: &Path, offset: u64) -> std::io::Result<(Vec<LogLine>, u64)> {
    let (bytes, offset) = piece(path, offset)?;
    let end = offset + bytes.len() as u64;
    Ok((parse(&bytes), end))
}

/// Whole lines as bytes, and the offset they start at.
fn piece(path: &Path, offset: u64) -> std::io::Result<(Vec<u8>, u64)> {
    let Some(mut file) = open(path)? else { return Ok((Vec::new(), 0)) };
    let mut offset = offset.min(file.metadata()?.len());
    let mut bytes = vec![0; PIECE];
    if offset > 0 {
        // An offset that isn't behind a line end was made up: go on at the next line.
        let read = read_at(&mut file, offset - 1, &mut bytes)?;
        match bytes[..read].iter().position(|byte| *byte == b'\n') {
            Some(at) => offset += at as u64,
            None => return Ok((Vec::new(), offset)),
        }
    }
    let read = read_at(&mut file, offset, &mut bytes)?;
    let whole = bytes[..read].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(whole);
    Ok((bytes, offset))
}

/// The last lines and the offset behind them.
pub(super) fn tail(path: &Path, limit: usize) -> std::io::Result<(Vec<LogLine>, u64)> {
    let Some(mut file) = open(path)? else { return Ok((Vec::new(), 0)) };
    let size = file.metadata()?.len();
    let mut bytes: Vec<u8> = Vec::new();
    let mut start = size;
    let mut piece = vec![0; PIECE];
    // One line end more than lines: the first line in the buffer may not be whole.
    while start > 0 && bytes.iter().filter(|byte| **byte == b'\n').count() <= limit {
        let length = start.min(PIECE as u64);
        start -= length;
        let length = usize::try_from(length).unwrap_or(PIECE);
        let read = read_at(&mut file, start, &mut piece[..length])?;
        bytes.splice(0..0, piece[..read].iter().copied());
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = start + whole as u64;
    bytes.truncate(whole);
    let first = if start == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
    let mut lines = parse(&bytes[first..]);
    lines.drain(..lines.len().saturating_sub(limit));
    Ok((lines, end))
}

/// The next piece of the log as plain text, without colours; None at the end.
pub(super) fn text(path: PathBuf, offset: u64) -> std::io::Result<Option<(Vec<u8>, u64)>> {
    let (lines, next) = from(&path, offset)?;
    if next == offset || (lines.is_empty() && next == 0) {
        return Ok(None);
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&without_colours(&line.text));
        text.push('\n');
    }
    Ok(Some((text.into_bytes(), next)))
}

fn open(path: &Path) -> std::io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_at(file: &mut File, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
    file.seek(SeekFrom::Start(offset))?;
    let mut read = 0;
    while read < into.len() {
        match file.read(&mut into[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Lines that can't be read (a disk fault) are left out.
pub(super) fn parse(bytes: &[u8]) -> Vec<LogLine> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::log::{CAPS, JobLog};
    use super::*;

    fn written(count: u64) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("job.ndjson");
        let lines = (1..=count).map(|n| format!("\x1b[32mline\x1b[0m {n}")).collect();
        JobLog::open(path.clone(), CAPS).append(7, "step", lines);
        (folder, path)
    }

    #[test]
    fn pieces_join_without_gap_or_overlap() {
        let (_folder, path) = written(20_000);
        let (mut offset, mut next) = (0, 1);
        loop {
            let (lines, end) = from(&path, offset).expect("a piece");
            if lines.is_empty() {
                break;
            }
            for line in lines {
                assert_eq!(line.n, next);
                next += 1;
            }
            offset = end;
        }
        assert_eq!(next, 20_001);
        assert_eq!(offset, std::fs::metadata(&path).expect("the log").len());
        let (lines, _) = from(&path, 10).expect("a made-up offset");
        assert_eq!(lines.first().map(|line| line.n), Some(2));
        assert_eq!(from(&path, u64::MAX).expect("too far").0.len(), 0);
    }

    #[test]
    fn the_tail_ends_where_a_live_tail_goes_on() {
        let (_folder, path) = written(20_000);
        for limit in [0, 1, 10, 15_000, 30_000] {
            let (lines, end) = tail(&path, limit).expect("a tail");
            assert_eq!(lines.len(), limit.min(20_000));
            assert_eq!(lines.first().map(|line| line.n), (limit > 0).then(|| 20_001 - limit.min(20_000) as u64));
            assert_eq!(end, std::fs::metadata(&path).expect("the log").len());
        }
        assert_eq!(tail(&path.with_extension("none"), 5).expect("no log").1, 0);
    }

    #[test]
    fn the_download_is_plain_text() {
        let (_folder, path) = written(2);
        let (text, next) = text(path.clone(), 0).expect("text").expect("some");
        assert_eq!(String::from_utf8_lossy(&text), "line 1\nline 2\n");
        assert_eq!(super::text(path, next).expect("text"), None);
    }
}
