//! How many pulls Docker Hub has left, from the headers of an answer that doesn't count as a pull. Pure.

use app::model::image::Allowance;
use http::HeaderMap;

/// What the headers say; None where they don't (paid accounts have no limit).
pub(super) fn read(headers: &HeaderMap, now: i64) -> Option<Allowance> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (limit, window) = parse(value("ratelimit-limit")?)?;
    let (remaining, _) = parse(value("ratelimit-remaining")?)?;
    Some(Allowance { remaining, limit, window, at: now })
}

/// `100;w=21600`
fn parse(text: &str) -> Option<(u64, u64)> {
    let (count, rest) = text.split_once(';').unwrap_or((text, ""));
    let window = rest.split(';').find_map(|part| part.trim().strip_prefix("w=")).and_then(|text| text.parse().ok());
    Some((count.trim().parse().ok()?, window.unwrap_or(21_600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_and_without_their_window() {
        let of = |limit: &str, remaining: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("ratelimit-limit", limit.parse().expect("a value"));
            headers.insert("ratelimit-remaining", remaining.parse().expect("a value"));
            read(&headers, 7).map(|allowance| (allowance.remaining, allowance.limit, allowance.window, allowance.at))
        };
        assert_eq!(of("100;w=21600", "76;w=21600"), Some((76, 100, 21_600, 7)));
        assert_eq!(of("200", "0"), Some((0, 200, 21_600, 7)));
        assert_eq!(of("many", "0"), None);
        assert_eq!(read(&HeaderMap::new(), 7), None);
    }
}
