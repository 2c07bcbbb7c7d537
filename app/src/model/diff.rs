//! What is different between two versions of a service.

use super::service::Deployment;

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What: `Image`, `Command`, `Variable TZ`, …
    pub what: String,
    /// As it was; none: it wasn't there. Never a value that may be secret.
    pub before: Option<String>,
    /// As it is; none: it is gone.
    pub after: Option<String>,
}

/// What is different from `before` to `after`, in the order of the form.
pub fn changes(before: &Deployment, after: &Deployment) -> Vec<Change> {
    let mut found = Vec::new();
    if before.image != after.image {
        found.push(Change {
            what: "Image".into(),
            before: Some(before.image.to_string()),
            after: Some(after.image.to_string()),
        });
    }
    found
}
