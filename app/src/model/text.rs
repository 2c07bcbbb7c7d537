//! Sizes, ages, plurals, and the rules that every one-line text keeps.

use crate::error::FieldError;

/// Characters that change how text is read without being seen: controls, bidi marks, line separators.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

/// A trimmed name of 1 to `max` characters without hidden characters.
pub fn name(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldError::new(field, "Fill this in."));
    }
    if text.chars().any(is_hidden) {
        return Err(FieldError::new(field, "Remove the control or invisible characters."));
    }
    if text.chars().count() > max {
        return Err(FieldError::new(field, format!("Use at most {max} characters.")));
    }
    Ok(text.to_owned())
}

/// `[a-z0-9]` words joined by single `-`: what a name becomes in paths. Empty when nothing is left.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.truncate(40);
    slug.trim_end_matches('-').to_owned()
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `1 build`, `3 builds`.
pub fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// `1,204`.
pub fn figure(n: u64) -> String {
    let digits = n.to_string();
    let mut figure = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            figure.push(',');
        }
        figure.push(digit);
    }
    figure
}

/// `1 repository`, `1,204 repositories`.
pub fn repositories(n: u64) -> String {
    if n == 1 { "1 repository".into() } else { format!("{} repositories", figure(n)) }
}

/// `1 tag`, `1,204 tags`.
pub fn tags(n: u64) -> String {
    if n == 1 { "1 tag".into() } else { format!("{} tags", figure(n)) }
}

/// A size in kB, MB or GB (powers of 1000).
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

/// `850 ms`, `4.2 s`, `3 min 05 s`.
pub fn duration(millis: i64) -> String {
    match millis.max(0) {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `just now`, `3 min ago`, `2 h ago`, `5 days ago`. Both times in Unix seconds.
pub fn age(then: i64, now: i64) -> String {
    match now - then {
        i64::MIN..10 => "just now".into(),
        s @ 10..60 => format!("{s} s ago"),
        s @ 60..3_600 => format!("{} min ago", s / 60),
        s @ 3_600..172_800 => format!("{} h ago", s / 3_600),
        s => format!("{} days ago", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_path_safe() {
        for (text, expected) in [
            ("Web shop", "web-shop"),
            ("  --Ünï côde--", "n-c-de"),
            ("a__b..c", "a-b-c"),
            ("../../etc", "etc"),
            ("日本", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
        assert_eq!(slug(&"x".repeat(100)).len(), 40);
    }

    #[test]
    fn names_refuse_what_cannot_be_seen() {
        assert!(name("name", "a\u{202e}b", 10).is_err());
        assert!(name("name", "a\nb", 10).is_err());
        assert!(name("name", " ", 10).is_err());
        assert_eq!(name("name", " Shop ", 10), Ok("Shop".into()));
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(duration(185_000), "3 min 05 s");
        assert_eq!(bytes(37_000_000), "37.0 MB");
        assert_eq!(count(1, "build"), "1 build");
        assert_eq!([0, 999, 1_000, 12_400, 1_234_567].map(figure), ["0", "999", "1,000", "12,400", "1,234,567"]);
        assert_eq!((repositories(1), tags(50_000)), ("1 repository".into(), "50,000 tags".into()));
        assert_eq!(age(0, 7_300), "2 h ago");
    }
}
