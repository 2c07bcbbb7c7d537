//! `config.json`: `auths`, and the helpers that are named there instead.

use super::super::image_ref::Malformed;
use super::{Entry, IDENTITY_TOKEN, login};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Standard alphabet; people cut the padding off.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let file: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        // The error's own words may hold a piece of the text.
        Malformed(format!("This isn't a whole config.json: line {}, column {}.", error.line(), error.column()))
    })?;
    let helper = file.get("credsStore").and_then(Value::as_str).filter(|name| !name.is_empty());
    let mut entries = Vec::new();
    // Before 2015 the file was what `auths` is now.
    let is_old = !file.is_empty() && file.values().all(|value| value.get("auth").is_some());
    let auths = if is_old { Some(&file) } else { file.get("auths").and_then(Value::as_object) };
    for (server, value) in auths.into_iter().flatten() {
        entries.push(entry(server, value, helper));
    }
    for (server, name) in file.get("credHelpers").and_then(Value::as_object).into_iter().flatten() {
        entries.push(kept_elsewhere(server, name.as_str().unwrap_or_default()));
    }
    if entries.is_empty() {
        return Err(Malformed(match helper {
            Some(name) => format!(
                "The passwords aren't in this file: the credential helper {} has them. Slipway never runs helpers; use the form.",
                super::shown(name)
            ),
            None => "There are no logins in this file (\"auths\" is missing or empty).".into(),
        }));
    }
    Ok(entries)
}

fn entry(server: &str, value: &Value, helper: Option<&str>) -> Entry {
    let Ok(auth) = Auth::deserialize(value) else {
        return Entry::skipped(server, "Its entry isn't as Docker writes it.");
    };
    let mut pair = match auth.auth.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let decoded = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            match decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':')) {
                Some((username, password)) => Some((username.to_owned(), password.to_owned())),
                None => return Entry::skipped(server, "Its “auth” isn't user name and password in base64."),
            }
        }
    };
    if let Some(token) = auth.identitytoken.filter(|token| !token.is_empty()) {
        return login(server, IDENTITY_TOKEN, token);
    }
    if let (Some(username), Some(password)) = (auth.username, auth.password)
        && !password.is_empty()
    {
        pair = Some((username, password));
    }
    match (pair, helper) {
        (Some((username, password)), _) => login(server, &username, password),
        (None, Some(helper)) => kept_elsewhere(server, helper),
        (None, None) if auth.registrytoken.is_some() => {
            Entry::skipped(server, "A registry token lasts for minutes and can't be renewed.")
        }
        (None, None) => Entry::skipped(server, "It has neither password nor token."),
    }
}

fn kept_elsewhere(server: &str, helper: &str) -> Entry {
    let helper = super::shown(helper);
    let why = format!(
        "Its password isn't in the file: the credential helper {helper} has it. Slipway never runs helpers; use the form."
    );
    Entry::skipped(server, why)
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, LOGINS_MAX, TEXT_MAX, parse};

    fn lines(text: &str) -> Vec<String> {
        let entries = parse(text).unwrap_or_else(|error| panic!("{error}"));
        let line = |entry: &Entry| match entry {
            Entry::Login(found) => {
                format!("{} {} {}", found.url, found.username, found.password.expose("the test compares it"))
            }
            Entry::Skipped { what, why } => format!("{what} skipped: {why}"),
        };
        entries.iter().map(line).collect()
    }

    #[test]
    fn all_ways_of_writing_a_login_are_read() {
        let text = r#"{
            "auths": {
                "https://index.docker.io/v1/": {"auth": "YWRhOnMzY3JldDp3aXRoOmNvbG9ucw=="},
                "ghcr.io": {"username": "ada", "password": "ghp_x", "auth": ""},
                "127.0.0.1:5000": {"auth": "Ym9iOnB3", "email": "bob@example.com"},
                "shop.azurecr.io": {"auth": "MDAwMDAwMDA6", "identitytoken": "refresh"},
                "https://r.example.com/v2/": {"auth": "cm9ib3QkY2k6c2VjcmV0"}
            },
            "HttpHeaders": {"User-Agent": "x"}
        }"#;
        assert_eq!(
            lines(text),
            [
                "http://127.0.0.1:5000 bob pw",
                "https://ghcr.io ada ghp_x",
                "https://docker.io ada s3cret:with:colons",
                "https://r.example.com robot$ci secret",
                "https://shop.azurecr.io <token> refresh",
            ]
        );
        assert_eq!(lines(r#"{"r.example.com": {"auth": "Ym9iOnB3", "email": ""}}"#), ["https://r.example.com bob pw"]);
    }

    #[test]
    fn what_isnt_there_is_named() {
        let text = r#"{
            "auths": {"a.example": {}, "b.example": {"auth": "?"}, "c.example": 7, "d.example": {"auth": "eDp5"},
                      "https://x:y@e.example": {"auth": "eDp5"}, "f.example": {"auth": "eA=="}},
            "credsStore": "desktop",
            "credHelpers": {"g.example": "ecr-login; rm -rf /"}
        }"#;
        let lines = lines(text);
        assert!(lines[0].starts_with("a.example skipped") && lines[0].contains("helper desktop"), "{lines:?}");
        assert!(lines[1].contains("base64") && lines[2].contains("as Docker writes it"), "{lines:?}");
        assert_eq!(lines[3], "https://d.example x y");
        assert!(lines[4].contains("base64"), "{lines:?}");
        assert!(lines[5].contains("user name and password out of the address"), "{lines:?}");
        assert!(lines[6].contains("never runs helpers"), "{lines:?}");
    }

    #[test]
    fn hostile_files_are_refused_without_repeating_them() {
        let many: Vec<String> = (0..=LOGINS_MAX).map(|n| format!(r#""r{n}.example": {{"auth": "eDp5"}}"#)).collect();
        for text in [
            r#"{"auths": {"a": {"auth": "hunter2"#.to_owned(),
            r#"{"auths": {}}"#.to_owned(),
            r#"{"credsStore": "hunter2"}"#.replace("hunter2", "pass"),
            format!(r#"{{"auths": {{{}}}}}"#, many.join(",")),
            format!("{{{}", " ".repeat(TEXT_MAX)) + "x",
            "{".repeat(10_000),
            String::new(),
        ] {
            let error = parse(&text).expect_err("refused");
            assert!(!error.0.contains("hunter2"), "{error}");
        }
    }
}
