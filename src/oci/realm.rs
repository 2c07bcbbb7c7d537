//! Whether the password of a registry may be given to a sign-in service. Pure.
//!
//! What must always hold: in doubt no. The password goes to the registry's own host, to its registrable domain (public
//! suffix list), or to the one origin that an administrator approved for this credential.

use super::Access;
use reqwest::Url;

/// Domains under which strangers have hosts of their own, and which the public suffix list doesn't have as suffixes.
const SHARED: [&str; 8] =
    ["amazonaws.com", "amazonaws.com.cn", "azurecr.cn", "azurecr.io", "azurecr.us", "nip.io", "pkg.dev", "sslip.io"];

/// Whether the password of this registry may be sent to the realm.
///
/// The realm is `https`, without user name, on the standard port or the registry's own, and on the registry's host or in
/// its registrable domain. A registry over plain HTTP is its own realm. Beside that: the approved origin.
pub(super) fn is_trusted(access: &Access, realm: &Url) -> bool {
    let Ok(own) = Url::parse(&access.url.api_base()) else { return false };
    if !realm.username().is_empty() || realm.password().is_some() {
        return false;
    }
    is_approved(access, realm) || is_own(&own, realm)
}

/// Whether somebody may be asked for a token without a password: everybody but those who would be asked in the clear.
pub(super) fn is_fit_for_anybody(access: &Access, realm: &Url) -> bool {
    realm.scheme() == "https" || is_trusted(access, realm)
}

fn is_approved(access: &Access, realm: &Url) -> bool {
    let Some(approved) = access.trust.realm.as_deref().and_then(|text| Url::parse(text).ok()) else { return false };
    // In the clear only where the registry itself is asked in the clear.
    let is_safe = approved.scheme() == "https" || (approved.scheme() == "http" && access.url.plain);
    is_safe && approved.host().is_some() && approved.origin() == realm.origin()
}

fn is_own(own: &Url, realm: &Url) -> bool {
    if own.scheme() == "http" {
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
            domain(own).is_some_and(|own| domain(realm) == Some(own))
        }
        _ => false,
    }
}

/// The registrable domain, if nobody but its owner can have names in it.
fn domain(host: &str) -> Option<&str> {
    let found = psl::domain_str(host)?;
    (!SHARED.contains(&found)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::credential::Trust;

    fn access(registry: &str, realm: Option<&str>) -> Access {
        let trust = Trust { realm: realm.map(str::to_owned), ..Trust::default() };
        Access { url: registry.parse().expect("a registry"), login: None, trust }
    }

    #[test]
    fn the_password_goes_to_the_registrys_own_people_alone() {
        for (registry, realm, trusted) in [
            ("https://r.example.com", "https://r.example.com/token", true),
            ("https://r.example.com:5050", "https://r.example.com/jwt/auth", true),
            ("https://r.example.com:5050", "https://r.example.com:5050/token", true),
            ("https://a.b.example.com", "https://auth.example.com/token", true),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("https://registry.digitalocean.com", "https://api.digitalocean.com/v2/x", true),
            ("https://docker.io", "https://auth.docker.io/token", true),
            ("https://ghcr.io", "https://ghcr.io/token", true),
            ("https://quay.io", "https://quay.io/v2/auth", true),
            ("https://me.azurecr.io", "https://me.azurecr.io/oauth2/token", true),
            ("https://europe-docker.pkg.dev", "https://europe-docker.pkg.dev/v2/token", true),
            ("https://r.example.co.uk", "https://auth.example.co.uk/t", true),
            ("https://registry.corp.internal", "https://auth.corp.internal/t", true),
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
            ("https://registry.internal", "https://auth.internal/", false),
            ("https://me.azurecr.io", "https://evil.azurecr.io/", false),
            ("https://1.dkr.ecr.eu-west-1.amazonaws.com", "https://evil.eu-west-1.elb.amazonaws.com/", false),
            ("https://1.dkr.ecr.eu-west-1.amazonaws.com", "https://2.dkr.ecr.eu-west-1.amazonaws.com/", false),
            ("https://europe-docker.pkg.dev", "https://us-npm.pkg.dev/", false),
            ("https://me.github.io", "https://evil.github.io/", false),
            ("https://me.run.app", "https://evil.run.app/", false),
            ("https://me.fly.dev", "https://evil.fly.dev/", false),
            ("https://10.0.0.7.nip.io", "https://10.0.0.8.nip.io/", false),
            ("https://10.0.0.7", "https://10.0.0.8/", false),
            ("https://10.0.0.7", "https://169.254.169.254/", false),
            ("https://docker.io", "https://auth.docker.io.evil.example/token", false),
            ("https://docker.io", "http://auth.docker.io/token", false),
            ("https://registry:5000", "https://auth:5000/token", false),
            ("http://127.0.0.1:5600", "http://127.0.0.1:5601/token", false),
            ("http://127.0.0.1:5600", "https://127.0.0.1:5600/token", false),
            ("http://127.0.0.1:5600", "http://localhost:5600/token", false),
        ] {
            let realm = Url::parse(realm).expect("a URL");
            assert_eq!(is_trusted(&access(registry, None), &realm), trusted, "{registry} → {realm}");
        }
    }

    #[test]
    fn an_approved_origin_is_trusted_exactly() {
        for (registry, approved, realm, trusted) in [
            ("https://r.example.com", "https://auth.other.net", "https://auth.other.net/token", true),
            ("https://r.example.com", "https://auth.other.net/", "https://auth.other.net:443/token", true),
            ("https://r.example.com", "https://auth.other.net:8443", "https://auth.other.net:8443/t", true),
            ("http://10.0.0.7:5000", "http://10.0.0.7:5001", "http://10.0.0.7:5001/t", true),
            ("https://r.example.com", "https://auth.other.net", "https://auth.other.net:8443/t", false),
            ("https://r.example.com", "https://auth.other.net", "https://other.net/token", false),
            ("https://r.example.com", "https://auth.other.net", "https://x.auth.other.net/token", false),
            ("https://r.example.com", "https://auth.other.net", "http://auth.other.net/token", false),
            ("https://r.example.com", "http://auth.other.net", "http://auth.other.net/token", false),
            ("https://r.example.com", "https://auth.other.net", "https://u@auth.other.net/token", false),
            ("https://r.example.com", "data:text/plain,x", "data:text/plain,x", false),
            ("https://r.example.com", "nonsense", "https://auth.other.net/token", false),
        ] {
            let realm = Url::parse(realm).expect("a URL");
            assert_eq!(is_trusted(&access(registry, Some(approved)), &realm), trusted, "{approved} → {realm}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_realm_of_strangers_is_never_trusted(realm in "(https?:)?//[a-z0-9.@:\\[\\]\\\\/-]{0,30}evil[.]example[/:@?#a-z0-9]{0,10}") {
            let asked = Url::parse("https://r.example.com/v2/").expect("a URL");
            if let Ok(realm) = asked.join(&realm) {
                let stays = realm.host_str() == Some("r.example.com");
                proptest::prop_assert!(stays || !is_trusted(&access("https://r.example.com", None), &realm), "{realm}");
            }
        }
    }
}
