//! Words of a Dockerfile: quotes and variables, by BuildKit's rules (`frontend/dockerfile/shell/lex.go`). Nothing is run.

use std::collections::BTreeMap;

/// What variables are.
pub(super) type Values = BTreeMap<String, String>;
/// How deep `${a:-${b:-…}}` may go.
const DEEPEST: u32 = 32;

/// Splits at spaces outside of quotes. Quotes and escapes stay.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            // Nothing is escaped between single quotes.
            (None | Some('"'), c) if c == escape => {
                word.push(c);
                word.extend(chars.next());
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Without quotes and escapes; variables stay.
pub(super) fn unquoted(text: &str, escape: char) -> String {
    let mut plain = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), c) if c == escape => plain.extend(chars.next()),
            _ => plain.push(c),
        }
    }
    plain
}

/// With variables replaced, and without quotes. None: it isn't well formed, or uses what only BuildKit knows.
pub(super) fn expand(text: &str, values: &Values, escape: char) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    Lexer { chars: &chars, at: 0, values, escape, depth: 0 }.until(None)
}

struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
    values: &'a Values,
    escape: char,
    depth: u32,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    /// Up to this character, which is taken; None: to the end.
    fn until(&mut self, end: Option<char>) -> Option<String> {
        let mut text = String::new();
        loop {
            let Some(c) = self.next() else { return end.is_none().then_some(text) };
            match c {
                c if Some(c) == end => return Some(text),
                '\'' => loop {
                    match self.next()? {
                        '\'' => break,
                        c => text.push(c),
                    }
                },
                '"' => self.double(&mut text)?,
                '$' => text.push_str(&self.variable()?),
                c if c == self.escape => text.extend(self.next()),
                c => text.push(c),
            }
        }
    }

    /// Behind an opening `"`.
    fn double(&mut self, text: &mut String) -> Option<()> {
        loop {
            match self.next()? {
                '"' => return Some(()),
                '$' => text.push_str(&self.variable()?),
                c if c == self.escape => {
                    let next = self.next()?;
                    if !matches!(next, '"' | '$') && next != self.escape {
                        text.push(c);
                    }
                    text.push(next);
                }
                c => text.push(c),
            }
        }
    }

    /// Behind a `$`.
    fn variable(&mut self) -> Option<String> {
        if self.peek() != Some('{') {
            let name = self.name();
            return Some(if name.is_empty() { "$".into() } else { self.value(&name).unwrap_or_default().to_owned() });
        }
        self.next();
        let name = self.name();
        if name.is_empty() {
            return None;
        }
        let value = self.value(&name).map(ToOwned::to_owned);
        let (operator, value) = match self.next()? {
            '}' => return Some(value.unwrap_or_default()),
            // With the colon an empty one counts as none.
            ':' => (self.next()?, value.filter(|value| !value.is_empty())),
            other => (other, value),
        };
        let word = self.inner()?;
        match operator {
            '-' => Some(value.unwrap_or(word)),
            '+' => Some(value.map(|_| word).unwrap_or_default()),
            '?' => value,
            _ => None,
        }
    }

    /// Up to the closing brace.
    fn inner(&mut self) -> Option<String> {
        self.depth += 1;
        let word = if self.depth > DEEPEST { None } else { self.until(Some('}')) };
        self.depth = self.depth.saturating_sub(1);
        word
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        let is_word = self.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let is_number = self.peek().is_some_and(|c| c.is_ascii_digit());
        while let Some(c) = self.peek() {
            let fits = if is_word { c.is_ascii_alphanumeric() || c == '_' } else { is_number && c.is_ascii_digit() };
            if !fits {
                break;
            }
            name.push(c);
            self.at += 1;
        }
        name
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_buildkit_does() {
        let values: Values = [("A", "a"), ("E", ""), ("HOST", "ghcr.io")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (text, expected) in [
            ("plain", Some("plain")),
            ("$A", Some("a")),
            ("${A}b", Some("ab")),
            ("$HOST/x:$A", Some("ghcr.io/x:a")),
            ("$NONE", Some("")),
            ("${NONE:-d}", Some("d")),
            ("${E:-d}", Some("d")),
            ("${E-d}", Some("")),
            ("${NONE-d}", Some("d")),
            ("${A:+d}", Some("d")),
            ("${E:+d}", Some("")),
            ("${E+d}", Some("d")),
            ("${NONE+d}", Some("")),
            ("${NONE:-${A:-x}}", Some("a")),
            ("${NONE:-\"q r\"}", Some("q r")),
            ("${A:?no}", Some("a")),
            ("${NONE:?no}", None),
            ("\"$A b\"", Some("a b")),
            ("'$A'", Some("$A")),
            ("\\$A", Some("$A")),
            ("\"\\$A\\x\"", Some("$A\\x")),
            ("a$", Some("a$")),
            ("$1x", Some("x")),
            ("${A", None),
            ("${}", None),
            ("${A%x}", None),
            ("'open", None),
            ("\"open", None),
        ] {
            assert_eq!(expand(text, &values, '\\').as_deref(), expected, "{text}");
        }
        let deep = "${N:-".repeat(10_000) + &"}".repeat(10_000);
        assert_eq!(expand(&deep, &values, '\\'), None);
        assert_eq!(expand("`$A", &values, '`').as_deref(), Some("$A"));
    }

    #[test]
    fn words_are_split_outside_of_quotes() {
        assert_eq!(split(" a 'b c' \"d \\\" e\" f\\ g ", '\\'), ["a", "'b c'", "\"d \\\" e\"", "f\\ g"]);
        assert!(split("  ", '\\').is_empty());
        assert_eq!(unquoted("'a b'\"c\"\\d", '\\'), "a bcd");
    }
}
