//! Terminal output made safe to show: colours survive, everything else that a terminal would obey does not.
//!
//! Server and browser call the same function. Cursor movements, titles, links and clipboard writes are dropped with
//! their content; characters that hide or reorder text become visible marks, so that nobody is shown another text than
//! the one that is there.

use super::text;

/// What a piece of a line looks like; names of classes in the style sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// One of the eight colours.
    pub colour: Option<&'static str>,
    /// Bold.
    pub bold: bool,
    /// A mark that stands for a character which can't be seen.
    pub mark: bool,
}

impl Look {
    /// The classes, or nothing.
    pub fn class(self) -> Option<String> {
        let classes: Vec<_> =
            self.colour.into_iter().chain(self.bold.then_some("b")).chain(self.mark.then_some("mark")).collect();
        (!classes.is_empty()).then(|| classes.join(" "))
    }
}

/// Classes of the colours 30–37; the bright ones are the same.
const COLOURS: [&str; 8] = ["c-black", "c-red", "c-green", "c-yellow", "c-blue", "c-magenta", "c-cyan", "c-white"];

/// The pieces of a line: text to show, and how.
pub fn pieces(line: &str) -> Vec<(Look, String)> {
    let mut pieces: Vec<(Look, String)> = Vec::new();
    let mut put = |look: Look, text: &str| match pieces.last_mut() {
        Some((last, so_far)) if *last == look => so_far.push_str(text),
        _ => pieces.push((look, text.to_owned())),
    };
    let mut look = Look::default();
    let mut chars = line.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => control_sequence(&mut chars, &mut look),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut chars),
                // ESC ( B and the like carry one more character.
                Some(' '..='/') => drop(chars.next()),
                _ => {}
            },
            '\u{9b}' => control_sequence(&mut chars, &mut look),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\t' => put(look, "\t"),
            c if text::is_hidden(c) => put(Look { mark: true, ..look }, &mark(c)),
            c => put(look, c.encode_utf8(&mut [0; 4])),
        }
    }
    pieces
}

/// What is shown for a character that can't be seen: `␛`, `␍`, `⟨U+202E⟩`.
fn mark(c: char) -> String {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).map(String::from).unwrap_or_default(),
        '\u{7f}' => '\u{2421}'.into(),
        c => format!("⟨U+{:04X}⟩", u32::from(c)),
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// The rest of `ESC [ … letter`: colours are taken over, anything else is dropped.
fn control_sequence(chars: &mut Chars<'_>, look: &mut Look) {
    let mut parameters = String::new();
    while let Some(&c) = chars.peek() {
        match c {
            '\u{20}'..='\u{3f}' => {
                if parameters.len() < 64 {
                    parameters.push(c);
                }
                chars.next();
            }
            '\u{40}'..='\u{7e}' => {
                chars.next();
                if c == 'm' {
                    colours(&parameters, look);
                }
                return;
            }
            // Not a sequence after all.
            _ => return,
        }
    }
}

/// Drops everything up to BEL or the string terminator.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

fn colours(parameters: &str, look: &mut Look) {
    let mut codes = parameters.split(';').map(|code| if code.is_empty() { Some(0) } else { code.parse::<u16>().ok() });
    while let Some(code) = codes.next() {
        match code {
            Some(0) => *look = Look::default(),
            Some(1) => look.bold = true,
            Some(22) => look.bold = false,
            Some(39) => look.colour = None,
            Some(code @ (30..=37 | 90..=97)) => look.colour = COLOURS.get(usize::from(code % 10)).copied(),
            // Colours of a palette: the first sixteen are the ones above.
            Some(code @ (38 | 48)) => match codes.next().flatten() {
                Some(5) => {
                    let index = codes.next().flatten();
                    if code == 38 {
                        look.colour = index
                            .filter(|index| *index < 16)
                            .and_then(|index| COLOURS.get(usize::from(index % 8)).copied());
                    }
                }
                Some(2) => drop(codes.by_ref().take(3).count()),
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        pieces(line).into_iter().map(|(_, text)| text).collect()
    }

    fn classes(line: &str) -> Vec<(String, String)> {
        pieces(line).into_iter().map(|(look, text)| (look.class().unwrap_or_default(), text)).collect()
    }

    #[test]
    fn colours_survive() {
        assert_eq!(
            classes("a\u{1b}[1;31mred\u{1b}[0m b \u{1b}[92mgreen\u{1b}[39m."),
            [("", "a"), ("c-red b", "red"), ("", " b "), ("c-green", "green"), ("", ".")]
                .map(|(class, text)| (class.to_owned(), text.to_owned()))
        );
        assert_eq!(classes("\u{1b}[38;5;9mx\u{1b}[48;2;1;2;3my\u{1b}[m"), [("c-red".into(), "xy".to_owned())]);
    }

    #[test]
    fn nothing_else_that_a_terminal_obeys_survives() {
        for (line, expected) in [
            ("\u{1b}]8;;javascript:alert(1)\u{7}click\u{1b}]8;;\u{7}", "click"),
            ("\u{1b}]52;c;ZXZpbA==\u{7}a", "a"),
            ("\u{1b}]0;title\u{1b}\\a", "a"),
            ("\u{1b}[2J\u{1b}[1;1Ha", "a"),
            ("\u{1b}[?25la\u{1b}(Bb", "ab"),
            ("\u{9d}0;x\u{9c}a\u{9b}31mb", "ab"),
            ("\u{1b}Pq\u{1b}\\a", "a"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a"),
            ("\u{1b}]never closed <script>", ""),
            ("good\rbad", "good␍bad"),
            ("done\r\n", "done"),
            ("a\u{202e}b\u{200b}\0\u{7f}", "a⟨U+202E⟩b⟨U+200B⟩␀␡"),
            ("<b>&amp;</b>\tx", "<b>&amp;</b>\tx"),
        ] {
            assert_eq!(shown(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_mebibyte_of_escapes_is_read_once() {
        let line = "\u{1b}[31m".repeat(200_000) + "x" + &"\u{1b}[".repeat(100_000);
        assert_eq!(shown(&line), "x");
        assert_eq!(pieces(&line).len(), 1);
    }
}
