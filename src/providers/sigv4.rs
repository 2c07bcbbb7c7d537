//! AWS Signature Version 4 for a POST of JSON to `/`, all that ECR's interface needs. Pure.
//!
//! After "Create a signed AWS API request" of the IAM user guide. AWS's own signer brings a dozen crates for what is forty
//! lines here; its published examples are the tests below. The secret key never leaves this machine: a signature does.

use app::model::secret::Secret;
use app::model::text::hex;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

/// Who signs.
#[derive(Clone)]
pub(super) struct Keys {
    /// The access key's id.
    pub id: String,
    /// The secret key.
    pub secret: Secret,
    /// The token of a temporary session.
    pub session: Option<Secret>,
}

/// For what a signature is good.
pub(super) struct Scope<'a> {
    pub region: &'a str,
    pub service: &'a str,
    pub at: OffsetDateTime,
}

impl Scope<'_> {
    /// `20150830T123600Z`, the value of `x-amz-date`.
    pub(super) fn time(&self) -> String {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        self.at.format(format).unwrap_or_default()
    }
}

/// The value of `Authorization`. `headers`: all that are signed, names in lower case and in order.
pub(super) fn authorization(
    keys: &Keys,
    scope: &Scope<'_>,
    method: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let time = scope.time();
    let day = time.get(..8).unwrap_or_default();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let request = format!("{method}\n/\n{query}\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{place}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let mut key = format!("AWS4{}", keys.secret.expose("it signs a request to AWS")).into_bytes();
    for part in [day, scope.region, scope.service, "aws4_request"] {
        key = mac(&key, part.as_bytes());
    }
    let signature = hex(&mac(&key, text.as_bytes()));
    format!("AWS4-HMAC-SHA256 Credential={}/{place}, SignedHeaders={names}, Signature={signature}", keys.id)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn keys() -> Keys {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into());
        Keys { id: "AKIDEXAMPLE".into(), secret, session: None }
    }

    fn signature(value: &str) -> &str {
        value.rsplit_once("Signature=").map_or("", |(_, signature)| signature)
    }

    /// `get-vanilla` and `post-vanilla` of AWS's test suite, and the example of its guide.
    #[test]
    fn signatures_are_those_of_awss_examples() {
        let scope = |service| Scope { region: "us-east-1", service, at: datetime!(2015-08-30 12:36 UTC) };
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        let get = authorization(&keys(), &scope("service"), "GET", "", &headers, b"");
        assert_eq!(signature(&get), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        let post = authorization(&keys(), &scope("service"), "POST", "", &headers, b"");
        assert_eq!(signature(&post), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        let list = authorization(&keys(), &scope("iam"), "GET", "Action=ListUsers&Version=2010-05-08", &headers, b"");
        assert_eq!(
            list,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
