//! What people do with builds that wait or are over: look at the queue, change its order, build again.

use super::{Ask, Builds, activity, store};
use crate::jobs::Lane;
use crate::problems;
use app::error::{AppError, Problem};
use app::model::account::{Action, Actor};
use app::model::build_record::Trigger;
use app::model::id::BuildId;
use app::model::queue::{Move, QueuedBuild};
use app::paths;

impl Builds {
    /// All builds that wait, in their order.
    pub(super) async fn waiting(&self, actor: &Actor) -> Result<Vec<QueuedBuild>, AppError> {
        actor.may(Action::Read)?;
        let mut queued = Vec::new();
        for waiting in self.inner.jobs.queue(Lane::Build).await.map_err(problems::of)? {
            let found = store::of_job(self.inner.db.read(), &waiting.job).await.map_err(problems::of)?;
            let Some(build) = found else { continue };
            let (branch, commit) = store::wanted(self.inner.db.read(), &build.id).await.map_err(problems::of)?;
            let branch = match branch {
                Some(branch) => Some(branch),
                None => self.services()?.facts(&build.service).await.ok().map(|facts| facts.source.branch),
            };
            let commit = build.commit.clone().or(commit);
            queued.push(QueuedBuild { build, waiting, branch, commit });
        }
        Ok(queued)
    }

    /// Asks for the commit of an earlier build once more; for the branch's newest if that build never got to know one.
    pub(super) async fn ask_again(&self, actor: &Actor, id: &BuildId, no_cache: bool) -> Result<BuildId, AppError> {
        actor.may(Action::ManageServices)?;
        let found = store::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        let build = found.ok_or_else(|| AppError::NotFound("build".into()))?;
        if !build.state.is_final() {
            return Err(Problem::new(
                "build.under_way",
                format!("Build {} of {} isn't over yet.", build.number, build.service_name),
                "Wait for its end, or cancel it first.",
            )
            .with_link(paths::build(id), "Open the build")
            .into());
        }
        let (branch, commit) = store::wanted(self.inner.db.read(), id).await.map_err(problems::of)?;
        self.ask(Ask {
            service: build.service,
            deploy: build.deploys,
            trigger: Trigger::Retry { of: build.id, number: build.number },
            no_cache,
            commit: build.commit.or(commit),
            branch,
            asked_by: actor.username.clone(),
        })
        .await
    }

    /// Moves a build among those that wait.
    pub(super) async fn reorder(&self, actor: &Actor, id: &BuildId, to: Move) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        let found = store::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        let build = found.ok_or_else(|| AppError::NotFound("build".into()))?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        if !self.inner.jobs.reorder(&mut tx, &build.job, to).await.map_err(problems::of)? {
            return Err(Problem::new(
                "build.not_queued",
                format!("Build {} of {} doesn't wait any more.", build.number, build.service_name),
                "Look at the queue as it is now.",
            )
            .with_link(paths::BUILDS, "See builds")
            .into());
        }
        let detail = format!("{} build {}", build.service_name, build.number);
        activity::record(&mut tx, &self.inner.clock, &actor.username, "build.move", id.as_str(), &detail)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(())
    }
}
