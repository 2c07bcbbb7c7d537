//! What a registry answers: bodies up to a limit, and its own words made fit to be shown.
//!
//! Everything a registry says is untrusted: at most 200 characters of it are shown, without control or invisible
//! characters, and with the password masked in case it is echoed.

use super::transport::Response;
use super::{Login, OciError};
use app::model::text::is_hidden;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use reqwest::StatusCode;
use serde::Deserialize;

/// Longest token answer and longest error that are read.
pub(super) const SMALL_BODY: usize = 64 * 1024;
/// Longest manifest that is read; registries accept 4 to 10 MiB.
pub(super) const MANIFEST_BODY: usize = 8 * 1024 * 1024;
/// Longest page of a list that is read; distribution 2.8 sends all tags in one.
pub(super) const LIST_BODY: usize = 32 * 1024 * 1024;
/// Characters of a registry's own words that are shown.
const SHOWN: usize = 200;

/// Reads a whole body, or says that it is too long or broke off.
pub(super) async fn whole_body(host: &str, mut response: Response, limit: usize) -> Result<Vec<u8>, OciError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                let answer = format!("an answer of more than {limit} bytes");
                return Err(OciError::Unexpected { host: host.to_owned(), answer });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(super::failure::failure(host, &error)),
        }
    }
}

/// Reads what is left of a short answer that doesn't matter, so that its connection can be used again.
pub(super) async fn drain(response: &mut Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > SMALL_BODY {
            break;
        }
    }
}

/// The status and the registry's own words.
pub(super) async fn words(mut response: Response, login: Option<&Login>) -> String {
    let status = response.status();
    let is_html = is_html(&response);
    let mut body = Vec::new();
    // A body that breaks off still has a beginning, and the status says the most anyway.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = SMALL_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == SMALL_BODY {
            break;
        }
    }
    let said = if is_html { "a web page".to_owned() } else { said(&body) };
    let status = status_text(status);
    mask(&if said.is_empty() { status } else { format!("{status}: {said}") }, login)
}

/// Whether the answer is a web page.
pub(super) fn is_html(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// `401 Unauthorized`.
pub(super) fn status_text(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// The codes and messages of `{"errors": […]}`, or the first line of anything else.
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        detail: serde_json::Value,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(alias = "message", alias = "error_description", alias = "error")]
        details: String,
    }
    if let Ok(list) = serde_json::from_slice::<Errors>(body) {
        let entries: Vec<String> = list
            .errors
            .into_iter()
            .take(3)
            .map(|entry| {
                let storage = storage_error(&entry.detail).map(str::to_owned);
                [entry.code, entry.message, storage].into_iter().flatten().collect::<Vec<_>>().join(": ")
            })
            .collect();
        return sanitise(&entries.join("; "));
    }
    if let Ok(detail) = serde_json::from_slice::<Detail>(body) {
        return sanitise(&detail.details);
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if line.trim_start().starts_with('<') { "a web page".into() } else { sanitise(line) }
}

/// What distribution hides behind "unknown error": the error of the kernel that its storage met, by its number (Linux's own,
/// whatever the registry runs on, as its images are for Linux) or in words.
fn storage_error(detail: &serde_json::Value) -> Option<&'static str> {
    const KNOWN: [(u64, &str); 5] = [
        (5, "input/output error"),
        (13, "permission denied"),
        (28, "no space left on device"),
        (30, "read-only file system"),
        (122, "disk quota exceeded"),
    ];
    if detail.is_null() {
        return None;
    }
    let number = detail.pointer("/Enclosed/Err").and_then(serde_json::Value::as_u64);
    let text = detail.to_string();
    KNOWN.iter().find(|(known, words)| number == Some(*known) || text.contains(words)).map(|(_, words)| *words)
}

/// At most 200 characters, none of them a control or invisible one.
pub(super) fn sanitise(text: &str) -> String {
    let clean = text.trim().chars().map(|c| if is_hidden(c) { ' ' } else { c });
    let mut shown: String = clean.take(SHOWN).collect();
    if text.trim().chars().nth(SHOWN).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// The text without the password, plain or in an `Authorization` value.
fn mask(text: &str, login: Option<&Login>) -> String {
    let Some(login) = login else { return text.to_owned() };
    let password = login.password.expose("an echo of it is masked");
    if password.len() < 4 {
        return text.to_owned();
    }
    let basic = STANDARD_NO_PAD.encode(format!("{}:{password}", login.username));
    let alone = STANDARD.encode(password);
    [basic.as_str(), alone.as_str(), password].iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::secret::Secret;

    #[test]
    fn the_registrys_own_words_are_found_and_kept_short() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"requested access is denied","detail":null}]}"#,
                "DENIED: requested access is denied",
            ),
            (r#"{"errors":[{"code":"A"},{"message":"b"}]}"#, "A; b"),
            (
                r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem",
                   "Enclosed":{"Op":"mkdir","Path":"/var/lib/registry/docker","Err":28}}}]}"#,
                "UNKNOWN: unknown error: no space left on device",
            ),
            (r#"{"errors":[{"code":"A","detail":{"Enclosed":{"Err":"x"}}},{"code":"B","detail":[1]}]}"#, "A; B"),
            (r#"{"details":"incorrect username or password"}"#, "incorrect username or password"),
            ("\nfirst line\nsecond", "first line"),
            ("<!doctype html><script>x</script>", "a web page"),
            ("", ""),
        ] {
            assert_eq!(said(body.as_bytes()), expected, "{body}");
        }
        let long = said("x".repeat(5_000_000).as_bytes());
        assert_eq!(long.chars().count(), SHOWN);
        assert_eq!(said(b"a\x1b[31m\xff\xe2\x80\xaeb"), "a [31m\u{fffd} b");
    }

    #[test]
    fn an_echoed_password_is_masked() {
        let login = Login { username: "u".into(), password: Secret::new("hunter22".into()) };
        let echo = format!("got {} and hunter22 and {}", STANDARD.encode("u:hunter22"), STANDARD.encode("hunter22"));
        let masked = mask(&echo, Some(&login));
        assert!(!masked.contains("hunter22") && !masked.contains(&STANDARD.encode("u:hunter22")), "{masked}");
        assert!(!masked.contains(&STANDARD.encode("hunter22")), "{masked}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_is_short_and_visible(body in proptest::collection::vec(proptest::num::u8::ANY, 0..2_000)) {
            let shown = said(&body);
            proptest::prop_assert!(shown.chars().count() <= SHOWN && !shown.chars().any(is_hidden), "{shown:?}");
        }
    }
}
