//! Which field of the form causes a refusal. Pure.

use crate::oci::OciError;
use app::error::{FieldError, Problem};

/// The refusal at its field, with cause, remedy and the registry's own words; `explained` is the provider's explanation.
pub(super) fn of(error: &OciError, explained: Option<Problem>) -> FieldError {
    if let OciError::ForeignRealm { host, realm } = error {
        let message = format!(
            "{host} asks to send the password to {realm}. It wasn't sent. If that is its sign-in service, type {realm} here to \
             approve it; else the address is wrong, or somebody is in between."
        );
        return FieldError::new("realm", message);
    }
    let field = match error {
        OciError::WrongCredentials { .. } | OciError::Denied { .. } | OciError::SignIn { .. } => "password",
        OciError::Dns { .. }
        | OciError::Refused { .. }
        | OciError::Tls { .. }
        | OciError::Timeout { .. }
        | OciError::NotARegistry { .. }
        | OciError::ForeignRealm { .. }
        | OciError::RateLimited { .. }
        | OciError::NotOffered { .. }
        | OciError::Forbidden { .. }
        | OciError::Unexpected { .. } => "url",
    };
    let problem = explained.unwrap_or_else(|| error.problem());
    let message = match &problem.details {
        Some(words) => format!("{problem} Its answer: {words}"),
        None => problem.to_string(),
    };
    FieldError::new(field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_sits_at_its_field_with_words_of_its_own() {
        let host = || "r.example".to_owned();
        let text = || "x".to_owned();
        let errors = [
            (OciError::Dns { host: host() }, "url"),
            (OciError::Refused { host: host() }, "url"),
            (OciError::Tls { host: host(), reason: text() }, "url"),
            (OciError::Timeout { host: host() }, "url"),
            (OciError::NotARegistry { host: host(), reason: text() }, "url"),
            (OciError::ForeignRealm { host: host(), realm: text() }, "realm"),
            (OciError::Unexpected { host: host(), answer: text() }, "url"),
            (OciError::WrongCredentials { host: host(), answer: text() }, "password"),
            (OciError::Denied { host: host(), answer: text() }, "password"),
        ];
        let mut messages = std::collections::HashSet::new();
        for (error, field) in &errors {
            let found = of(error, None);
            assert_eq!(found.field, *field, "{error}");
            assert!(found.message.contains("r.example"), "{}", found.message);
            messages.insert(found.message);
        }
        assert_eq!(messages.len(), errors.len(), "two failures can't be told apart");
    }
}
