//! A repository as somebody may reach it.

use super::book::Key;
use crate::oci::{Access, OciError};
use crate::providers::Providers;
use app::error::Problem;
use app::model::provider::Provider;
use app::paths;

/// A repository with what it takes to ask its registry.
pub(super) struct Spot {
    pub key: Key,
    pub access: Access,
    pub provider: Provider,
}

impl Spot {
    /// In plain words, by those who know the provider.
    pub(super) fn explain(&self, providers: &Providers, error: &OciError) -> Problem {
        let problem = providers.of(self.provider).explain(error).unwrap_or_else(|| error.problem());
        match &self.key.credential {
            Some((id, _)) => problem.with_link(paths::credential(id), "Open the credential"),
            None => problem,
        }
    }
}
