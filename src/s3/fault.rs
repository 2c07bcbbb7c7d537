//! Which field a store's refusal belongs to, in plain words. Codes: S3 API reference, "Error responses"; other stores use the
//! same for the most part.

use super::answer::Answer;
use super::store::{Store, host};
use app::error::FieldError;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    List,
    Put,
    Get,
    BeginParts,
    AbortParts,
    Delete,
}

impl Step {
    /// The right that it takes, as policies name it.
    fn action(self) -> &'static str {
        match self {
            Self::List => "s3:ListBucket",
            Self::Put | Self::BeginParts => "s3:PutObject",
            Self::Get => "s3:GetObject",
            Self::AbortParts => "s3:AbortMultipartUpload",
            Self::Delete => "s3:DeleteObject",
        }
    }
}

/// Clocks may differ by a quarter of an hour; nearer than this it isn't the reason.
const SKEW: i64 = 840;

/// The field that a refusal belongs to, and what to do.
pub(super) fn explain(store: &Store<'_>, step: Step, answer: &Answer) -> FieldError {
    let words = answer.words(store);
    let at = |field: &str, text: String| FieldError::new(field, text);
    if let Some(error) = clock(answer) {
        return error;
    }
    let status = answer.status.as_u16();
    match answer.code.as_str() {
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "InvalidToken" | "ExpiredToken" | "NotSignedUp" => {
            return at("s3_access_key", format!("The store doesn't know this key ({words})."));
        }
        "SignatureDoesNotMatch" | "AuthFailure" => {
            return at("s3_secret_key", format!("The secret key doesn't belong to the access key ({words})."));
        }
        "NoSuchBucket" | "InvalidBucketName" => return no_bucket(store),
        "NoSuchUpload" | "NoSuchKey" => {
            let text =
                format!("The store forgets what was written a moment before ({words}). Check that it is healthy.");
            return at("s3_endpoint", text);
        }
        "SlowDown" | "ServiceUnavailable" | "InternalError" | "OperationAborted" => {
            return at("s3_endpoint", format!("{} is in trouble or busy ({words}). Try again.", host(store.place)));
        }
        "QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage" | "TooManyBuckets" => {
            return at("s3_bucket", format!("There is no room left ({words}). Make room, or raise the limit."));
        }
        _ => {}
    }
    if let Some(error) = region(store, answer) {
        return error;
    }
    match status {
        // Garage says it like this.
        403 if answer.says("no such key") => at("s3_access_key", format!("The store doesn't know this key ({words}).")),
        403 if answer.says("signature") => {
            at("s3_secret_key", format!("The secret key doesn't belong to the access key ({words})."))
        }
        401 | 403 if !answer.code.is_empty() => denied(store, step, &words),
        404 if step == Step::List && !answer.code.is_empty() => no_bucket(store),
        507 => at("s3_bucket", format!("There is no room left ({words}). Make room, or raise the limit.")),
        _ if answer.code.is_empty() => not_s3(store, answer),
        501 | 405 => {
            let text = format!("The store doesn't offer what a registry needs, {} ({words}).", step.action());
            at("s3_endpoint", text)
        }
        _ => at("s3_endpoint", format!("{} refused the test of {} ({words}).", host(store.place), step.action())),
    }
}

/// What answers there isn't S3.
pub(super) fn not_s3(store: &Store<'_>, answer: &Answer) -> FieldError {
    let text = format!(
        "What answers at {} isn't an S3-compatible store (it said {}). Give the address of its S3 interface, not of its console.",
        host(store.place),
        answer.status.as_u16()
    );
    FieldError::new("s3_endpoint", text)
}

fn no_bucket(store: &Store<'_>) -> FieldError {
    let text = format!("There is no bucket {} there. Create it first, or check its name.", store.place.bucket);
    FieldError::new("s3_bucket", text)
}

/// Signed addresses of a clock that is late are called expired.
fn clock(answer: &Answer) -> Option<FieldError> {
    let ahead = answer.clock_is_ahead_by();
    let is_off = ahead.is_some_and(|seconds| seconds.abs() > SKEW);
    let is_said = answer.code == "RequestTimeTooSkewed" || answer.says("request has expired");
    if !(is_said || is_off && answer.status.as_u16() == 403) {
        return None;
    }
    let by = ahead.filter(|_| is_off).map(|seconds| {
        let way = if seconds > 0 { "ahead of" } else { "behind" };
        format!(" The store's is {} min {way} this server's.", seconds.abs() / 60)
    });
    let text =
        format!("The clocks of this server and the store differ too much.{} Set them right.", by.unwrap_or_default());
    Some(FieldError::new("s3_endpoint", text))
}

fn region(store: &Store<'_>, answer: &Answer) -> Option<FieldError> {
    let right = answer.region().filter(|region| *region != store.place.region);
    let codes = [
        "PermanentRedirect",
        "TemporaryRedirect",
        "AuthorizationHeaderMalformed",
        "AuthorizationQueryParametersError",
        "IncorrectEndpoint",
        "IllegalLocationConstraintException",
        "InvalidRegion",
    ];
    let is_redirect = matches!(answer.status.as_u16(), 301 | 307);
    let is_hinted = answer.status.as_u16() == 400 && right.is_some();
    if !(codes.contains(&answer.code.as_str()) || is_redirect || is_hinted) {
        return None;
    }
    Some(match (right, answer.element("Endpoint")) {
        (Some(right), _) => FieldError::new("s3_region", format!("The bucket is in {right}. Write that.")),
        (None, Some(other)) => {
            FieldError::new("s3_endpoint", format!("The store wants to be asked at {other} for this bucket."))
        }
        // A redirect of something else than a store.
        (None, None) if answer.code.is_empty() => not_s3(store, answer),
        (None, None) => {
            let text = format!("The bucket is in another region ({}).", answer.words(store));
            FieldError::new("s3_region", text)
        }
    })
}

fn denied(store: &Store<'_>, step: Step, words: &str) -> FieldError {
    let action = step.action();
    let bucket = &store.place.bucket;
    if step == Step::List {
        let text = format!(
            "These keys may not list the bucket {bucket} ({words}). Allow them {action}, or check the bucket's name."
        );
        return FieldError::new("s3_bucket", text);
    }
    let (field, place) = match store.place.prefix.as_str() {
        "" => ("s3_bucket", format!("the bucket {bucket}")),
        prefix => ("s3_prefix", format!("{prefix}/ in the bucket {bucket}")),
    };
    FieldError::new(field, format!("These keys are refused {action} in {place} ({words}). Allow it in their policy."))
}
