//! Who sends, and whether it is signed: each host in its own way, all with the trigger's one secret.

use app::api::triggers::Incoming;
use app::model::secret::Secret;
use app::model::text;
use app::model::trigger::{SIGNATURE, WINDOW};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A git host, by the headers of its webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    GitHub,
    GitLab,
    Gitea,
    Forgejo,
    Bitbucket,
}

/// The headers that name the event, most particular first: Forgejo sends those of Gitea and GitHub as well.
const EVENTS: &[(&str, Sender)] = &[
    ("x-forgejo-event", Sender::Forgejo),
    ("x-gitea-event", Sender::Gitea),
    ("x-gitlab-event", Sender::GitLab),
    ("x-event-key", Sender::Bitbucket),
    ("x-github-event", Sender::GitHub),
];

/// The longest id of a delivery that is taken as it is.
const LONGEST_ID: usize = 128;

impl Sender {
    /// Who sends, and the event's name.
    pub(super) fn of(incoming: &Incoming) -> Option<(Self, &str)> {
        EVENTS.iter().find_map(|(name, sender)| Some((*sender, incoming.header(name)?)))
    }

    /// As people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Gitea => "Gitea",
            Self::Forgejo => "Forgejo",
            Self::Bitbucket => "Bitbucket",
        }
    }

    /// Whether it is signed with the secret.
    pub(super) fn is_signed(self, incoming: &Incoming, secret: &Secret) -> bool {
        let hex = |name: &str| incoming.header(name);
        let prefixed = |name: &str| incoming.header(name).and_then(|value| value.strip_prefix("sha256="));
        let given = match self {
            Self::GitHub => prefixed("x-hub-signature-256"),
            Self::Bitbucket => prefixed("x-hub-signature"),
            Self::Forgejo | Self::Gitea => hex("x-forgejo-signature")
                .or_else(|| hex("x-gitea-signature"))
                .or_else(|| prefixed("x-hub-signature-256")),
            // GitLab shows the secret itself.
            Self::GitLab => {
                let Some(token) = incoming.header("x-gitlab-token") else { return false };
                let kept = secret.expose("it is compared with what GitLab shows");
                return Sha256::digest(token).ct_eq(&Sha256::digest(kept)).into();
            }
        };
        given.is_some_and(|given| is_mac(given, secret, &[&incoming.body]))
    }

    /// The sender's id of the delivery; without one, that of its body.
    pub(super) fn delivery(self, incoming: &Incoming) -> String {
        let names: &[&str] = match self {
            Self::GitHub => &["x-github-delivery"],
            // The same for all tries of one delivery; the other one is older, and shared by webhooks that cause each other.
            Self::GitLab => &["idempotency-key", "x-gitlab-event-uuid"],
            Self::Gitea | Self::Forgejo => &["x-forgejo-delivery", "x-gitea-delivery"],
            Self::Bitbucket => &["x-request-uuid", "x-request-id"],
        };
        let fits = |id: &&str| (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        let id = names.iter().find_map(|name| incoming.header(name).filter(fits));
        match id {
            Some(id) => format!("{}:{id}", self.name()),
            None => format!("{}:body:{}", self.name(), text::hex(&Sha256::digest(&incoming.body))),
        }
    }
}

/// What is wrong with a deploy hook's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// Missing, malformed or wrong: nobody we know.
    Wrong,
    /// Right, but of another time.
    Stale,
}

/// Checks a deploy hook's signature. Its text is the delivery's id: the same request has it again.
pub(super) fn deploy_hook(incoming: &Incoming, secret: &Secret, now: i64) -> Result<String, Bad> {
    let header = incoming.header(&SIGNATURE.to_ascii_lowercase()).ok_or(Bad::Wrong)?;
    let mut at = None;
    let mut macs = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) if at.is_none() => at = Some(text),
            Some(("v1", mac)) if macs.len() < 4 => macs.push(mac),
            _ => return Err(Bad::Wrong),
        }
    }
    let at = at.filter(|text| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit())).ok_or(Bad::Wrong)?;
    let mac = macs.into_iter().find(|mac| is_mac(mac, secret, &[at.as_bytes(), b".", &incoming.body]));
    let mac = mac.ok_or(Bad::Wrong)?;
    let seconds: i64 = at.parse().map_err(|_| Bad::Wrong)?;
    if (now - seconds).abs() > WINDOW { Err(Bad::Stale) } else { Ok(format!("hook:{}", mac.to_ascii_lowercase())) }
}

/// Whether it is the hex HMAC-SHA256 of the parts; in constant time.
fn is_mac(given: &str, secret: &Secret, parts: &[&[u8]]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose("it signs deliveries").as_bytes()) else {
        return false;
    };
    for part in parts {
        mac.update(part);
    }
    let Some(given) = bytes(given) else { return false };
    mac.finalize().into_bytes().as_slice().ct_eq(&given).into()
}

/// Hex digits as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn incoming(headers: &[(&str, &str)], body: &str) -> Incoming {
        Incoming {
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
            is_deploy_hook: false,
        }
    }

    /// The example of GitHub's own documentation.
    #[test]
    fn the_documented_signature_is_accepted_and_no_other() {
        let secret = Secret::new("It's a Secret to Everybody".into());
        let mac = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let signed = |name: &str, value: &str, event: &str| {
            let incoming = incoming(&[(event, "push"), (name, value)], "Hello, World!");
            Sender::of(&incoming).is_some_and(|(sender, _)| sender.is_signed(&incoming, &secret))
        };
        let prefixed = format!("sha256={mac}");
        assert!(signed("x-hub-signature-256", &prefixed, "x-github-event"));
        assert!(signed("x-hub-signature", &prefixed, "x-event-key"));
        assert!(signed("x-gitea-signature", mac, "x-gitea-event"));
        assert!(signed("x-forgejo-signature", mac, "x-forgejo-event"));
        assert!(signed("x-hub-signature-256", &prefixed, "x-forgejo-event"));
        assert!(signed("x-gitlab-token", "It's a Secret to Everybody", "x-gitlab-event"));
        for (name, value, event) in [
            ("x-hub-signature-256", mac, "x-github-event"),
            ("x-hub-signature-256", "sha256=", "x-github-event"),
            ("x-hub-signature-256", "sha256=757107", "x-github-event"),
            ("x-hub-signature", prefixed.as_str(), "x-github-event"),
            ("x-gitlab-token", "It's a Secret", "x-gitlab-event"),
            ("x-gitlab-token", "", "x-gitlab-event"),
            ("x-gitea-signature", "", "x-gitea-event"),
            ("x-gitea-signature", &"é".repeat(32), "x-gitea-event"),
        ] {
            assert!(!signed(name, value, event), "{name}: {value}");
        }
    }

    #[test]
    fn a_deploy_hook_is_good_for_minutes() {
        let secret = Secret::new("s".into());
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s").expect("a key");
        mac.update(b"1000.{}");
        let mac = text::hex(&mac.finalize().into_bytes());
        let ask = |header: &str, body: &str, now| {
            deploy_hook(&incoming(&[("x-slipway-signature", header)], body), &secret, now)
        };
        let good = format!("t=1000,v1={mac}");
        for now in [1000, 1300, 700] {
            assert_eq!(ask(&good, "{}", now), Ok(format!("hook:{mac}")));
        }
        assert_eq!(ask(&format!("t=1000, v1={}, v1={mac}", "0".repeat(64)), "{}", 1000), Ok(format!("hook:{mac}")));
        assert_eq!(ask(&good, "{}", 1301), Err(Bad::Stale));
        assert_eq!(ask(&good, "{}", 699), Err(Bad::Stale));
        for (header, body) in [
            (good.as_str(), "{} "),
            (&format!("t=1001,v1={mac}"), "{}"),
            (&format!("v1={mac}"), "{}"),
            (&format!("t=1000,v0={mac}"), "{}"),
            (&format!("t=-1000,v1={mac}"), "{}"),
            ("t=1000", "{}"),
            ("", "{}"),
        ] {
            assert_eq!(ask(header, body, 1000), Err(Bad::Wrong), "{header}");
        }
    }

    #[test]
    fn a_delivery_without_an_id_is_known_by_its_body() {
        let with = incoming(&[("x-github-delivery", "72d3162e")], "{}");
        assert_eq!(Sender::GitHub.delivery(&with), "GitHub:72d3162e");
        let without = Sender::GitHub.delivery(&incoming(&[], "{}"));
        assert!(without.starts_with("GitHub:body:44136fa3"), "{without}");
        let long = "x".repeat(500);
        assert_eq!(Sender::GitHub.delivery(&incoming(&[("x-github-delivery", &long)], "{}")), without);
    }
}
