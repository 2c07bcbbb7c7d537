//! What is asked for when a registry is deleted.

use serde::{Deserialize, Serialize};

/// The form.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeleteForm {
    /// The registry's name, typed. Asked for a managed one alone.
    #[serde(default)]
    pub name: String,
    /// The registry that becomes the default when this one is and others exist.
    #[serde(default)]
    pub successor: String,
    /// Present when the volume of a managed registry stays. What is in a bucket always stays.
    #[serde(default)]
    pub keep_data: Option<String>,
}
