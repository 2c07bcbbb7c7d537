//! Takes out of a log line what would let somebody sign in. Registries don't print such things; what stands between them and
//! their storage might.

const MASKED: &str = "***";

/// Names whose value is a secret, or part of one.
const NAMES: [&str; 11] = [
    "x-amz-signature=",
    "x-amz-credential=",
    "x-amz-security-token=",
    "awsaccesskeyid=",
    "signature=",
    "credential=",
    "password=",
    "secretkey=",
    "secret_key=",
    "token=",
    "secret=",
];

/// The text without logins, tokens and signatures.
pub(super) fn mask(text: &str) -> String {
    tokens(&user_infos(&values(text)))
}

/// Everything behind `Authorization:`, in any spelling, and the values of [`NAMES`].
fn values(text: &str) -> String {
    let mut text = text.to_owned();
    let lower = text.to_ascii_lowercase();
    for (at, word) in lower.match_indices("authorization") {
        let behind = &lower[at + word.len()..];
        let value = behind.trim_start_matches(['"', '\'', '\\', ' ', '[']);
        if value.starts_with([':', '=']) {
            text.truncate(at + word.len());
            text.push_str(": ");
            text.push_str(MASKED);
            break;
        }
    }
    for name in NAMES {
        let mut from = 0;
        while let Some(at) = text[from..].to_ascii_lowercase().find(name) {
            let begin = from + at + name.len();
            let length = text[begin..].find(['&', ' ', ',', ';', '"', '\'']).unwrap_or(text.len() - begin);
            text.replace_range(begin..begin + length, MASKED);
            from = begin + MASKED.len();
        }
    }
    text
}

/// `scheme://user:password@host` without user and password.
fn user_infos(text: &str) -> String {
    let mut parts = text.split("://");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("://");
        let authority = part.find(['/', ' ', '"', '?', '\'']).unwrap_or(part.len());
        match part[..authority].rfind('@') {
            Some(at) => {
                masked.push_str(MASKED);
                masked.push_str(&part[at..]);
            }
            None => masked.push_str(part),
        }
    }
    masked
}

/// What follows `Basic` or `Bearer`, when it looks like a token and not like a word.
fn tokens(text: &str) -> String {
    let mut masked = Vec::new();
    let mut follows = false;
    for word in text.split(' ') {
        let bare = word.trim_matches(['"', '\'', ',', ';', ')', ']']);
        let is_token = bare.len() >= 8
            && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~".contains(&b))
            && bare.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        masked.push(if follows && is_token { MASKED } else { word });
        let name = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        follows = name.eq_ignore_ascii_case("basic") || name.eq_ignore_ascii_case("bearer");
    }
    masked.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_doors_is_masked_and_words_stay() {
        for (text, expected) in [
            ("GET /v2/ Authorization: Basic dXNlcjpwYXNz next", "GET /v2/ Authorization: ***"),
            (r#"headers map[Authorization:[Bearer abc.DEF1]] x"#, "headers map[Authorization: ***"),
            (r#"{"authorization":"Basic dXNlcjpwYXNz"}"#, r#"{"authorization: ***"#),
            ("sent Bearer eyJhbGciOi.x.y to it", "sent Bearer *** to it"),
            ("basic authentication challenge for realm", "basic authentication challenge for realm"),
            ("error authorizing context: authorization failed", "error authorizing context: authorization failed"),
            (
                "https://b.s3.example/k?X-Amz-Credential=AKIA%2Fx&X-Amz-Signature=ab12&y=1 gone",
                "https://b.s3.example/k?X-Amz-Credential=***&X-Amz-Signature=***&y=1 gone",
            ),
            ("AWS4-HMAC-SHA256 Credential=AK/x, Signature=ff", "AWS4-HMAC-SHA256 Credential=***, Signature=***"),
            ("dial redis://user:pa@ss@host:1/0", "dial redis://***@host:1/0"),
            ("Get \"http://10.0.0.1/a@b\": refused", "Get \"http://10.0.0.1/a@b\": refused"),
            ("password=hunter2", "password=***"),
            ("Überall ist token= leer", "Überall ist token=*** leer"),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,200}") {
            mask(&text);
            let masked = mask(&format!("{text} Authorization: Basic c2VjcmV0OnNlY3JldA=="));
            proptest::prop_assert!(!masked.contains("c2VjcmV0"), "{masked}");
        }
    }
}
