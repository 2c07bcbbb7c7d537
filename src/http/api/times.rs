//! Times as the API writes and reads them: RFC 3339, in UTC.

use app::error::FieldError;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Unix seconds as `2026-11-24T10:00:00Z`.
pub fn of_seconds(seconds: i64) -> String {
    of_millis(seconds.saturating_mul(1_000))
}

/// Unix milliseconds as `2026-11-24T10:00:00.5Z`.
pub fn of_millis(millis: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// A time that was sent, as Unix seconds: RFC 3339, or Unix seconds already.
pub fn read(field: &str, text: &str) -> Result<i64, FieldError> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    // A plus that wasn't encoded in a query is a space by now.
    let text = text.replace(' ', "+");
    OffsetDateTime::parse(&text, &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| FieldError::new(field, "Write a time such as 2026-11-24T10:00:00Z, or Unix seconds."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        assert_eq!(of_seconds(0), "1970-01-01T00:00:00Z");
        assert_eq!(of_millis(1_500), "1970-01-01T00:00:01.5Z");
        assert_eq!(of_seconds(i64::MAX), "");
        for text in ["86400", "1970-01-02T00:00:00Z", "1970-01-02T01:00:00+01:00", "1970-01-02T01:00:00 01:00"] {
            assert_eq!(read("since", text), Ok(86_400), "{text}");
        }
        for text in ["", "yesterday", "1970-01-02"] {
            assert_eq!(read("since", text).expect_err("no time").field, "since");
        }
    }
}
