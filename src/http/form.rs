//! Reads the body of a form: whole, small, in time, of one kind only.

use super::multipart;
use super::transport::local_path;
use app::request::FormPost;
use axum::body::{Body, Bytes};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;

/// Largest body.
pub const BODY_MAX: usize = 1 << 20;
/// Most fields.
const FIELDS_MAX: usize = 4_096;
/// Longest time for a body to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// Why a body isn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The status to answer with.
    pub status: StatusCode,
    /// What is wrong.
    pub text: &'static str,
}

const TOO_LARGE: Unreadable =
    Unreadable { status: StatusCode::PAYLOAD_TOO_LARGE, text: "The form is too large: 1 MiB is the limit." };

/// Server functions whose forms may have a file in them.
pub const UPLOADS: &[&str] = &["/api/credentials/read"];

/// Reads a form's body. One with a file in it, where `takes_files`, comes out as if it had none: see `multipart.rs`.
pub async fn read(headers: &HeaderMap, body: Body, takes_files: bool) -> Result<Bytes, Unreadable> {
    let whole_kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = whole_kind.split(';').next().unwrap_or_default().trim();
    if headers.contains_key(CONTENT_ENCODING) {
        let text = "Compressed forms aren't taken.";
        return Err(Unreadable { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, text });
    }
    let length: Option<u64> =
        headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    // A form without fields may come without a body and so without a kind.
    let is_empty = kind.is_empty() && length == Some(0);
    let is_upload = takes_files && kind.eq_ignore_ascii_case("multipart/form-data");
    if !is_form && !is_empty && !is_upload {
        let text = "Send the form as application/x-www-form-urlencoded.";
        return Err(Unreadable { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, text });
    }
    if length.is_some_and(|length| length > BODY_MAX as u64) {
        return Err(TOO_LARGE);
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) if is_upload => multipart::urlencoded(whole_kind, &body.to_bytes()),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
        Ok(Err(_)) => Err(Unreadable { status: StatusCode::BAD_REQUEST, text: "The form didn't arrive whole." }),
        Err(_) => Err(Unreadable { status: StatusCode::REQUEST_TIMEOUT, text: "The form took too long to arrive." }),
    }
}

/// Takes the fields that every form has out of it.
pub fn parse(parts: &Parts, body: &Bytes, wants_html: bool) -> Result<FormPost, Unreadable> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(body).take(FIELDS_MAX + 1).map(|(key, value)| (key.into(), value.into())).collect();
    if pairs.len() > FIELDS_MAX {
        return Err(Unreadable { status: StatusCode::PAYLOAD_TOO_LARGE, text: "The form has too many fields." });
    }
    let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    Ok(FormPost {
        action: parts.uri.path().to_owned(),
        page: field("page").and_then(local_path),
        next: field("next").and_then(local_path),
        request_id: field("request_id").filter(|id| (8..=128).contains(&id.len())).map(str::to_owned),
        wants_html,
        pairs,
    })
}
