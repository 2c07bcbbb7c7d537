//! Forms with a file in them (`multipart/form-data`, RFC 7578), made into the kind that all forms are: the file's content
//! becomes a field's value. Only text is taken; a file's name and kind mean nothing.

use super::form::Unreadable;
use axum::body::Bytes;
use http::StatusCode;

/// Most parts.
const PARTS_MAX: usize = 64;

/// The same form as `application/x-www-form-urlencoded`. `kind` is the content type, with its boundary.
pub(super) fn urlencoded(kind: &str, body: &[u8]) -> Result<Bytes, Unreadable> {
    let boundary = boundary(kind).ok_or(malformed("The form doesn't say where its parts end."))?;
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    // The first delimiter may stand at the very beginning.
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => split(body, &delimiter).ok_or(BROKEN)?.1,
    };
    for _ in 0..PARTS_MAX {
        if rest.starts_with(b"--") {
            return Ok(form.finish().into());
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(BROKEN)?;
        let (part, behind) = split(part, &delimiter).ok_or(BROKEN)?;
        let (head, value) = match part.strip_prefix(b"\r\n") {
            Some(value) => (&b""[..], value),
            None => split(part, b"\r\n\r\n").ok_or(BROKEN)?,
        };
        let head = std::str::from_utf8(head).map_err(|_| BROKEN)?;
        let name = name(head).ok_or(BROKEN)?;
        let value = std::str::from_utf8(value).map_err(|_| malformed("The file isn't text."))?;
        form.append_pair(&name, value);
        rest = behind;
    }
    Err(malformed("The form has too many parts."))
}

const BROKEN: Unreadable = malformed("The form's parts can't be told apart.");

const fn malformed(text: &'static str) -> Unreadable {
    Unreadable { status: StatusCode::BAD_REQUEST, text }
}

/// What is before and behind the first `by`.
fn split<'b>(bytes: &'b [u8], by: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(by.len()).position(|window| window == by)?;
    Some((&bytes[..at], &bytes[at + by.len()..]))
}

fn boundary(kind: &str) -> Option<&str> {
    let value = kind.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    ((1..=70).contains(&value.len()) && value.is_ascii()).then_some(value)
}

/// The field's name in the part's head: `Content-Disposition: form-data; name="x"; filename="y"`.
fn name(head: &str) -> Option<String> {
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value.trim())
    })?;
    let rest = line.strip_prefix("form-data")?;
    let start = rest.find(" name=\"")? + 7;
    let value = &rest[start..];
    let end = value.find('"')?;
    let name = &value[..end];
    // Browsers write quotes and line breaks in names as %22, %0D and %0A; no field of ours has such a name.
    (!name.is_empty() && name.len() <= 100).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=----b0";

    fn part(head: &str, value: &str) -> String {
        format!("------b0\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    }

    fn read(body: &str) -> Result<String, &'static str> {
        urlencoded(KIND, body.as_bytes())
            .map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"))
            .map_err(|error| error.text)
    }

    #[test]
    fn fields_and_files_become_pairs() {
        let body = part("name=\"page\"", "/credentials/import")
            + &part("name=\"form[secret_text]\"", "")
            + "------b0\r\nContent-Disposition: form-data; name=\"form[secret_file]\"; filename=\"name=\"\r\n\
               Content-Type: application/json\r\n\r\n{\r\n \"a\": \"ü&\"\r\n}\n\r\n------b0--\r\n";
        assert_eq!(
            read(&body).as_deref(),
            Ok(
                "page=%2Fcredentials%2Fimport&form%5Bsecret_text%5D=&form%5Bsecret_file%5D=%7B%0D%0A+%22a%22%3A+%22%C3%BC%26%22%0D%0A%7D%0A"
            )
        );
        assert_eq!(read("------b0--\r\n").as_deref(), Ok(""));
    }

    #[test]
    fn broken_forms_are_refused() {
        let many = part("name=\"x\"", "y").repeat(PARTS_MAX + 1) + "------b0--";
        for body in [
            "",
            "hello",
            "------b0",
            "------b0\r\n",
            "------b0\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nnever ends",
            "------b0\r\nContent-Disposition: form-data\r\n\r\nx\r\n------b0--",
            "------b0\r\nno head\r\n------b0--",
            "------b0\r\n\r\nno head\r\n------b0--",
            many.as_str(),
        ] {
            assert!(read(body).is_err(), "{body:?}");
        }
        assert!(
            urlencoded(KIND, b"------b0\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\xff\r\n------b0--")
                .is_err()
        );
        for kind in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\u{fc}"] {
            assert!(urlencoded(kind, b"----").is_err(), "{kind}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200), tail in "(------b0(\r\n)?|name=\"|\r\n)*") {
            let mut bytes = tail.into_bytes();
            bytes.extend(body);
            let _ = urlencoded(KIND, &bytes);
        }
    }
}
