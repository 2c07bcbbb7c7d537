//! The rules that hold for all builds: kept, and handed on to the queue.

use super::{Settings, store};
use crate::docker::ControlGroups;
use crate::jobs::{Jobs, Lane};
use crate::storage::StorageError;
use crate::{activity, problems};
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::build_rules::{BuildRules, BuildRulesForm, CapsHold, RulesInForce};

impl Settings {
    /// Plugs the queue in, whose limits the rules set. Once, at start.
    pub fn set_jobs(&self, jobs: Jobs) {
        if self.inner.jobs.set(jobs).is_err() {
            tracing::warn!("settings have their queue already");
        }
    }

    /// The rules of builds, as they are now.
    pub async fn build_rules(&self) -> Result<BuildRules, StorageError> {
        store::build_rules(self.inner.db.read()).await
    }

    /// Makes the groups that hold caps of builds.
    pub fn control_groups(&self) -> &ControlGroups {
        &self.inner.control_groups
    }

    pub(super) async fn rules_in_force(&self) -> Result<RulesInForce, AppError> {
        let caps = match self.inner.control_groups.hold() {
            Ok(by) => CapsHold::By(by.to_owned()),
            Err(why) => CapsHold::No { why: why.to_owned() },
        };
        Ok(RulesInForce {
            rules: self.build_rules().await.map_err(problems::of)?,
            usual_parallel: u32::try_from(Lane::Build.limit()).unwrap_or(1),
            caps,
        })
    }

    pub(super) async fn change_rules(&self, actor: &Actor, form: &BuildRulesForm) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let rules = form.check()?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        store::set_build_rules(&mut tx, &rules, &actor.username, self.inner.clock.millis())
            .await
            .map_err(problems::of)?;
        if let Some(jobs) = self.inner.jobs.get() {
            let lane = Lane::Build.resource();
            match rules.parallel {
                Some(most) => jobs.set_limit(&mut tx, lane, most).await.map_err(problems::of)?,
                None => jobs.remove_limit(&mut tx, lane).await.map_err(problems::of)?,
            }
        }
        activity::record(&mut tx, &self.inner.clock, &actor.username, "build_rules.changed", "build_rules", "")
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        if let Some(jobs) = self.inner.jobs.get() {
            jobs.wake();
        }
        Ok(())
    }
}
