//! Parses what `docker buildx build --progress=rawjson` writes to standard error: JSON objects, in one line or over many,
//! and plain text (the final error) between and after them.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An object that grows larger than this is no progress.
const LARGEST: usize = 16 << 20;

/// What came out of the stream.
#[derive(Debug, PartialEq)]
pub(super) enum Item {
    /// Progress of the build.
    Status(Status),
    /// A line of plain text, without its end.
    Text(Vec<u8>),
}

/// BuildKit's `SolveStatus`. Fields that are absent or null are empty.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(super) struct Status {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) vertexes: Vec<Vertex>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) statuses: Vec<Part>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) logs: Vec<Log>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) warnings: Vec<Warning>,
}

/// One step of a build.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Vertex {
    pub(super) digest: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    started: Option<String>,
    #[serde(default)]
    completed: Option<String>,
    #[serde(default)]
    pub(super) cached: bool,
    #[serde(default)]
    pub(super) error: String,
}

impl Vertex {
    /// Unix milliseconds; None: it waits.
    pub(super) fn started(&self) -> Option<i64> {
        millis(self.started.as_deref())
    }

    /// Unix milliseconds; None: it goes on.
    pub(super) fn completed(&self) -> Option<i64> {
        millis(self.completed.as_deref())
    }
}

/// A part of a step, such as one layer that is pulled or pushed.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) vertex: String,
    #[serde(default)]
    pub(super) current: i64,
    #[serde(default)]
    started: Option<String>,
    #[serde(default)]
    completed: Option<String>,
}

impl Part {
    /// Whether it is done.
    pub(super) fn is_done(&self) -> bool {
        self.completed.is_some()
    }

    /// When it began and ended, Unix milliseconds; None: it isn't done.
    pub(super) fn interval(&self) -> Option<(i64, i64)> {
        Some((millis(self.started.as_deref())?, millis(self.completed.as_deref())?))
    }
}

/// Something that BuildKit's linter found.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Warning {
    /// Base64 of one sentence.
    #[serde(default)]
    pub(super) short: String,
    /// Base64 of further ones.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) detail: Vec<String>,
    #[serde(default)]
    pub(super) url: String,
    /// What of the file it is about.
    #[serde(default, deserialize_with = "nullable")]
    range: Vec<Range>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Range {
    #[serde(default)]
    start: Place,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Place {
    #[serde(default)]
    line: u32,
}

impl Warning {
    /// The line that it is about, from 1.
    pub(super) fn line(&self) -> Option<u32> {
        self.range.first().map(|range| range.start.line).filter(|line| *line > 0)
    }
}

/// What a step wrote.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Log {
    #[serde(default)]
    pub(super) vertex: String,
    /// Base64 of bytes that may end anywhere.
    #[serde(default)]
    pub(super) data: String,
}

fn nullable<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn millis(time: Option<&str>) -> Option<i64> {
    let time = OffsetDateTime::parse(time?, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Takes the stream in pieces that may end anywhere.
#[derive(Default)]
pub(super) struct Parser {
    buffer: Vec<u8>,
    /// Open braces; 0: in plain text.
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Parser {
    /// Takes a piece, returns what is complete now.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        for byte in piece {
            self.buffer.push(*byte);
            if self.depth == 0 {
                self.plain(*byte, &mut items);
            } else {
                self.object(*byte, &mut items);
            }
        }
        items
    }

    /// The end of the stream: what isn't complete is text.
    pub(super) fn end(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        self.give_up(&mut items);
        items
    }

    fn plain(&mut self, byte: u8, items: &mut Vec<Item>) {
        match byte {
            b'\n' => {
                self.buffer.pop();
                let line = std::mem::take(&mut self.buffer);
                // Between two objects there is an empty line of no meaning.
                if !line.is_empty() {
                    items.push(Item::Text(line));
                }
            }
            b'{' if self.buffer.trim_ascii_start() == b"{" => self.depth = 1,
            _ if self.buffer.len() > LARGEST => self.give_up(items),
            _ => {}
        }
    }

    fn object(&mut self, byte: u8, items: &mut Vec<Item>) {
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' => self.depth += 1,
                b'}' => self.depth -= 1,
                _ => {}
            }
        }
        if self.depth == 0 {
            match serde_json::from_slice(&self.buffer) {
                Ok(status) => {
                    self.buffer.clear();
                    items.push(Item::Status(status));
                }
                Err(_) => self.give_up(items),
            }
        } else if self.buffer.len() > LARGEST {
            self.give_up(items);
        }
    }

    fn give_up(&mut self, items: &mut Vec<Item>) {
        let text = std::mem::take(&mut self.buffer);
        items.extend(
            text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| Item::Text(line.into())),
        );
        (self.depth, self.in_string, self.is_escaped) = (0, false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // As buildx 0.13 writes it, shortened; the name has braces, quotes and a backslash in it.
    const PRETTY: &str = r#"{
  "vertexes": [
    {
      "digest": "sha256:5656",
      "inputs": ["sha256:fb6a"],
      "name": "[2/3] RUN printf \"{\\033[31m}\" \u003e\u00262",
      "started": "2026-11-24T06:25:19.319944604Z",
      "completed": "2026-11-24T06:25:19.375115075Z",
      "cached": true
    }
  ]
}
"#;
    const ONE_LINE: &str = "{\"statuses\":[{\"id\":\"pushing layer\",\"vertex\":\"sha256:5656\",\"current\":7,\"completed\":\"2026-11-24T06:25:19Z\"}],\"logs\":[{\"vertex\":\"sha256:5656\",\"stream\":1,\"data\":\"aGkK\"}],\"vertexes\":null}\n";
    const ERROR: &str =
        "ERROR: failed to solve: process \"/bin/sh -c x\" did not complete successfully: exit code: 7\n";

    fn all(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Item> {
        let mut parser = Parser::default();
        let mut items: Vec<Item> = pieces.flat_map(|piece| parser.push(&piece)).collect();
        items.extend(parser.end());
        items
    }

    #[test]
    fn objects_and_text_are_told_apart_wherever_they_are_cut() {
        let text = format!(
            "{PRETTY}{ONE_LINE}Dockerfile:2\n--------------------\n 1 | FROM {{x}}\n{ERROR}{{ not json }}\nlast"
        );
        let whole = all(std::iter::once(text.clone().into_bytes()));
        let Item::Status(first) = &whole[0] else { panic!("{:?}", whole[0]) };
        let vertex = &first.vertexes[0];
        assert_eq!(vertex.name, "[2/3] RUN printf \"{\\033[31m}\" >&2");
        assert_eq!((vertex.started(), vertex.completed()), (Some(1_795_501_519_319), Some(1_795_501_519_375)));
        assert!(vertex.cached && vertex.error.is_empty());
        let Item::Status(second) = &whole[1] else { panic!("{:?}", whole[1]) };
        assert!(second.statuses[0].is_done() && second.vertexes.is_empty());
        assert_eq!(second.logs[0].data, "aGkK");
        let lines: Vec<_> = whole[2..]
            .iter()
            .map(|item| match item {
                Item::Text(line) => String::from_utf8_lossy(line).into_owned(),
                Item::Status(status) => panic!("{status:?}"),
            })
            .collect();
        assert_eq!(lines[..3], ["Dockerfile:2", "--------------------", " 1 | FROM {x}"]);
        assert_eq!(lines[3], ERROR.trim_end());
        assert_eq!(lines[4..], ["{ not json }", "last"]);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(all(text.as_bytes().chunks(size).map(<[u8]>::to_vec)), whole, "pieces of {size}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_breaks_the_parser(pieces in proptest::collection::vec("[{}\"\\\\\na-z:,\\[\\]]{0,20}", 0..20)) {
            let bytes = pieces.concat().len();
            let items = all(pieces.into_iter().map(String::into_bytes));
            proptest::prop_assert!(items.len() <= bytes);
        }
    }
}
