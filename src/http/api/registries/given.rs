//! What is asked for in the queries of registries, and when one is deleted.

use crate::http::api::extract::{Wish, typed};
use app::error::FieldError;
use app::model::registry::DeleteForm;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How to delete a registry.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, IntoParams, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Deletion {
    /// The registry's name, to be sure. Needed for one that Slipway runs.
    name: String,
    /// The id of the registry that becomes the default, when this one is.
    successor: String,
    /// Whether the volume of one that Slipway runs stays. What is in a bucket always stays.
    keep_data: bool,
}

impl Deletion {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Wish for Deletion {
    fn read(value: Value) -> Result<Self, FieldError> {
        typed(value)
    }
}

impl From<Deletion> for DeleteForm {
    fn from(Deletion { name, successor, keep_data }: Deletion) -> Self {
        Self { name, successor, keep_data: keep_data.then(|| "on".to_owned()) }
    }
}

/// How fresh a status has to be.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatusQuery {
    /// Look now instead of telling what was seen last.
    pub fresh: bool,
}
