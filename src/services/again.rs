//! What runs, once more: started anew as it is, or with another number of copies. Each is a deployment of its own.

use super::store::{self, Saved};
use super::{Services, env, save, store_deployments};
use crate::storage::Tx;
use crate::{activity, problems};
use app::error::{AppError, Blocker, Link};
use app::model::account::Actor;
use app::model::id::{DeploymentId, ServiceId};
use app::model::service::{Deployment, Origin, Settings};
use app::paths;

/// Most copies of a service.
const MOST: u32 = 100;

impl Services {
    /// Starts what runs anew, with nothing changed.
    pub(super) async fn start_anew(&self, actor: &Actor, id: &ServiceId) -> Result<DeploymentId, AppError> {
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let (_, current, reach) = self.current(&mut tx, id).await?;
        let origin = Origin::Restart { of: current.id.clone(), number: current.number };
        let (new, what) = (again(current, reach, origin, actor), "service.restarted");
        self.deploy_again(tx, new, actor, what, "").await
    }

    /// Changes the number of copies of what runs, and of what is deployed from now on.
    pub(super) async fn copies(&self, actor: &Actor, id: &ServiceId, text: &str) -> Result<DeploymentId, AppError> {
        let wanted = text.trim().parse::<u32>().ok().filter(|copies| *copies <= MOST);
        let wanted = wanted.ok_or_else(|| AppError::field("replicas", "Give a number from 0 to 100."))?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let (service, current, reach) = self.current(&mut tx, id).await?;
        let from = current.settings.replicas;
        if from == wanted {
            return Err(AppError::field("replicas", "It has as many already."));
        }
        let settings = Settings { replicas: wanted, ..service.settings };
        let now = self.inner.clock.millis();
        let saved = Saved {
            name: &service.name,
            slug: &service.slug,
            source: &service.source,
            settings: &settings,
            watch: service.watch,
            now,
        };
        if !store::update(&mut tx, id, service.version, saved).await.map_err(problems::of)? {
            return Err(save::stale(id));
        }
        let origin = Origin::Scale { tasks: current.tasks().clone(), from, to: wanted };
        let mut new = again(current, reach, origin, actor);
        new.settings.replicas = wanted;
        let what = format!("from {from} to {wanted}");
        self.deploy_again(tx, new, actor, "service.scaled", &what).await
    }

    /// What runs, with the values of its variables; refused while something else is on its way, which would be undone by it.
    async fn current(
        &self,
        tx: &mut Tx,
        id: &ServiceId,
    ) -> Result<(store::Record, Deployment, super::pull::Reach), AppError> {
        let service = self.locked(tx, id).await?;
        let blocked = |reason: String, link: Option<Link>| AppError::Blocked(vec![Blocker { reason, link }]);
        let newest = store_deployments::newest(&mut **tx, id).await.map_err(problems::of)?;
        if let Some(newest) = newest.filter(|newest| !newest.state.is_final()) {
            let link = Link { href: paths::deployment(&newest.id), text: format!("Open deployment {}", newest.number) };
            return Err(blocked(
                format!("Deployment {} is on its way. Wait for it, or cancel it.", newest.number),
                Some(link),
            ));
        }
        let none = || blocked(format!("Nothing of {} runs yet. Deploy it first.", service.name), None);
        let current = service.current.as_ref().ok_or_else(none)?;
        let found = store_deployments::find(&mut **tx, current).await.map_err(problems::of)?;
        let (mut current, reach) = found.ok_or_else(none)?;
        current.settings = env::with_values(&self.inner.vault, &mut **tx, current.id.as_str(), current.settings)
            .await
            .map_err(problems::of)?;
        Ok((service, current, reach))
    }

    async fn deploy_again(
        &self,
        mut tx: Tx,
        new: store_deployments::New,
        actor: &Actor,
        verb: &str,
        detail: &str,
    ) -> Result<DeploymentId, AppError> {
        let id = self.add_deployment(&mut tx, &new).await?;
        activity::record(&mut tx, &self.inner.clock, &actor.username, verb, id.as_str(), detail)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(id)
    }
}

/// The same as `current`, for another reason.
fn again(current: Deployment, reach: super::pull::Reach, origin: Origin, actor: &Actor) -> store_deployments::New {
    store_deployments::New {
        service: current.service,
        image: current.image,
        reach,
        commit: current.commit,
        commit_subject: current.commit_subject,
        settings: current.settings,
        origin,
        asked_by: actor.username.clone(),
    }
}
