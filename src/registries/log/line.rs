//! One line that a registry printed, in plain words.
//!
//! A registry (distribution 2.8 and 3.x) prints three lines for each request: that it was authorised, how it was answered
//! (both as JSON, or as `key=value` before it has read its configuration), and an access line as web servers have it. One of
//! the three is shown: the access line where all went well, the answer with its reason where not.

use super::mask::mask;
use app::model::ansi;
use app::model::registry::Severity;
use std::collections::BTreeMap;

/// Characters of a line that are shown.
const SHOWN: usize = 600;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub severity: Severity,
    pub text: String,
    /// One of Slipway's own looks, or Docker's.
    pub is_own: bool,
}

/// Reads a line. Whatever it is, it becomes a text that is fit to be shown.
pub(super) fn read(text: &str) -> Said {
    let text = text.trim();
    let said = json(text).or_else(|| pairs(text)).map(|fields| structured(&fields));
    let said = said.or_else(|| access(text)).unwrap_or_else(|| plain(text));
    Said { text: clean(&said.text), ..said }
}

/// One line without what terminals obey and eyes don't see, without logins, and not too long.
pub(super) fn clean(text: &str) -> String {
    let visible: String = ansi::pieces(text).into_iter().map(|(_, piece)| piece).collect();
    let masked = mask(&visible.replace('\t', " "));
    let mut shown: String = masked.chars().take(SHOWN).collect();
    if masked.chars().nth(SHOWN).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

type Fields = BTreeMap<String, String>;

fn json(text: &str) -> Option<Fields> {
    if !text.starts_with('{') {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let fields: Fields = object
        .into_iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect();
    fields.contains_key("msg").then_some(fields)
}

/// `time="…" level=info msg="authorized request" http.request.method=GET`
fn pairs(text: &str) -> Option<Fields> {
    if !text.starts_with("time=") {
        return None;
    }
    let mut fields = Fields::new();
    let mut rest = text;
    while let Some((name, behind)) = rest.split_once('=') {
        let (value, after) = match behind.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, after) = behind.split_once(' ').unwrap_or((behind, ""));
                (value.to_owned(), after)
            }
        };
        fields.insert(name.trim().to_owned(), value);
        rest = after;
    }
    fields.contains_key("msg").then_some(fields)
}

/// Up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' | 't' | 'r' => value.push(' '),
                escaped => value.push(escaped),
            },
            c => value.push(c),
        }
    }
    None
}

/// Whose look it was.
fn is_own(agent: &str, path: &str) -> bool {
    agent.starts_with("slipway-probe")
        || agent.starts_with("slipway/")
        // Docker's health check.
        || agent.starts_with("Wget") && matches!(path, "/" | "/debug/health")
}

fn structured(fields: &Fields) -> Said {
    let get = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let level = match get("level").unwrap_or_default() {
        "trace" | "debug" => Severity::Debug,
        "warn" | "warning" => Severity::Warning,
        "error" | "fatal" | "panic" => Severity::Error,
        _ => Severity::Info,
    };
    let message = get("msg").unwrap_or_default();
    let (Some(method), Some(uri)) = (get("http.request.method"), get("http.request.uri")) else {
        return Said { severity: level, text: with_reason(message, fields), is_own: false };
    };
    let path = uri.split('?').next().unwrap_or_default();
    let agent = get("http.request.useragent").unwrap_or_default();
    let address = get("http.request.remoteaddr").unwrap_or_default();
    let user = get("auth.user.name");
    let status: Option<u16> = get("http.response.status").and_then(|status| status.parse().ok());
    let what = what(method, path);
    let (severity, text) = if message == "authorized request" {
        (Severity::Debug, format!("{what}: allowed"))
    } else if message == "response completed" {
        // The access line says the same.
        (Severity::Debug, format!("{what}: {}", status.unwrap_or_default()))
    } else if let Some(status) = status {
        let severity = match status {
            // Nobody was signed in yet: how every conversation begins.
            401 => Severity::Debug,
            // Clients ask for what isn't there before they push it.
            404 => Severity::Info,
            ..500 => Severity::Warning,
            500.. => Severity::Error,
        };
        (severity, with_reason(&format!("{what}: {status}"), fields))
    } else if message.contains("invalid authorization credential") || message.starts_with("error authorizing context") {
        (Severity::Debug, format!("{what}: a sign-in is asked for"))
    } else if message.starts_with("error authenticating user") {
        (Severity::Warning, format!("{what}: the sign-in was refused ({message})"))
    } else {
        (level, format!("{what}: {}", with_reason(message, fields)))
    };
    Said { severity, text: text + &who(user, agent, address), is_own: is_own(agent, path) }
}

/// A message with the error that belongs to it, said once.
fn with_reason(message: &str, fields: &Fields) -> String {
    let mut text = message.to_owned();
    for name in ["err.message", "err.detail", "error", "err"] {
        if let Some(reason) = fields.get(name).filter(|reason| !reason.is_empty() && !text.contains(*reason)) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(reason);
        }
    }
    text
}

/// ` · docker/27.5 from 10.0.0.2`
fn who(user: Option<&str>, agent: &str, address: &str) -> String {
    let address = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let program: String = agent.split(' ').next().unwrap_or_default().chars().take(40).collect();
    let mut parts: Vec<String> = user.map(str::to_owned).into_iter().collect();
    parts.extend(Some(program).filter(|program| !program.is_empty()));
    parts.extend(Some(address).filter(|address| !address.is_empty()).map(|address| format!("from {address}")));
    if parts.is_empty() { String::new() } else { format!(" · {}", parts.join(" ")) }
}

/// What a request is about, for people.
fn what(method: &str, path: &str) -> String {
    let Some(rest) = path.strip_prefix("/v2/") else { return format!("{method} {path}") };
    if rest.is_empty() {
        return "Sign-in".into();
    }
    if rest == "_catalog" {
        return "List of repositories".into();
    }
    if let Some(repository) = rest.strip_suffix("/tags/list") {
        return format!("List of tags of {repository}");
    }
    if let Some((repository, upload)) = rest.rsplit_once("/blobs/uploads/") {
        return match method {
            "POST" => format!("Upload to {repository} begins"),
            "PATCH" => format!("Upload to {repository} goes on"),
            "PUT" => format!("Upload to {repository} ends"),
            "DELETE" => format!("Upload to {repository} is cancelled"),
            _ => format!("{method} upload {upload} to {repository}"),
        };
    }
    if let Some((repository, reference)) = rest.rsplit_once("/manifests/") {
        let image = named(repository, reference);
        return match method {
            "PUT" => format!("Push of {image}"),
            "GET" => format!("Pull of {image}"),
            "HEAD" => format!("Look at {image}"),
            "DELETE" => format!("Delete of {image}"),
            _ => format!("{method} {image}"),
        };
    }
    if let Some((repository, digest)) = rest.rsplit_once("/blobs/") {
        let layer = named(repository, digest);
        return match method {
            "GET" => format!("Read of layer {layer}"),
            "HEAD" => format!("Look at layer {layer}"),
            "DELETE" => format!("Delete of layer {layer}"),
            _ => format!("{method} layer {layer}"),
        };
    }
    format!("{method} {path}")
}

/// `shop/web:1`, or with the beginning of a digest.
fn named(repository: &str, reference: &str) -> String {
    match reference.split_once(':') {
        Some((_, hex)) => format!("{repository}@{}", hex.chars().take(12).collect::<String>()),
        None => format!("{repository}:{reference}"),
    }
}

/// `10.0.0.2 - - [24/Nov/2026:12:54:50 +0000] "PUT /v2/a/b/manifests/1 HTTP/1.1" 201 0 "" "docker/27.5 …"`
fn access(text: &str) -> Option<Said> {
    let (client, rest) = text.split_once(" - ")?;
    let (_, rest) = rest.split_once("] \"")?;
    let (request, rest) = unquote(rest)?;
    let mut words = request.split(' ');
    let (method, uri) = (words.next()?, words.next()?);
    if !words.next()?.starts_with("HTTP/") || client.contains(' ') {
        return None;
    }
    let path = uri.split('?').next().unwrap_or_default();
    let status: u16 = rest.trim_start().split(' ').next()?.parse().ok()?;
    let agent = rest.split_once(" \"").and_then(|(_, referer)| unquote(referer));
    let agent = agent.and_then(|(_, rest)| unquote(rest.trim_start().strip_prefix('"')?));
    let agent = agent.map(|(agent, _)| agent).unwrap_or_default();
    let severity = match status {
        500.. => Severity::Error,
        // Another line has the reason.
        400.. if path.starts_with("/v2/") => Severity::Debug,
        _ => Severity::Info,
    };
    // The client has no port here.
    let text = format!("{}: {status}{}", what(method, path), who(None, &agent, &format!("{client}:")));
    Some(Said { severity, text, is_own: is_own(&agent, path) })
}

fn plain(text: &str) -> Said {
    let lower = text.to_ascii_lowercase();
    let is_bad = ["panic", "fatal", "error"].iter().any(|word| lower.contains(word));
    Said { severity: if is_bad { Severity::Error } else { Severity::Info }, text: text.to_owned(), is_own: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Debug, Error, Info, Warning};

    /// Lines of distribution 2.8.2, as its access log and its JSON formatter write them.
    #[test]
    fn lines_of_a_real_registry_are_read() {
        let request = |message: &str, method: &str, path: &str, agent: &str, more: &str| {
            format!(
                r#"{{"go.version":"go1.19.8","http.request.host":"127.0.0.1:15999","http.request.id":"a43f","http.request.method":"{method}","http.request.remoteaddr":"127.0.0.1:42436","http.request.uri":"{path}","http.request.useragent":"{agent}","level":"error","msg":"{message}","time":"2026-11-24T12:54:49.910529959Z"{more}}}"#
            )
        };
        let realm = r#"basic authentication challenge for realm \"slipway\""#;
        let hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let failed = |status: u16, message: &str, detail: &str| {
            format!(
                r#","auth.user.name":"slipway","err.code":"x","err.message":"{message}","err.detail":"{detail}","http.response.status":{status}"#
            )
        };
        let apache = |method: &str, path: &str, status: u16, agent: &str| {
            format!(r#"10.0.0.2 - - [24/Nov/2026:12:54:50 +0000] "{method} {path} HTTP/1.1" {status} 87 "" "{agent}""#)
        };
        let docker = r"docker/20.10.24 go/go1.19.8 UpstreamClient(Docker-Client/20.10.24 \\(linux\\))";
        for (line, severity, text, own) in [
            (
                r#"{"go.version":"go1.19.8","instance.id":"c1b9","level":"info","msg":"listening on [::]:5000","service":"registry","time":"2026-11-24T12:54:48.417258273Z","version":"2.8.2+ds1"}"#.to_owned(),
                Info,
                "listening on [::]:5000",
                false,
            ),
            (
                request(&format!("error authorizing context: {realm}: invalid authorization credential"), "GET", "/v2/", "curl/7", ""),
                Debug,
                "Sign-in: a sign-in is asked for · curl/7 from 127.0.0.1",
                false,
            ),
            (
                request(r#"error authenticating user \"slipway\": authentication failure"#, "GET", "/v2/", "curl/7", ""),
                Warning,
                "Sign-in: the sign-in was refused (error authenticating user \"slipway\": authentication failure) · curl/7 from 127.0.0.1",
                false,
            ),
            (
                request("authorized request", "GET", "/v2/_catalog?n=1000", "slipway/0.1.0", ""),
                Debug,
                "List of repositories: allowed · slipway/0.1.0 from 127.0.0.1",
                true,
            ),
            (
                request("response completed", "HEAD", &format!("/v2/slipway-probe/blobs/sha256:{hex}"), "slipway-probe", r#","http.response.status":200"#),
                Debug,
                "Look at layer slipway-probe@2cf24dba5fb0: 200 · slipway-probe from 127.0.0.1",
                true,
            ),
            (
                request("response completed with error", "GET", "/v2/a/b/manifests/latest", "curl/7", &failed(404, "manifest unknown", "unknown tag=latest")),
                Info,
                "Pull of a/b:latest: 404: manifest unknown: unknown tag=latest · slipway curl/7 from 127.0.0.1",
                false,
            ),
            (
                request("response completed with error", "PUT", "/v2/a/b/manifests/x", "curl/7", &failed(400, "manifest invalid", "unexpected end of JSON input")),
                Warning,
                "Push of a/b:x: 400: manifest invalid: unexpected end of JSON input · slipway curl/7 from 127.0.0.1",
                false,
            ),
            (
                request("response completed with error", "PATCH", "/v2/a/b/blobs/uploads/87f4?_state=Yw", "curl/7", &failed(500, "unknown error", "filesystem: write /x: no space left on device")),
                Error,
                "Upload to a/b goes on: 500: unknown error: filesystem: write /x: no space left on device · slipway curl/7 from 127.0.0.1",
                false,
            ),
            (apache("GET", "/v2/", 401, docker), Debug, "Sign-in: 401 · docker/20.10.24 from 10.0.0.2", false),
            (apache("PUT", "/v2/a/b/manifests/latest", 201, docker), Info, "Push of a/b:latest: 201 · docker/20.10.24 from 10.0.0.2", false),
            (apache("PUT", "/v2/a/b/blobs/uploads/87f4?_state=YwqO8D&digest=sha256:2c", 201, "x"), Info, "Upload to a/b ends: 201 · x from 10.0.0.2", false),
            (apache("GET", "/v2/a/tags/list", 503, "x"), Error, "List of tags of a: 503 · x from 10.0.0.2", false),
            (apache("GET", "/wp-login.php", 404, "bot"), Info, "GET /wp-login.php: 404 · bot from 10.0.0.2", false),
            (apache("GET", "/", 200, "Wget"), Info, "GET /: 200 · Wget from 10.0.0.2", true),
            (
                r#"time="2026-11-24T12:32:36.33Z" level=warning msg="No HTTP secret provided - generated \"random\" one" go.version=go1.19.8"#.to_owned(),
                Warning,
                "No HTTP secret provided - generated \"random\" one",
                false,
            ),
        ] {
            let said = read(&line);
            assert_eq!((said.severity, said.text.as_str(), said.is_own), (severity, text, own), "{line}");
        }
    }

    /// Version 3 names its fields the same (its `internal/dcontext`), adds some, and writes errors of storage by themselves.
    #[test]
    fn lines_of_version_3_are_read() {
        for (line, severity, text) in [
            (
                r#"{"environment":"production","go.version":"go1.23.7","http.request.host":"r","http.request.method":"GET","http.request.remoteaddr":"[fd00::2]:4242","http.request.uri":"/v2/a/manifests/1","http.request.useragent":"containerd/2.0.0","http.response.status":200,"instance.id":"i","level":"info","msg":"response completed","service":"registry","time":"2026-11-24T12:00:00Z","trace_id":"t","version":"3.0.0"}"#,
                Debug,
                "Pull of a:1: 200 · containerd/2.0.0 from [fd00::2]",
            ),
            (
                r#"{"error":"s3aws: AccessDenied: Access Denied\n\tstatus code: 403","level":"error","msg":"storage driver health check"}"#,
                Error,
                "storage driver health check: s3aws: AccessDenied: Access Denied␊ status code: 403",
            ),
            (r#"{"level":"warning","msg":"x"}"#, Warning, "x"),
        ] {
            let said = read(line);
            assert_eq!((said.severity, said.text.as_str()), (severity, text), "{line}");
        }
    }

    #[test]
    fn anything_else_is_text_without_tricks() {
        for (line, severity, text) in [
            ("panic: runtime error: index out of range", Error, "panic: runtime error: index out of range"),
            ("configuration error: error parsing config.yml", Error, "configuration error: error parsing config.yml"),
            ("\u{1b}[31mred\u{1b}[0m \u{202e}x", Info, "red ⟨U+202E⟩x"),
            (r#"{"level":"info"}"#, Info, r#"{"level":"info"}"#),
            (r#"{"msg":"cut"#, Info, r#"{"msg":"cut"#),
            ("a - b] \"", Info, "a - b] \""),
            ("", Info, ""),
        ] {
            let said = read(line);
            assert_eq!((said.severity, said.text.as_str(), said.is_own), (severity, text, false), "{line}");
        }
        assert_eq!(read(&"x".repeat(9_000)).text.chars().count(), SHOWN);
        let agent = read(r#"1.2.3.4 - - [t] "GET /v2/ HTTP/1.1" 200 2 "" "x\" \u001b[2Jslipway-probe""#);
        assert!(!agent.is_own, "{agent:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_line_breaks_it(text in ".{0,300}", quoted in "[\"\\\\ =a-z{}\\[\\]-]{0,60}") {
            for line in [&text, &format!("time=\"x\" {quoted}"), &format!("a - - [t] \"{quoted}"), &format!("{{{quoted}")] {
                let said = read(line);
                proptest::prop_assert!(said.text.chars().count() <= SHOWN);
                proptest::prop_assert!(!said.text.chars().any(app::model::text::is_hidden), "{:?}", said.text);
            }
        }
    }
}
