//! The use cases around the way back: going back, pins, the window, the pause.

use super::{Services, env, roll_back, store, store_deployments, store_standing};
use crate::builds::FinishedBuild;
use crate::storage::Tx;
use crate::{activity, problems};
use app::error::{AppError, Blocker, Link};
use app::model::account::Actor;
use app::model::build_record::Trigger;
use app::model::id::{DeploymentId, ServiceId};
use app::model::report::Lamp;
use app::model::service::Origin;
use app::model::standing::{Back, Pause, Pin, Readiness, Standing, Version};
use app::paths;

impl Services {
    pub(super) async fn go_back(&self, actor: &Actor, to: &DeploymentId, what: Back) -> Result<DeploymentId, AppError> {
        let obstacle = self.obstacle(to).await?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let found = store_deployments::find(&mut *tx, to).await.map_err(problems::of)?;
        let (to, reach) = found.ok_or_else(|| AppError::NotFound("deployment".into()))?;
        // Asked for in two tabs: it happens once.
        let newest = store_deployments::newest(&mut *tx, &to.service).await.map_err(problems::of)?;
        if let Some(under_way) = newest.filter(|newest| roll_back::is_on_its_way(newest, &to.id, what)) {
            return Ok(under_way.id);
        }
        let service = store::find(&mut *tx, &to.service).await.map_err(problems::of)?;
        let service = service.filter(|service| !service.is_deleted);
        let current = service.as_ref().and_then(|service| service.current.clone());
        // Whose settings it gets.
        let (of, settings) = match (what, &current) {
            (Back::Image, Some(current)) => {
                let found = store_deployments::find(&mut *tx, current).await.map_err(problems::of)?;
                let (current, _) = found.ok_or_else(|| AppError::NotFound("deployment".into()))?;
                (current.id, current.settings)
            }
            _ => (to.id.clone(), to.settings.clone()),
        };
        let others = store::publishers(&mut tx, Some(&to.service)).await.map_err(problems::of)?;
        let blockers = roll_back::blockers(&to, &settings, service.is_none(), &others, obstacle.as_ref());
        if !blockers.is_empty() {
            return Err(AppError::Blocked(blockers));
        }
        let settings =
            env::with_values(&self.inner.vault, &mut *tx, of.as_str(), settings).await.map_err(problems::of)?;
        let new = store_deployments::New {
            service: to.service,
            image: to.image,
            reach,
            commit: to.commit,
            commit_subject: to.commit_subject,
            settings,
            origin: Origin::RollBack { to: to.id, number: to.number, what },
            asked_by: actor.username.clone(),
        };
        let id = self.add_deployment(&mut tx, &new).await?;
        store_standing::pause(&mut tx, &new.service, &id, self.inner.clock.seconds()).await.map_err(problems::of)?;
        let detail = match what {
            Back::All => format!("to deployment {}", to.number),
            Back::Image => format!("to the image of deployment {}", to.number),
        };
        self.note(&mut tx, actor, "service.rolled_back", id.as_str(), &detail).await?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(id)
    }

    /// A red lamp, looked at once more: it may be old, and a person may have put things right.
    async fn obstacle(&self, to: &DeploymentId) -> Result<Option<Readiness>, AppError> {
        match self.inner.lamps.of(to) {
            Some(found) if found.lamp == Lamp::Red => {
                Ok(Some(self.look_now(to).await?).filter(|found| found.lamp == Lamp::Red))
            }
            _ => Ok(None),
        }
    }

    async fn note(&self, tx: &mut Tx, actor: &Actor, verb: &str, id: &str, detail: &str) -> Result<(), AppError> {
        activity::record(tx, &self.inner.clock, &actor.username, verb, id, detail).await.map_err(problems::of)
    }

    pub(super) async fn standing_of(&self, id: &ServiceId) -> Result<Standing, AppError> {
        let db = self.inner.db.read();
        let kept = self.kept().await?;
        let marks = store_standing::marks(db, id).await.map_err(problems::of)?;
        let versions = marks.into_iter().map(|marks| {
            let need = kept.iter().find(|kept| kept.deployment == marks.id).map(|kept| kept.need);
            Version {
                need,
                readiness: need.and_then(|_| self.inner.lamps.of(&marks.id)),
                id: marks.id,
                pin: marks.pin,
                put_back: marks.put_back,
            }
        });
        Ok(Standing {
            versions: versions.collect(),
            keep: store_standing::keep(db, id).await.map_err(problems::of)?,
            pause: self.pause_of(id).await?,
        })
    }

    async fn pause_of(&self, id: &ServiceId) -> Result<Option<Pause>, AppError> {
        let db = self.inner.db.read();
        let Some(pause) = store_standing::find_pause(db, id).await.map_err(problems::of)? else { return Ok(None) };
        let next = store_standing::waiting(db, id).await.map_err(problems::of)?.map(|waiting| waiting.held);
        Ok(Some(Pause { next, ..pause }))
    }

    pub(super) async fn set_pin(&self, actor: &Actor, id: &DeploymentId, on: bool) -> Result<(), AppError> {
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let found = store_deployments::find(&mut *tx, id).await.map_err(problems::of)?;
        let (deployment, _) = found.ok_or_else(|| AppError::NotFound("deployment".into()))?;
        let service = store::find(&mut *tx, &deployment.service).await.map_err(problems::of)?;
        if on && service.is_none_or(|service| service.is_deleted) {
            let reason = "The service is deleted; its images aren't kept.".into();
            return Err(AppError::Blocked(vec![Blocker { reason, link: None }]));
        }
        let pin = on.then(|| Pin { by: actor.username.clone(), at: self.inner.clock.seconds() });
        store_standing::set_pin(&mut tx, id, pin.as_ref()).await.map_err(problems::of)?;
        let verb = if on { "deployment.pinned" } else { "deployment.unpinned" };
        self.note(&mut tx, actor, verb, id.as_str(), "").await?;
        tx.commit().await.map_err(problems::of)
    }

    pub(super) async fn change_keep(&self, actor: &Actor, id: &ServiceId, keep: u32) -> Result<(), AppError> {
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        if !store_standing::set_keep(&mut tx, id, keep).await.map_err(problems::of)? {
            return Err(AppError::NotFound("service".into()));
        }
        self.note(&mut tx, actor, "service.keep_changed", id.as_str(), &keep.to_string()).await?;
        tx.commit().await.map_err(problems::of)
    }

    pub(super) async fn end_pause(
        &self,
        actor: &Actor,
        id: &ServiceId,
        deploy: bool,
    ) -> Result<Option<DeploymentId>, AppError> {
        self.live(id).await?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let was_paused = store_standing::resume(&mut tx, id).await.map_err(problems::of)?;
        let waiting = store_standing::waiting(&mut *tx, id).await.map_err(problems::of)?;
        let mut deployment = None;
        if let Some(waiting) = waiting.filter(|_| was_paused && deploy) {
            let build = FinishedBuild {
                id: waiting.held.build,
                number: waiting.held.number,
                service: id.clone(),
                image: waiting.image,
                registry: waiting.registry,
                commit: waiting.commit,
                commit_subject: waiting.held.subject,
                asked_by: actor.username.clone(),
                trigger: Trigger::Hand,
            };
            deployment = Some(self.deploy_build(&mut tx, &build).await?);
        }
        if was_paused {
            self.note(&mut tx, actor, "service.resumed", id.as_str(), "").await?;
        }
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(deployment)
    }

    /// Whether what nobody asks for by hand has to wait.
    pub(super) async fn is_paused(&self, tx: &mut Tx, id: &ServiceId) -> Result<bool, AppError> {
        store_standing::is_paused(&mut **tx, id).await.map_err(problems::of)
    }
}

/// Why a wish that no person made isn't fulfilled.
pub(super) fn paused(id: &ServiceId) -> AppError {
    AppError::Blocked(vec![Blocker {
        reason: "Somebody rolled the service back, so nothing is deployed by itself until somebody resumes that."
            .into(),
        link: Some(Link { href: paths::service(id), text: "Open the service".into() }),
    }])
}
