//! What went wrong, as a problem document (RFC 9457). The one conversion of failures for the whole API.

use app::error::{AppError, Blocker, FieldError};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// The type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request wasn't fulfilled (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem, stable: `/problems/invalid`, or `about:blank` when the status says it all.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and why.
    pub detail: String,
    /// The id of the request, as in the header `x-request-id` and in Slipway's log.
    #[schema(format = "uri-reference")]
    pub instance: String,
    /// The fields that break rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<ProblemBlocker>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The other side's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Seconds until the next try counts, as in the header `retry-after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// A rule that a field breaks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// The field, as sent: `storage.bucket`. Empty: the request as a whole.
    pub field: String,
    /// What is wrong, and what to send instead.
    pub message: String,
}

/// Something that stands in the way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemBlocker {
    /// Why it blocks.
    pub reason: String,
    /// The page where that can be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// A problem on its way out. The gate writes it, for it knows the request's id.
#[derive(Clone, Debug)]
pub struct Failure {
    problem: Box<Problem>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// A problem that its status names well enough.
    pub fn plain(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "about:blank", status.canonical_reason().unwrap_or("Failed"), detail)
    }

    /// Fields that break rules.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] if only.field.is_empty() => only.message.clone(),
            [only] => format!("{}: {}", only.field, only.message),
            many => format!("{} fields break rules.", many.len()),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut failure = Self::new(status, "/problems/invalid", "The request breaks rules", detail);
        failure.problem.errors =
            errors.into_iter().map(|FieldError { field, message }| ProblemField { field, message }).collect();
        failure
    }

    /// No good token; `why` is RFC 6750's word for it, if there was one at all.
    pub fn unauthorized(detail: &str, why: Option<&'static str>) -> Self {
        let challenge = match why {
            Some("invalid_token") => "Bearer realm=\"Slipway\", error=\"invalid_token\"",
            Some(_) => "Bearer realm=\"Slipway\", error=\"invalid_request\"",
            None => "Bearer realm=\"Slipway\"",
        };
        Self::plain(StatusCode::UNAUTHORIZED, detail).with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The same with other names for the fields: those that were sent.
    #[must_use]
    pub fn rename(mut self, name: impl Fn(&str) -> String) -> Self {
        for error in &mut self.problem.errors {
            error.field = name(&error.field);
        }
        if let [only] = self.problem.errors.as_slice()
            && !only.field.is_empty()
        {
            self.problem.detail = format!("{}: {}", only.field, only.message);
        }
        self
    }

    fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            errors: Vec::new(),
            blockers: Vec::new(),
            remedy: None,
            details: None,
            retry_after: None,
        };
        Self { problem: Box::new(problem), header: None }
    }

    /// The document, for this request.
    pub fn document(mut self, request: &str) -> String {
        request.clone_into(&mut self.problem.instance);
        serde_json::to_string(&self.problem).unwrap_or_default()
    }

    /// The answer to this request.
    pub fn answer(self, request: &str) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let header = self.header.clone();
        let mut response = Response::new(Body::from(self.document(request)));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().extend(header);
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match error {
            AppError::Invalid(errors) => Self::invalid(errors),
            AppError::SignIn => Self::unauthorized("Send a good token.", None),
            // Only tokens for reading meet this: all accounts are owners.
            AppError::Forbidden { .. } => {
                let challenge = "Bearer realm=\"Slipway\", error=\"insufficient_scope\"";
                Self::plain(status, "This token may only read. Use one that may do everything.")
                    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
            }
            AppError::Blocked(blockers) => {
                let detail = AppError::Blocked(blockers.clone()).to_string();
                let mut failure = Self::new(status, "/problems/blocked", "Something stands in the way", detail);
                let blocker = |Blocker { reason, link }| ProblemBlocker { reason, page: link.map(|link| link.href) };
                failure.problem.blockers = blockers.into_iter().map(blocker).collect();
                failure
            }
            AppError::Wait { seconds, reason } => {
                let mut failure = Self::plain(status, reason).with_header(RETRY_AFTER, seconds.into());
                failure.problem.retry_after = Some(seconds);
                failure
            }
            AppError::Problem(problem) => {
                let kind = format!("/problems/{}", problem.code);
                let mut failure = Self::new(status, &kind, "This didn't work", problem.cause);
                failure.problem.remedy = Some(problem.remedy);
                failure.problem.details = problem.details;
                failure
            }
            AppError::NotFound(_) | AppError::Internal { .. } => Self::plain(status, error.to_string()),
        }
    }
}
