//! The right to push, proved before any build: an upload session is opened and cancelled at exactly the repository that
//! the name gives.

use super::Builds;
use crate::oci::OciError;
use app::api::registries::RegistriesApi as _;
use app::error::{AppError, Problem};
use app::model::account::{Action, Actor};
use app::model::push_name::{Named, Typed};
use app::paths;
use std::time::Duration;

/// People wait for it.
const BUDGET: Duration = Duration::from_secs(15);

impl Builds {
    pub(super) async fn prove_push(&self, actor: &Actor, typed: &Typed) -> Result<Named, AppError> {
        actor.may(Action::ManageServices)?;
        let registries = self.inner.registries.list(actor).await?;
        // What the rules forbid costs no request.
        let named = typed.named(&registries).map_err(|broken| AppError::from(broken.problem()))?;
        self.inner.credentials.may_test(actor)?;
        let target = self.inner.registries.target(&named.registry).await?;
        let target = target.ok_or_else(|| AppError::NotFound("registry".into()))?;
        let tried = self.inner.oci.may_push(&target.access, &named.reference.repository);
        let tried = tokio::time::timeout(BUDGET, tried).await;
        match tried.unwrap_or_else(|_| Err(OciError::Timeout { host: target.access.url.host.to_string() })) {
            Ok(()) => {
                tracing::info!(registry.id = %named.registry, repository = %named.reference.repository, "the right to push was proved");
                Ok(named)
            }
            Err(error) => {
                tracing::info!(registry.id = %named.registry, %error, "the right to push was refused");
                Err(told(self.refused_push(&error, &target), &named).into())
            }
        }
    }
}

/// The explanation, with what has to be there where that is the likely reason.
fn told(problem: Problem, named: &Named) -> Problem {
    let mut problem = problem.with_link(paths::registry(&named.registry), "See the registry");
    problem.cause = format!("{} It was asked for {}.", problem.cause, named.repository_shown());
    if problem.code == "registry.denied"
        && let Some(requirement) = &named.requirement
        && !problem.remedy.contains(requirement.as_str())
    {
        problem.remedy = format!("{} {requirement}", problem.remedy);
    }
    problem
}
