//! What a 401 asks for, and whether the password may go where it points to. Pure.

use app::model::credential::RegistryUrl;
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
    /// The sign-in service; untrusted until [`is_trusted`] says otherwise.
    pub realm: Url,
    /// The registry's name there.
    pub service: Option<String>,
    /// What the registry says is needed.
    pub scopes: Vec<String>,
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
    Some(Bearer { realm, service: value("service"), scopes })
}

/// Whether the password of this registry may be sent to the realm.
///
/// The realm is `https`, without user name, on the standard port or the registry's own, and its host is the registry's
/// or lies in the registry's parent domain. A registry over plain HTTP is its own realm or has none. In doubt: no.
pub(super) fn is_trusted(registry: &RegistryUrl, realm: &Url) -> bool {
    let Ok(own) = Url::parse(&registry.api_base()) else { return false };
    if !realm.username().is_empty() || realm.password().is_some() {
        return false;
    }
    if registry.plain {
        return realm.origin() == own.origin();
    }
    if realm.scheme() != "https" {
        return false;
    }
    let port = realm.port_or_known_default();
    if port != Some(443) && port != own.port_or_known_default() {
        return false;
    }
    match (own.host(), realm.host()) {
        (Some(own), Some(realm)) if own == realm => true,
        (Some(url::Host::Domain(own)), Some(url::Host::Domain(realm))) => {
            parent(own).is_some_and(|parent| realm == parent || realm.ends_with(&format!(".{parent}")))
        }
        _ => false,
    }
}

/// The domain above a host, if nobody but its owner can have names in it.
///
/// Without the public suffix list this is a guess, made on the safe side: `registry.example.com` → `example.com`,
/// `example.com` → itself, but nothing for suffixes under which strangers register.
fn parent(host: &str) -> Option<&str> {
    let labels = host.split('.').count();
    let parent = match labels {
        0 | 1 => return None,
        2 => host,
        _ => host.split_once('.')?.1,
    };
    let (first, rest) = parent.split_once('.')?;
    let is_country = rest.len() == 2;
    let is_public = is_country
        && matches!(
            first,
            "ac" | "co"
                | "com"
                | "edu"
                | "gen"
                | "gob"
                | "gov"
                | "id"
                | "in"
                | "mil"
                | "ne"
                | "net"
                | "nom"
                | "or"
                | "org"
                | "web"
        );
    const SHARED: [&str; 14] = [
        "amazonaws.com",
        "azurecr.io",
        "azurewebsites.net",
        "cloudfront.net",
        "fly.dev",
        "github.io",
        "gitlab.io",
        "herokuapp.com",
        "ngrok.app",
        "ngrok.io",
        "pages.dev",
        "run.app",
        "sslip.io",
        "nip.io",
    ];
    let is_shared = SHARED.iter().any(|shared| parent == *shared || parent.ends_with(&format!(".{shared}")));
    (!is_public && !is_shared).then_some(parent)
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

    #[test]
    fn the_password_goes_to_the_registrys_own_people_alone() {
        for (registry, realm, trusted) in [
            ("https://r.example.com", "https://r.example.com/token", true),
            ("https://r.example.com:5050", "https://r.example.com/jwt/auth", true),
            ("https://r.example.com:5050", "https://r.example.com:5050/token", true),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("https://registry.digitalocean.com", "https://api.digitalocean.com/v2/x", true),
            ("https://docker.io", "https://auth.docker.io/token", true),
            ("https://ghcr.io", "https://ghcr.io/token", true),
            ("https://r.example.co.uk", "https://auth.example.co.uk/t", true),
            ("http://127.0.0.1:5600", "http://127.0.0.1:5600/token", true),
            // S1: other host, same host on another port, http, user name in front, look-alikes, public suffixes.
            ("https://r.example.com", "https://evil.example/token", false),
            ("https://r.example.com", "https://r.example.com:8443/token", false),
            ("https://r.example.com", "http://r.example.com/token", false),
            ("https://r.example.com", "https://r.example.com@evil.example/", false),
            ("https://r.example.com", "https://u:p@r.example.com/", false),
            ("https://r.example.com", "https://r.example.com.evil.example/", false),
            ("https://r.example.com", "https://evilexample.com/", false),
            ("https://r.example.com", "https://r.examp\u{13a}e.com/", false),
            ("https://example.co.uk", "https://evil.co.uk/", false),
            ("https://me.azurecr.io", "https://evil.azurecr.io/", false),
            ("https://10.0.0.7", "https://10.0.0.8/", false),
            ("https://10.0.0.7", "https://169.254.169.254/", false),
            ("https://docker.io", "https://auth.docker.io.evil.example/token", false),
            ("https://docker.io", "http://auth.docker.io/token", false),
            ("http://127.0.0.1:5600", "http://127.0.0.1:5601/token", false),
            ("http://127.0.0.1:5600", "https://127.0.0.1:5600/token", false),
            ("http://127.0.0.1:5600", "http://localhost:5600/token", false),
        ] {
            let url: RegistryUrl = registry.parse().expect("a registry");
            let realm = Url::parse(realm).expect("a URL");
            assert_eq!(is_trusted(&url, &realm), trusted, "{registry} → {realm}");
        }
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

        #[test]
        fn a_realm_of_strangers_is_never_trusted(realm in "(https?:)?//[a-z0-9.@:\\[\\]\\\\/-]{0,30}evil[.]example[/:@?#a-z0-9]{0,10}") {
            let registry: RegistryUrl = "https://r.example.com".parse().expect("a registry");
            let asked = Url::parse("https://r.example.com/v2/").expect("a URL");
            if let Ok(realm) = asked.join(&realm) {
                let stays = realm.host_str() == Some("r.example.com");
                proptest::prop_assert!(stays || !is_trusted(&registry, &realm), "{realm}");
            }
        }
    }
}
