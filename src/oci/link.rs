//! Where a list goes on: `Link` headers (RFC 8288). Pure.
//!
//! What must always hold: only path and query of a link are ever used, on the origin that was asked, so a registry can't
//! send its credentials elsewhere.

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};

/// Longest path with query that is followed.
const LONGEST: usize = 8 * 1024;

/// Path and query of the first link whose `rel` has `next` in it.
pub(super) fn next(asked: &Url, headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().find_map(|value| {
        // Zot sends names as they are, whatever they are made of.
        let text = String::from_utf8_lossy(value.as_bytes());
        let target = links(&text).into_iter().find(|(_, parameters)| is_next(parameters)).map(|(target, _)| target)?;
        let url = asked.join(target.trim()).ok().filter(|url| url.has_host())?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        (path.len() <= LONGEST).then_some(path)
    })
}

/// The links of one header: what stands in `<…>`, and the parameters behind it. Commas and semicolons in `<…>` and in
/// quotes don't count.
fn links(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start + 1..].find('>') else { break };
        let target = &rest[start + 1..start + 1 + length];
        let after = &rest[start + length + 2..];
        let mut parameters = Vec::new();
        let (mut is_quoted, mut is_escaped, mut begin, mut end) = (false, false, 0, after.len());
        for (index, c) in after.char_indices() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' if is_quoted => is_escaped = true,
                '"' => is_quoted = !is_quoted,
                ';' if !is_quoted => {
                    parameters.push(&after[begin..index]);
                    begin = index + 1;
                }
                ',' if !is_quoted => {
                    end = index;
                    break;
                }
                _ => {}
            }
        }
        parameters.push(&after[begin..end]);
        found.push((target, parameters));
        rest = &after[end..];
    }
    found
}

/// `rel=next`, `rel="next"`, `rel="last next"`. The first `rel` counts (RFC 8288, section 3.3).
fn is_next(parameters: &[&str]) -> bool {
    let pairs = parameters.iter().filter_map(|parameter| parameter.split_once('='));
    let rel = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel")).map(|(_, value)| value.trim()).next();
    rel.is_some_and(|rel| rel.trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn found(headers: &[&str]) -> Option<String> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(LINK, HeaderValue::from_bytes(header.as_bytes()).expect("a header"));
        }
        next(&Url::parse("https://r.example/v2/_catalog?n=1000").expect("a URL"), &map)
    }

    /// S3, R8 and the conformance cases of REGISTRIES §9.6.
    #[test]
    fn links_come_in_many_forms() {
        for (header, expected) in [
            (r#"</v2/_catalog?last=a&n=2>; rel="next""#, Some("/v2/_catalog?last=a&n=2")),
            ("</v2/_catalog?last=a>;rel=next", Some("/v2/_catalog?last=a")),
            ("<?last=a>; REL=NEXT", Some("/v2/_catalog?last=a")),
            ("<_catalog?last=a>; rel=next", Some("/v2/_catalog?last=a")),
            (r#"<https://r.example/v2/_catalog?last=a>; rel="next""#, Some("/v2/_catalog?last=a")),
            (r#"<https://evil.example:99/v2/_catalog?last=a>; rel="next""#, Some("/v2/_catalog?last=a")),
            (r#"<//evil.example/v2/_catalog?last=a>; rel="next""#, Some("/v2/_catalog?last=a")),
            (r#"<https://u:p@r.example/x?last=a>; rel="next""#, Some("/x?last=a")),
            (r#"</a>; rel="prev", </b,c;d?x=1>; rel="next"; title="x, y", </e>; rel=last"#, Some("/b,c;d?x=1")),
            (r#"</a>; rel="first last", </b>; rel="up next""#, Some("/b")),
            (r#"</a>; title="rel=next, <x>; rel=next"; rel=prev"#, None),
            (r#"</a>; rel=prev; rel=next"#, None),
            (r#"</v2/_catalog?last=a b|ü&n=1>; rel="next""#, Some("/v2/_catalog?last=a%20b|%C3%BC&n=1")),
            (r#"</v2/_catalog?last=a%2Fb%26c>; rel="next""#, Some("/v2/_catalog?last=a%2Fb%26c")),
            (r#"</v2/../../x?last=a#frag>; rel="next""#, Some("/x?last=a")),
            (r#"</v2/_catalog?last=a>; rel="nextish""#, None),
            ("</v2/_catalog?last=a>", None),
            ("</v2/_catalog?last=a", None),
            ("rel=next", None),
            ("<data:text/plain,x>; rel=next", None),
            ("<javascript:alert(1)>; rel=next", None),
            ("", None),
            ("<>; rel=next", Some("/v2/_catalog?n=1000")),
        ] {
            assert_eq!(found(&[header]).as_deref(), expected, "{header}");
        }
        assert_eq!(found(&[r#"</a>; rel="prev""#, r#"</b>; rel="next""#]).as_deref(), Some("/b"), "in two headers");
        assert_eq!(found(&[&format!("</{}>; rel=next", "x".repeat(LONGEST))]), None, "too long");
        assert_eq!(found(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_stumble(bytes in proptest::collection::vec(0x20_u8..=0xff, 0..120)) {
            let mut map = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                map.append(LINK, value);
            }
            if let Some(path) = next(&Url::parse("https://r.example/v2/").expect("a URL"), &map) {
                proptest::prop_assert!(path.starts_with('/'), "{path}");
            }
        }
    }
}
