//! From the bytes that programs write to lines that are safe to keep and to show.
//!
//! Of escape sequences only colours (SGR, ECMA-48 §8.3.117) stay; `\r` overwrites are folded to what remains on screen;
//! invalid UTF-8 is replaced; characters that change the reading direction are shown by number; no line is longer than
//! 16 KiB.

use super::mask::Masks;
use std::fmt::Write as _;

/// Longest text of a line, in bytes.
pub(super) const LONGEST: usize = 16 * 1_024;
/// An unfinished line is cut when it has grown to this.
const UNFINISHED: usize = 64 * 1_024;

/// Whole text → clean, masked lines.
pub(super) fn split(text: &str, masks: &Masks) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        finish(line, masks, &mut lines);
    }
    lines
}

/// One clean, masked line of at most `LONGEST` bytes, for titles.
pub(super) fn one(text: &str, masks: &Masks) -> String {
    let mut lines = Vec::new();
    finish(&text.replace(['\n', '\r'], " "), masks, &mut lines);
    lines.into_iter().next().unwrap_or_default()
}

/// Puts the pieces of one stream together to lines.
#[derive(Default)]
pub(super) struct Assembler {
    rest: Vec<u8>,
}

impl Assembler {
    /// Takes a piece and returns the lines that are complete now.
    pub(super) fn push(&mut self, piece: &[u8], masks: &Masks) -> Vec<String> {
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.rest.pop();
                finish(&String::from_utf8_lossy(&self.rest), masks, &mut lines);
                self.rest.clear();
            }
            while self.rest.len() >= UNFINISHED {
                let mut cut = masks.cut(&self.rest, self.rest.len() - 4);
                // Between two characters, if there are any.
                for _ in 0..3 {
                    if cut > 0 && self.rest[cut] & 0xC0 == 0x80 {
                        cut -= 1;
                    }
                }
                if cut == 0 {
                    cut = self.rest.len();
                }
                let rest = self.rest.split_off(cut);
                finish(&String::from_utf8_lossy(&self.rest), masks, &mut lines);
                self.rest = rest;
            }
        }
        lines
    }

    /// The end of the stream: what had no line end.
    pub(super) fn end(&mut self, masks: &Masks) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.rest.is_empty() {
            finish(&String::from_utf8_lossy(&self.rest), masks, &mut lines);
            self.rest.clear();
        }
        lines
    }
}

/// Cleaned first, so that no escape sequence hides a secret from the mask.
fn finish(line: &str, masks: &Masks, into: &mut Vec<String>) {
    let mut text = masks.apply(&clean(fold(line)));
    while text.len() > LONGEST {
        let mut cut = LONGEST;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let rest = text.split_off(cut);
        into.push(text);
        text = rest;
    }
    into.push(text);
}

/// What remains on screen of a line that was written over.
fn fold(line: &str) -> &str {
    let line = line.trim_end_matches('\r');
    line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or("")
}

fn clean(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.peek() {
                Some('[') => {
                    chars.next();
                    if let Some(colour) = control_sequence(&mut chars) {
                        text.push_str(&colour);
                    }
                }
                // Strings: OSC, DCS, SOS, PM, APC; up to BEL or ESC \ or the end of the line.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = chars.next() {
                        if c == '\x07' || c == '\u{9c}' {
                            break;
                        }
                        if c == '\x1b' {
                            chars.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                // Intermediates and a final character.
                _ => {
                    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
                    chars.next_if(|c| matches!(c, '0'..='~'));
                }
            },
            '\u{9b}' => {
                if let Some(colour) = control_sequence(&mut chars) {
                    text.push_str(&colour);
                }
            }
            '\t' => text.push('\t'),
            // Joins emoji and letters of many scripts; harmless.
            '\u{200c}' | '\u{200d}' => text.push(c),
            '\u{feff}' => {}
            c if c.is_control() => {}
            c if app::model::text::is_hidden(c) => {
                let _ = write!(text, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

/// Behind `ESC [`: the sequence again if it sets colours, nothing otherwise.
fn control_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut inner = String::new();
    while let Some(c) = chars.next_if(|c| matches!(c, ' '..='?')) {
        inner.push(c);
    }
    let last = chars.next_if(|c| matches!(c, '@'..='~'))?;
    let plain = inner.len() <= 64 && inner.chars().all(|c| c.is_ascii_digit() || matches!(c, ';' | ':'));
    (last == 'm' && plain).then(|| format!("\x1b[{inner}m"))
}

/// A line without its colours.
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::secret::Secret;

    #[test]
    fn only_colours_survive() {
        for (line, expected) in [
            ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
            ("\x1b[38;5;1;48:2::1:2:3mx", "\x1b[38;5;1;48:2::1:2:3mx"),
            ("a\x1b[2Jb\x1b[10;1Hc\x1b[?25ld", "abcd"),
            ("\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x07!", "link!"),
            ("\x1b]52;c;aGk=\x07x\x1b]0;title", "x"),
            ("\x1bPdcs\x1b\\y\x1b(Bz\x1bcw", "yzw"),
            ("a\x08b\0c\x07", "abc"),
            ("a\tb", "a\tb"),
            ("evil\u{202e}txt", "evil⟨U+202E⟩txt"),
            ("\u{9b}2Jx\u{85}y", "xy"),
            ("\x1b", ""),
            ("\x1b[", ""),
        ] {
            assert_eq!(split(line, &Masks::default()), [expected], "{line:?}");
        }
    }

    #[test]
    fn what_was_written_over_is_folded() {
        for (line, expected) in [("10%\r20%\r100%", "100%"), ("done\r", "done"), ("a\r\r", "a"), ("\r", "")] {
            assert_eq!(split(line, &Masks::default()), [expected]);
        }
    }

    #[test]
    fn pieces_make_lines_wherever_they_are_cut() {
        let masks = Masks::default();
        masks.add(&Secret::new("geheim-wort".into()));
        let bytes = "erste\r\nzwei geheim-wort ü\n\ndrei".as_bytes();
        for size in 1..bytes.len() {
            let mut assembler = Assembler::default();
            let mut lines = Vec::new();
            for piece in bytes.chunks(size) {
                lines.extend(assembler.push(piece, &masks));
            }
            lines.extend(assembler.end(&masks));
            assert_eq!(lines, ["erste", "zwei ••• ü", "", "drei"], "pieces of {size}");
        }
    }

    #[test]
    fn endless_lines_are_split_without_splitting_a_secret() {
        let masks = Masks::default();
        let secret = "s3cret-s3cret";
        masks.add(&Secret::new(secret.into()));
        for shift in 0..40 {
            let mut assembler = Assembler::default();
            let text = format!("{}{secret}{}", "x".repeat(UNFINISHED - shift), "y".repeat(3 * UNFINISHED));
            let mut lines = Vec::new();
            for piece in text.as_bytes().chunks(5_000) {
                lines.extend(assembler.push(piece, &masks));
            }
            lines.extend(assembler.end(&masks));
            assert!(lines.iter().all(|line| line.len() <= LONGEST));
            let all = lines.concat();
            assert!(all.contains("•••") && !all.contains("s3cret"), "shift {shift}");
            assert_eq!(all.len(), text.len() - secret.len() + "•••".len());
        }
    }

    #[test]
    fn invalid_text_is_replaced_and_colours_can_be_taken_off() {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.push(b"a\xffb\n", &Masks::default()), ["a\u{fffd}b"]);
        assert_eq!(without_colours("\x1b[1;31mred\x1b[0m end"), "red end");
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_colours_and_tabs_is_left_of_control_characters(line in ".*") {
            for line in split(&line, &Masks::default()) {
                let plain = without_colours(&line);
                proptest::prop_assert!(!plain.chars().any(|c| c.is_control() && c != '\t'), "{:?}", plain);
            }
        }
    }
}
