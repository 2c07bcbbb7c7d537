//! Questions to providers' own interfaces, and what the answers mean.
//!
//! What must always hold: an answer is untrusted text; what can't be parsed is left out or named, and nobody's words are
//! passed on without being cut and cleaned.

use super::{ListError, ListedRepository, Untag};
use crate::oci::{Answer, Call, Login, OciError, Sign};
use app::model::provider::Provider;
use app::model::text::is_hidden;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds to wait when a provider says "too often" and not how long.
const WAIT: u64 = 60;
/// Longest time that is waited, whatever is said.
const LONGEST_WAIT: u64 = 3_600;
/// Characters of a description or of somebody's words that are kept.
const SHOWN: usize = 200;

impl From<OciError> for ListError {
    fn from(error: OciError) -> Self {
        match error {
            // Without a time it stays a failure: whoever reads a list backs off step by step.
            OciError::RateLimited { seconds: Some(seconds), .. } => Self::Wait(seconds.min(LONGEST_WAIT)),
            other => Self::Failed(other),
        }
    }
}

/// A question without a body.
pub(super) fn get(url: String, sign: Sign) -> Call {
    let headers = vec![("accept", "application/json".to_owned())];
    Call { method: http::Method::GET, url, sign, headers, body: Vec::new() }
}

/// The login as Basic, or nothing.
pub(super) fn basic(login: Option<&Login>) -> Sign {
    login.map_or(Sign::Nothing, |login| Sign::Basic(login.clone()))
}

/// One part of a path or query, percent-encoded, `/` too.
pub(super) fn part(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The host of an address, for messages.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// What a good answer holds.
pub(super) fn read<T: DeserializeOwned>(host: &str, answer: &Answer) -> Result<T, OciError> {
    serde_json::from_slice(&answer.body).map_err(|_| OciError::Unexpected {
        host: host.to_owned(),
        answer: "its list isn't in the form that its documentation gives".into(),
    })
}

/// What an answer means that isn't a list. `why`: in plain words, for the statuses by which it says that it doesn't list.
pub(super) fn refusal(host: &str, answer: &Answer, login: Option<&Login>, why: &str) -> ListError {
    match answer.status {
        429 => ListError::Wait(retry_after(answer).unwrap_or(WAIT)),
        // GitHub's way to say "too often".
        403 if header(answer, "x-ratelimit-remaining") == Some("0") => {
            ListError::Wait(retry_after(answer).unwrap_or(LONGEST_WAIT))
        }
        401 | 403 | 404 | 405 | 501 => ListError::CannotList(why.to_owned()),
        status => {
            let said = said(answer, login);
            let answer = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
            ListError::Failed(OciError::Unexpected { host: host.to_owned(), answer })
        }
    }
}

/// What an answer to the deletion of a tag means.
pub(super) fn untagged(host: &str, answer: &Answer, login: Option<&Login>) -> Result<Untag, OciError> {
    let said = || {
        let said = said(answer, login);
        if said.is_empty() { answer.status.to_string() } else { format!("{}: {said}", answer.status) }
    };
    match answer.status {
        200 | 202 | 204 | 404 => Ok(Untag::Done),
        401 | 403 | 412 => Err(OciError::Denied { host: host.to_owned(), answer: said() }),
        _ => Err(OciError::Unexpected { host: host.to_owned(), answer: said() }),
    }
}

/// The same for the registry's own list.
pub(super) fn catalog_refusal(error: OciError, why: &str) -> ListError {
    match error {
        OciError::NotOffered { .. } | OciError::Denied { .. } | OciError::SignIn { .. } => {
            ListError::CannotList(why.to_owned())
        }
        other => other.into(),
    }
}

/// `Retry-After` in seconds.
pub(super) fn retry_after(answer: &Answer) -> Option<u64> {
    header(answer, "retry-after")?.trim().parse().ok().map(|seconds: u64| seconds.min(LONGEST_WAIT))
}

/// A header's text.
pub(super) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).and_then(|value| value.to_str().ok())
}

/// An interface's own words: the message of its JSON, cleaned, cut, and without the password in case it is echoed.
pub(super) fn said(answer: &Answer, login: Option<&Login>) -> String {
    #[derive(Deserialize)]
    struct Words {
        #[serde(alias = "Message", alias = "detail", alias = "error_message", alias = "error")]
        message: Option<String>,
        #[serde(default)]
        errors: Vec<Words>,
    }
    let Ok(words) = serde_json::from_slice::<Words>(&answer.body) else { return String::new() };
    let text = words.message.or_else(|| words.errors.into_iter().find_map(|error| error.message)).unwrap_or_default();
    let password = login.map(|login| login.password.expose("an echo of it is masked")).filter(|text| text.len() >= 4);
    let text = password.map_or(text.clone(), |password| text.replace(password, "***"));
    shown(&text)
}

/// At most 200 visible characters.
pub(super) fn shown(text: &str) -> String {
    text.trim().chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(SHOWN).collect()
}

/// A repository as it is listed; None when its name can't be one.
pub(super) fn listed(name: &str, about: Option<&str>) -> Option<ListedRepository> {
    let name = name.to_ascii_lowercase().parse().ok()?;
    let about = about.map(shown).filter(|text| !text.is_empty());
    Some(ListedRepository { name, about })
}

/// Unix seconds of an RFC 3339 time; None for "no time" in its many spellings.
pub(super) fn unix(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp();
    Some(at).filter(|at| *at > 0)
}

/// Whether a secret for `provider` may go to that provider's own interface when this is the registry's host. A registry
/// on this machine stands in for the provider in tests.
pub(super) fn is_at_home(provider: Provider, host: &app::model::image_ref::RegistryHost) -> bool {
    Provider::of_host(host) == provider || host.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::secret::Secret;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: http::HeaderMap::new(), body: body.into(), next: None }
    }

    #[test]
    fn statuses_have_their_meaning() {
        let of = |answer: &Answer| refusal("h", answer, None, "why");
        for status in [401, 403, 404, 405, 501] {
            assert!(matches!(of(&answer(status, "")), ListError::CannotList(why) if why == "why"), "{status}");
        }
        assert!(matches!(of(&answer(500, "")), ListError::Failed(OciError::Unexpected { .. })));
        assert!(matches!(of(&answer(429, "")), ListError::Wait(WAIT)));
        let mut limited = answer(403, "");
        limited.headers.insert("x-ratelimit-remaining", http::HeaderValue::from_static("0"));
        limited.headers.insert("retry-after", http::HeaderValue::from_static("17"));
        assert!(matches!(of(&limited), ListError::Wait(17)));
        let limited = |seconds| ListError::from(OciError::RateLimited { host: "h".into(), seconds });
        assert!(matches!(limited(Some(9_999_999)), ListError::Wait(LONGEST_WAIT)));
        assert!(matches!(limited(None), ListError::Failed(OciError::RateLimited { .. })));
    }

    #[test]
    fn words_are_found_cleaned_and_without_the_password() {
        let login = Login { username: "u".into(), password: Secret::new("hunter22".into()) };
        for (body, expected) in [
            (r#"{"message":"bad hunter22\u202e token"}"#, "bad ***  token"),
            (r#"{"errors":[{"code":"X","message":"no"}]}"#, "no"),
            (r#"{"detail":"object not found"}"#, "object not found"),
            ("<html>", ""),
            ("[]", ""),
        ] {
            assert_eq!(said(&answer(400, body), Some(&login)), expected, "{body}");
        }
    }

    #[test]
    fn parts_and_times_are_strict() {
        assert_eq!(part("a/b c~ü"), "a%2Fb%20c~%C3%BC");
        assert_eq!(unix("2026-11-24T10:00:00.1234567Z"), Some(1_795_514_400));
        assert_eq!(unix("0001-01-01T00:00:00Z"), None);
        assert_eq!(unix("yesterday"), None);
        assert_eq!(host_of("https://a.example:1/x"), "a.example:1");
        assert_eq!(listed("../etc", None), None);
        assert_eq!(
            listed("Acme/Web", Some(" \n")).map(|repository| repository.name.to_string()),
            Some("acme/web".into())
        );
    }
}
