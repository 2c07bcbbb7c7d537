//! Rules: read, set, taken away.

use super::{Retention, store, survey};
use crate::activity;
use crate::problems;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::{JobId, RegistryId};
use app::model::retention::{Policy, PolicyForm, Scope};

impl Retention {
    /// The rules of a registry or service; none: a registry loses nothing, a service keeps nothing in addition.
    pub async fn rules(&self, scope: &Scope) -> Result<Option<Policy>, AppError> {
        store::policy(self.parts.db.read(), scope).await.map_err(problems::of)
    }

    pub(super) async fn set_rules(
        &self,
        actor: &Actor,
        scope: &Scope,
        form: Option<&PolicyForm>,
    ) -> Result<(), AppError> {
        let policy = form.map(|form| form.check(scope)).transpose()?;
        let (noun, id) = match scope {
            Scope::Registry(id) => {
                actor.may(Action::ManageRegistries)?;
                self.parts.registries.of(id).await?;
                ("registry", id.as_str())
            }
            Scope::Service(id) => {
                actor.may(Action::ManageServices)?;
                let name = store::service_name(self.parts.db.read(), id).await.map_err(problems::of)?;
                name.ok_or_else(|| AppError::NotFound("service".into()))?;
                ("service", id.as_str())
            }
        };
        let said = policy.as_ref().map_or_else(|| "no rules".into(), |policy| policy.keeps().join(" "));
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        store::set_policy(&mut tx, scope, policy.as_ref()).await.map_err(problems::of)?;
        let verb = format!("{noun}.retention");
        activity::record(&mut tx, &self.parts.clock, &actor.username, &verb, id, &said).await.map_err(problems::of)?;
        let mut looks = false;
        if let (Scope::Registry(id), true) = (scope, policy.is_some())
            && store::as_of(&mut *tx, id).await.map_err(problems::of)?.is_none()
        {
            survey::enqueue(&self.parts.jobs, &mut tx, id, &actor.username).await?;
            looks = true;
        }
        tx.commit().await.map_err(problems::of)?;
        if looks {
            self.parts.jobs.wake();
        }
        Ok(())
    }

    /// Asks for a look at a registry.
    pub(super) async fn look_again(&self, actor: &Actor, registry: &RegistryId) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.parts.registries.of(registry).await?;
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let job = survey::enqueue(&self.parts.jobs, &mut tx, registry, &actor.username).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }
}
