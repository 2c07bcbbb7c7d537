//! All that a page may learn about a failure.
//!
//! Never carries a secret or a value that somebody typed: the form keeps those in the session.

use serde::{Deserialize, Serialize};

/// One rule that a form's field breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name, as in the form struct.
    pub field: String,
    /// What is wrong and what to type instead.
    pub message: String,
}

impl FieldError {
    /// An error at `field`.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// The code of a problem: the disk with the data folder is full.
pub const STORAGE_FULL: &str = "storage.full";
/// The code of a problem: the disk with the data folder takes no writes.
pub const STORAGE_UNWRITABLE: &str = "storage.unwritable";

/// A failure with a cause in plain words and a remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, machine-readable: `registry.unreachable`.
    pub code: String,
    /// What happened and why.
    pub cause: String,
    /// What to do next.
    pub remedy: String,
    /// A local address where the remedy starts, if there is one.
    pub link: Option<Link>,
    /// The other side's own words, bounded in length.
    pub details: Option<String>,
}

/// A local address with the words that lead there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// A path on this server, starting with `/`.
    pub href: String,
    /// Verb and noun.
    pub text: String,
}

impl Problem {
    /// A problem without link and details.
    pub fn new(code: &str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.to_owned(), cause: cause.into(), remedy: remedy.into(), link: None, details: None }
    }

    /// The same problem with the place where its remedy starts.
    #[must_use]
    pub fn with_link(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.link = Some(Link { href: href.into(), text: text.into() });
        self
    }

    /// The same problem with the other side's own words, cut at 2 000 characters.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into().chars().take(2_000).collect());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.cause, self.remedy)
    }
}

/// Something that stands in the way, with the place to look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// Why it blocks.
    pub reason: String,
    /// Where to change that.
    pub link: Option<Link>,
}

/// Why a wish was not fulfilled. `docs`: the table in ARCHITECTURE.md says which status each one has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppError {
    /// 401: nobody is signed in.
    SignIn,
    /// 403: signed in, but not allowed.
    Forbidden {
        /// Who may.
        role_needed: String,
    },
    /// 404: there is no such thing.
    NotFound(String),
    /// 422: fields break rules.
    Invalid(Vec<FieldError>),
    /// 409: other things depend on it.
    Blocked(Vec<Blocker>),
    /// 429: too many tries; seconds to wait.
    Wait {
        /// Seconds until the next try counts.
        seconds: u64,
        /// What to wait for.
        reason: String,
    },
    /// 503: the world outside says no; 507: the disk does.
    Problem(Box<Problem>),
    /// 500: our own fault; the chain is in the log under this ticket.
    Internal {
        /// The request's id in the log.
        ticket: String,
    },
}

impl AppError {
    /// One broken rule.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// The HTTP status of this failure.
    pub fn status(&self) -> u16 {
        match self {
            Self::SignIn => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound(_) => 404,
            Self::Blocked(_) => 409,
            Self::Invalid(_) => 422,
            Self::Wait { .. } => 429,
            Self::Problem(problem) if [STORAGE_FULL, STORAGE_UNWRITABLE].contains(&problem.code.as_str()) => 507,
            Self::Problem(_) => 503,
            Self::Internal { .. } => 500,
        }
    }
}

impl From<Problem> for AppError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<FieldError> for AppError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<Vec<FieldError>> for AppError {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Invalid(errors)
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SignIn => f.write_str("Sign in first."),
            Self::Forbidden { role_needed } => write!(f, "Only the {role_needed} may do this."),
            Self::NotFound(what) => write!(f, "There is no such {what}."),
            Self::Invalid(errors) => {
                for (index, error) in errors.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    f.write_str(&error.message)?;
                }
                Ok(())
            }
            Self::Blocked(blockers) => {
                for (index, blocker) in blockers.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    f.write_str(&blocker.reason)?;
                }
                Ok(())
            }
            Self::Wait { reason, .. } => f.write_str(reason),
            Self::Problem(problem) => problem.fmt(f),
            Self::Internal { ticket } => {
                write!(f, "Slipway failed at this. The log has the reason under request {ticket}.")
            }
        }
    }
}

impl std::error::Error for AppError {}

#[cfg(feature = "ssr")]
mod transport {
    use super::AppError;
    use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
    use leptos::server_fn::codec::JsonEncoding;

    impl FromServerFnError for AppError {
        type Encoder = JsonEncoding;

        fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
            match error {
                ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                    Self::field("", "The form is incomplete. Reload the page and fill it in again.")
                }
                _ => Self::Internal { ticket: "in transport".into() },
            }
        }
    }
}
