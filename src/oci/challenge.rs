//! What a 401 asks for. Pure. Whether the password may go where it points to is said in `realm.rs`.

use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// How a registry wants to be convinced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The password itself, with each request.
    Basic,
    /// A token from a sign-in service.
    Bearer(Bearer),
}

/// Where the token comes from, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    /// The sign-in service; untrusted until [`super::realm::is_trusted`] says otherwise.
    pub realm: Url,
    /// The registry's name there.
    pub service: Option<String>,
    /// What the registry says is needed.
    pub scopes: Vec<String>,
    /// Whether the token that was sent is good but not for this (`error="insufficient_scope"`).
    pub wants_more: bool,
}

impl Bearer {
    /// Whether the registry says that other scopes than these are needed.
    pub fn wants_more_than(&self, scopes: &[String]) -> bool {
        self.wants_more && !self.scopes.is_empty() && self.scopes != scopes
    }
}

/// The challenge to answer: Bearer before Basic, and everything else ignored. Challenges may stand in several headers,
/// several may stand in one, and the realm may be relative to the address that was asked.
pub(super) fn choose(asked: &Url, headers: &HeaderMap) -> Option<Challenge> {
    let mut chosen = None;
    for header in headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()) {
        // A header that can't be parsed (NTLM has its own form) leaves the other headers standing.
        for challenge in http_auth::parse_challenges(header).unwrap_or_default() {
            let scheme = challenge.scheme;
            if scheme.eq_ignore_ascii_case("basic") {
                chosen.get_or_insert(Challenge::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer")
                && !matches!(chosen, Some(Challenge::Bearer(_)))
                && let Some(bearer) = bearer(asked, &challenge)
            {
                chosen = Some(Challenge::Bearer(bearer));
            }
        }
    }
    chosen
}

fn bearer(asked: &Url, challenge: &http_auth::ChallengeRef<'_>) -> Option<Bearer> {
    let value = |name: &str| {
        let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
    };
    let realm = asked.join(&value("realm")?).ok()?;
    let scopes = value("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let wants_more = value("error").is_some_and(|error| error == "insufficient_scope");
    Some(Bearer { realm, service: value("service"), scopes, wants_more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn chosen(headers: &[&'static str]) -> Option<Challenge> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(WWW_AUTHENTICATE, HeaderValue::from_static(header));
        }
        choose(&Url::parse("https://r.example/v2/").expect("a URL"), &map)
    }

    #[test]
    fn bearer_comes_before_basic_wherever_it_stands() {
        let bearer = |realm: &str, service: Option<&str>, scopes: &[&str]| {
            Some(Challenge::Bearer(Bearer {
                realm: Url::parse(realm).expect("a URL"),
                service: service.map(str::to_owned),
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                wants_more: false,
            }))
        };
        assert_eq!(
            chosen(&[r#"Basic realm="x", Bearer realm="https://r.example/token",service="s""#]),
            bearer("https://r.example/token", Some("s"), &[])
        );
        assert_eq!(
            chosen(&[r#"bEARER Realm="https://r.example/v2/token""#, r#"Basic realm="Gitea""#]),
            bearer("https://r.example/v2/token", None, &[])
        );
        assert_eq!(
            chosen(&[r#"Negotiate, Basic realm="a, b""#, r#"Bearer realm="/token",scope="a:b:pull,push c:d:*""#]),
            bearer("https://r.example/token", None, &["a:b:pull,push", "c:d:*"])
        );
        assert_eq!(chosen(&["NTLM TlRMTVNTUAAB==", r#"Basic realm="x""#]), Some(Challenge::Basic));
        assert_eq!(chosen(&[r#"Bearer service="no realm""#, "Basic"]), Some(Challenge::Basic));
        assert_eq!(chosen(&["Negotiate"]), None);
        assert_eq!(chosen(&["", "\"", "Bearer realm="]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_stumble(headers in proptest::collection::vec(proptest::collection::vec(0x20_u8..=0xff, 0..80), 0..4)) {
            let mut map = HeaderMap::new();
            for header in headers.iter().filter_map(|bytes| HeaderValue::from_bytes(bytes).ok()) {
                map.append(WWW_AUTHENTICATE, header);
            }
            let _ = choose(&Url::parse("https://r.example/v2/").expect("a URL"), &map);
        }
    }
}
