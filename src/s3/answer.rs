//! What a store answers. All of it is untrusted: short pieces are taken out of the XML, and shown without tricks and keys.

use super::fault::{self, Step};
use super::store::Store;
use app::error::FieldError;
use app::model::text::is_hidden;
use http::{HeaderMap, Response, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Characters of a store's own words that are shown.
const SHOWN: usize = 200;

/// An answer, and what its XML says if it is an error's.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Vec<u8>,
    /// S3's name of the error, such as `NoSuchBucket`.
    pub code: String,
    message: String,
}

impl Answer {
    pub fn read(response: Response<Vec<u8>>) -> Self {
        let (parts, body) = response.into_parts();
        let mut answer =
            Self { status: parts.status, headers: parts.headers, body, code: String::new(), message: String::new() };
        if !answer.status.is_success() {
            answer.code = answer.element("Code").unwrap_or_default();
            answer.message = answer.element("Message").unwrap_or_default();
        }
        answer
    }

    /// The store did what it was asked for.
    pub fn expect(&self, store: &Store<'_>, step: Step) -> Result<(), FieldError> {
        if self.status.is_success() { Ok(()) } else { Err(fault::explain(store, step, self)) }
    }

    /// The text of the first element of this name.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inside, _) = rest.split_once(&format!("</{name}>"))?;
        let plain = inside.replace("&quot;", "\"").replace("&apos;", "'").replace("&#39;", "'").replace("&lt;", "<");
        Some(shortened(&plain.replace("&gt;", ">").replace("&amp;", "&")).trim().to_owned())
    }

    pub fn is_list(&self) -> bool {
        String::from_utf8_lossy(&self.body).contains("<ListBucketResult")
    }

    /// The upload's name; never shown, so not shortened.
    pub fn upload_id(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        let parsed = rusty_s3::actions::CreateMultipartUpload::parse_response(text).ok()?;
        Some(parsed.upload_id().to_owned()).filter(|id| !id.is_empty() && id.len() <= 2_048)
    }

    /// Where the bucket really is, as far as the store says so.
    pub fn region(&self) -> Option<String> {
        let header = self.headers.get("x-amz-bucket-region").and_then(|value| value.to_str().ok());
        let region = header.map(str::to_owned).or_else(|| self.element("Region"));
        // "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
        let region = region.or_else(|| Some(self.message.split_once("expecting '")?.1.split('\'').next()?.to_owned()));
        region.filter(|region| app::model::registry::is_region(region))
    }

    /// By how many seconds the store's clock is ahead of ours.
    pub fn clock_is_ahead_by(&self) -> Option<i64> {
        let date = self.headers.get(http::header::DATE)?.to_str().ok()?;
        let there = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()?;
        Some(there.unix_timestamp() - crate::clock::Clock::system().seconds())
    }

    pub fn says(&self, word: &str) -> bool {
        self.message.to_ascii_lowercase().contains(word)
    }

    /// Status, code and the store's own words, without keys.
    pub fn words(&self, store: &Store<'_>) -> String {
        let parts =
            [self.status.as_u16().to_string(), self.code.clone(), self.message.trim_end_matches('.').to_owned()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let mut words = shortened(&parts.join(": "));
        for key in [&store.keys.access, &store.keys.secret] {
            let key = key.expose("an echo of it is masked");
            if key.len() >= 4 {
                words = words.replace(key, "***");
            }
        }
        words
    }
}

fn shortened(text: &str) -> String {
    text.trim().chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut response = Response::new(body.as_bytes().to_vec());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        Answer::read(response)
    }

    #[test]
    fn an_error_is_read_and_made_harmless() {
        let read =
            answer(403, &[], "<?xml?>\n<Error><Code>AccessDenied</Code><Message>a &amp; b\u{202e}\n</Message></Error>");
        assert_eq!((read.code.as_str(), read.message.as_str()), ("AccessDenied", "a & b"));
        let long = answer(500, &[], &format!("<Error><Message>{}</Message>", "x".repeat(9_000)));
        assert_eq!((long.code.as_str(), long.message.len()), ("", SHOWN));
        for body in ["", "<Code>", "</Code><Code>", "{}", "\u{0}"] {
            assert_eq!(answer(400, &[], body).code, "", "{body}");
        }
    }

    #[test]
    fn the_right_region_is_found_where_stores_put_it() {
        for (headers, body, expected) in [
            (vec![("x-amz-bucket-region", "eu-west-1")], "", Some("eu-west-1")),
            (vec![], "<Error><Region>eu-central-1</Region></Error>", Some("eu-central-1")),
            (
                vec![],
                "<Error><Message>the region 'us-east-1' is wrong; expecting 'garage'</Message></Error>",
                Some("garage"),
            ),
            (vec![], "<Error><Region>a b &lt;script></Region></Error>", None),
            (vec![], "", None),
        ] {
            assert_eq!(answer(400, &headers, body).region().as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn clocks_are_compared() {
        let ahead = |date: &str| answer(403, &[("date", date)], "").clock_is_ahead_by();
        assert!(ahead("Sat, 24 Nov 2001 13:07:10 GMT").is_some_and(|seconds| seconds < -600_000_000));
        assert_eq!(ahead("yesterday"), None);
    }
}
