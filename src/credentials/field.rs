//! Which field of the form causes a refusal. Pure.

use crate::oci::OciError;
use app::error::FieldError;

/// The refusal at its field, with cause, remedy and the registry's own words.
pub(super) fn of(error: &OciError) -> FieldError {
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
    let problem = error.problem();
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
            (OciError::ForeignRealm { host: host(), realm: text() }, "url"),
            (OciError::Unexpected { host: host(), answer: text() }, "url"),
            (OciError::WrongCredentials { host: host(), answer: text() }, "password"),
            (OciError::Denied { host: host(), answer: text() }, "password"),
        ];
        let mut messages = std::collections::HashSet::new();
        for (error, field) in &errors {
            let found = of(error);
            assert_eq!(found.field, *field, "{error}");
            assert!(found.message.contains("r.example"), "{}", found.message);
            messages.insert(found.message);
        }
        assert_eq!(messages.len(), errors.len(), "two failures can't be told apart");
    }
}
