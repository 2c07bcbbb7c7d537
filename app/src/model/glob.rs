//! Patterns for branches and paths: `*` is anything but '/', `**` anything at all, `?` one character.

use super::text;
use crate::error::FieldError;

/// Patterns of one list.
pub const MOST: usize = 50;
/// Characters of one pattern.
const LONGEST: usize = 200;

/// Whether the whole text fits the pattern. One that ends in '/' means everything below.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern = if pattern.ends_with('/') { format!("{pattern}**") } else { pattern.to_owned() };
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Which beginnings of the text fit the pattern so far; so the work is bounded by pattern times text.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let (stars, next) = match pattern[at] {
            '*' if pattern.get(at + 1) == Some(&'*') => (2, at + 2),
            '*' => (1, at + 1),
            _ => (0, at + 1),
        };
        let mut after = vec![false; text.len() + 1];
        if stars == 0 {
            for (index, c) in text.iter().enumerate() {
                after[index + 1] = reached[index] && (pattern[at] == *c || (pattern[at] == '?' && *c != '/'));
            }
        } else {
            after[0] = reached[0];
            for (index, c) in text.iter().enumerate() {
                after[index + 1] = reached[index + 1] || (after[index] && (stars == 2 || *c != '/'));
            }
            // "**/" may be nothing: "docs/**/x" fits "docs/x".
            if stars == 2 && pattern.get(next) == Some(&'/') && (at == 0 || pattern[at - 1] == '/') {
                let mut skipped = vec![false; text.len() + 1];
                for (index, c) in text.iter().enumerate() {
                    skipped[index + 1] = after[index] && *c == '/';
                }
                for (index, is_reached) in reached.iter().enumerate() {
                    skipped[index] |= is_reached;
                }
                reached = skipped;
                at = next + 1;
                continue;
            }
        }
        reached = after;
        at = next;
    }
    reached[text.len()]
}

/// Patterns as they are typed, one a line or separated by commas.
pub fn read(field: &str, typed: &str) -> Result<Vec<String>, FieldError> {
    let mut patterns: Vec<String> = Vec::new();
    for pattern in typed.split(['\n', '\r', ',']).map(str::trim).filter(|pattern| !pattern.is_empty()) {
        if pattern.chars().count() > LONGEST || pattern.chars().any(|c| text::is_hidden(c) || c.is_whitespace()) {
            return Err(FieldError::new(
                field,
                "A pattern has no spaces or hidden characters, and 200 characters at most.",
            ));
        }
        if pattern.starts_with('/') || pattern.starts_with('!') {
            return Err(FieldError::new(
                field,
                "A pattern doesn't start with '/' or '!'. Write it like release/* or docs/**.",
            ));
        }
        if !patterns.iter().any(|known| known == pattern) {
            patterns.push(pattern.to_owned());
        }
    }
    if patterns.len() > MOST {
        return Err(FieldError::new(field, format!("Use at most {MOST} patterns.")));
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_people_expect() {
        for (pattern, text, does) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("release/*", "release/1.2", true),
            ("release/*", "release/1/2", false),
            ("release/**", "release/1/2", true),
            ("*", "main", true),
            ("*", "a/b", false),
            ("**", "a/b/c", true),
            ("v?", "v1", true),
            ("v?", "v", false),
            ("docs/", "docs/a/b.md", true),
            ("docs/", "docs", false),
            ("docs/**/x", "docs/x", true),
            ("docs/**/x", "docs/a/b/x", true),
            ("docs/**/x", "docs/ax", false),
            ("**/*.rs", "src/a.rs", true),
            ("**/*.rs", "a.rs", true),
            ("**/*.rs", "a.rsx", false),
            ("a**/b", "a/b", true),
            ("a**/b", "ax/y/b", true),
            ("größe/*", "größe/ü", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), does, "{pattern:?} {text:?}");
        }
        let long = "a".repeat(5_000);
        assert!(!fits(&"*a".repeat(90), &format!("{long}/b")), "and soon");
    }

    #[test]
    fn lists_are_read_by_line_and_comma() {
        assert_eq!(read("branches", " main \r\nrelease/*, main,\n"), Ok(vec!["main".into(), "release/*".into()]));
        for typed in
            ["/a", "!a", "a b", "a\u{202e}", &"x".repeat(201), &(0..51).map(|n| format!("{n},")).collect::<String>()]
        {
            assert!(read("branches", typed).is_err(), "{typed:?}");
        }
    }
}
