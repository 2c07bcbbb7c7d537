//! A Dockerfile's instructions, by BuildKit's rules for lines (`frontend/dockerfile/parser/parser.go`): comments, lines
//! that go on, the escape directive, heredocs, flags.

use super::words;

/// One instruction, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// In upper case.
    pub(super) name: String,
    /// `--name=value`, without quotes.
    pub(super) flags: Vec<String>,
    /// What follows.
    pub(super) rest: String,
}

/// The escape character, and all instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) escape: char,
    pub(super) instructions: Vec<Instruction>,
}

/// Reads the whole file; what can't be understood is left out.
pub(super) fn read(text: &str) -> Lines {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape(text);
    let mut instructions = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if is_void(line) {
            continue;
        }
        let (mut whole, mut goes_on) = cut(line, escape);
        while goes_on {
            let Some(next) = lines.next() else { break };
            if is_void(next.trim_start()) {
                continue;
            }
            let (part, again) = cut(next, escape);
            whole.push_str(&part);
            goes_on = again;
        }
        let whole = whole.trim();
        let (name, rest) = whole.split_once(char::is_whitespace).unwrap_or((whole, ""));
        let name = name.to_ascii_uppercase();
        if name.is_empty() {
            continue;
        }
        if matches!(name.as_str(), "RUN" | "COPY" | "ADD") {
            for document in documents(rest, escape) {
                // What stands in a heredoc is no instruction.
                let is_end = |line: &str| {
                    let line = if document.chomps { line.trim_start_matches('\t') } else { line };
                    line == document.name
                };
                for line in lines.by_ref() {
                    if is_end(line) {
                        break;
                    }
                }
            }
        }
        let (flags, rest) = flags(rest.trim());
        instructions.push(Instruction { name, flags, rest });
    }
    Lines { escape, instructions }
}

fn is_void(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// The character of the directive `# escape=`, which stands among the comments before everything else.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some((key, value)) = line.trim().strip_prefix('#').and_then(|comment| comment.split_once('=')) else {
            break;
        };
        let (key, value) = (key.trim(), value.trim());
        let is_key =
            key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_key || value.is_empty() {
            break;
        }
        if key.eq_ignore_ascii_case("escape") {
            return if value == "`" { '`' } else { '\\' };
        }
    }
    '\\'
}

/// A line without the character that says that it goes on, and whether it does.
fn cut(line: &str, escape: char) -> (String, bool) {
    let Some(before) = line.trim_end_matches([' ', '\t']).strip_suffix(escape) else { return (line.to_owned(), false) };
    if before.ends_with(escape) { (line.to_owned(), false) } else { (before.to_owned(), true) }
}

/// A heredoc: `<<NAME`, `<<-NAME`, `<<"NAME"`, `3<<NAME`.
struct Document {
    name: String,
    chomps: bool,
}

fn documents(rest: &str, escape: char) -> Vec<Document> {
    let words = words::split(rest, escape);
    let read = |word: String| {
        let word = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?.to_owned();
        let (chomps, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        let name = words::unquoted(name, escape);
        (!name.is_empty() && !name.contains('<')).then_some(Document { name, chomps })
    };
    words.into_iter().filter_map(read).collect()
}

/// The flags in front, and what follows them.
fn flags(text: &str) -> (Vec<String>, String) {
    let mut flags = Vec::new();
    let mut rest = text;
    while rest.starts_with("--") {
        let (word, behind) = flag(rest);
        rest = behind.trim_start();
        if word == "--" {
            break;
        }
        flags.push(word);
    }
    (flags, rest.to_owned())
}

/// One flag, without its quotes, and what is behind it.
fn flag(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => return (word, text.get(at..).unwrap_or_default()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (_, '\\') => word.extend(chars.next().map(|(_, c)| c)),
            (_, c) => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        read(text).instructions.into_iter().map(|it| format!("{} {}", it.name, it.rest).trim().to_owned()).collect()
    }

    #[test]
    fn lines_go_on_and_comments_vanish() {
        for (text, expected) in [
            ("FROM a\nRUN b\n", vec!["FROM a", "RUN b"]),
            ("from a\r\n  run b\r\n", vec!["FROM a", "RUN b"]),
            ("\u{feff}FROM a", vec!["FROM a"]),
            ("# FROM x\n\nFROM a", vec!["FROM a"]),
            ("  # FROM x\nFROM a", vec!["FROM a"]),
            ("RUN a \\\n  b", vec!["RUN a   b"]),
            ("RUN a \\  \n# no\n\n  b", vec!["RUN a   b"]),
            ("RUN a \\\\\nFROM b", vec!["RUN a \\\\", "FROM b"]),
            ("FR\\\nOM a", vec!["FROM a"]),
            ("# escape=`\nRUN a `\n b\nRUN c\\\nFROM d", vec!["RUN a  b", "RUN c\\", "FROM d"]),
            ("#ESCAPE = `\nRUN a `\n b", vec!["RUN a  b"]),
            ("FROM a\n# escape=`\nRUN b `\nRUN c", vec!["FROM a", "RUN b `", "RUN c"]),
            ("RUN a \\", vec!["RUN a"]),
            ("\\\n\\\n", vec![]),
        ] {
            assert_eq!(names(text), expected, "{text:?}");
        }
    }

    #[test]
    fn heredocs_hold_no_instructions() {
        for text in [
            "RUN <<EOF\nFROM evil\nEOF\nFROM a",
            "RUN <<-EOF\nFROM evil\n\tEOF\nFROM a",
            "RUN <<\"EOF\"\nFROM evil\nEOF\nFROM a",
            "RUN cat <<'E O F' > /x\nFROM evil\nE O F\nFROM a",
            "COPY <<A <<B /x/\nFROM evil\nA\nFROM evil\nB\nFROM a",
            "RUN 3<<EOF cat\nFROM evil\n EOF\nEOF\nFROM a",
        ] {
            let names = names(text);
            assert_eq!(names.len(), 2, "{text:?}: {names:?}");
            assert_eq!(names[1], "FROM a");
        }
        assert_eq!(names("RUN <<EOF\nFROM evil\n").len(), 1, "one that never ends");
        assert_eq!(names("ENV A=<<EOF\nFROM a").len(), 2, "not every instruction has them");
    }

    #[test]
    fn flags_are_told_from_what_follows() {
        let of = |text: &str| {
            let read = read(text).instructions.remove(0);
            (read.flags, read.rest)
        };
        assert_eq!(of("COPY --from=a --link b c"), (vec!["--from=a".into(), "--link".into()], "b c".into()));
        assert_eq!(
            of("RUN --mount=\"type=bind,from=a b\" -- x"),
            (vec!["--mount=type=bind,from=a b".into()], "x".into())
        );
        assert_eq!(of("RUN a --b"), (vec![], "a --b".into()));
    }
}
