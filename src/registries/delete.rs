//! Deleting a registry. One that somebody else runs is forgotten at once; one of ours is taken out of the Swarm by a job,
//! which goes on until it is done, also over restarts.
//!
//! What must always hold: of the registries that aren't going, one is the default; from the moment of asking nothing new
//! comes to a registry that goes; what is in a bucket stays.

use super::bring_up::id_of;
use super::record::Record;
use super::undo::patiently;
use super::{Registries, blockers, names, not_found, store, store_managed};
use crate::docker::DockerError;
use crate::jobs::{self, Handler, JobContext, JobError, Lane, NewJob};
use crate::problems;
use crate::storage::Tx;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::registry::{DeleteForm, Phase, Registry, Storage};
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

/// The job's kind.
pub(super) const KIND: &str = "delete_registry";
/// It is tried again and again: for days.
const TRIES: i64 = 100_000;
const AGAIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(300);
/// Builds notice within a second, and their processes get ten to end.
const BUILDS: Duration = Duration::from_secs(20);
/// The registry itself gets a minute to end, and holds its volume until then.
const PATIENCE: Duration = Duration::from_secs(90);

/// Takes registries out of the Swarm.
pub(super) struct Delete(pub(super) Registries);

#[async_trait]
impl Handler for Delete {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let (id, registries) = (id_of(payload)?, &self.0);
        let found = store_managed::record_of(registries.parts.db.read(), &id).await.map_err(jobs::internal)?;
        // The last step was done before Slipway was interrupted.
        let Some(record) = found else { return Ok(()) };
        cx.step("builds", "End builds that push to it", registries.end_work(&id, cx)).await?;
        cx.step("service", "Remove the Swarm service", async {
            registries.remove_services(&id, cx).await.map_err(again)
        })
        .await?;
        cx.step("secrets", "Remove configuration and sign-in", async {
            registries.remove_secrets(&id, Instant::now() + PATIENCE, cx).await.map_err(again)
        })
        .await?;
        if let Storage::Volume { name } = &record.wanted.storage {
            let title = if record.keep_data { "Keep the volume" } else { "Remove the volume with all images" };
            cx.step("volume", title, registries.end_volume(&record, name, cx)).await?;
        }
        cx.step("network", "Remove the network if it is empty", async {
            registries.remove_empty_network(&id, Instant::now() + PATIENCE, cx).await.map_err(again)
        })
        .await?;
        cx.step("rows", "Forget the registry and its credential", registries.forget(&record, cx)).await
    }
}

/// Whatever Docker says, nothing may stay in the Swarm that no list shows any more.
fn again(error: JobError) -> JobError {
    match error {
        JobError::Fail(problem) => JobError::Retry { after: AGAIN, problem },
        error => error,
    }
}

fn docker_again(error: DockerError) -> JobError {
    JobError::Retry { after: AGAIN, problem: error.problem() }
}

impl Registries {
    /// Forgets an external registry; asks for the job that takes a managed one away. Once more while that is under way says
    /// which job it is.
    pub(super) async fn ask_for_deletion(
        &self,
        actor: &Actor,
        id: &RegistryId,
        form: DeleteForm,
    ) -> Result<Option<JobId>, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let registry = store::find(&mut *tx, id).await.map_err(problems::of)?.ok_or_else(not_found)?;
        let blockers = blockers(&mut tx, &registry).await?;
        if !blockers.is_empty() {
            return Err(AppError::Blocked(blockers));
        }
        if registry.managed.is_some() && form.name.trim() != registry.name {
            return Err(AppError::field("name", format!("Type the registry's name, {}, to delete it.", registry.name)));
        }
        self.hand_default_on(&mut tx, actor, &registry, &form.successor).await?;
        let job = if registry.managed.is_some() {
            store::begin_deletion(&mut tx, id, form.keep_data.is_some()).await.map_err(problems::of)?;
            self.record(&mut tx, actor, "deletion_asked", id, &registry.name).await?;
            Some(self.enqueue_deletion(&mut tx, id, &actor.username).await?)
        } else {
            store::delete(&mut tx, id).await.map_err(problems::of)?;
            self.record(&mut tx, actor, "deleted", id, &registry.name).await?;
            None
        };
        let others = store::other_jobs(&mut tx, &names::subject(id), KIND).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        for other in others {
            // What was to be made or changed isn't waited for.
            self.parts.jobs.cancel(&other).await.map_err(problems::of)?;
        }
        self.parts.jobs.wake();
        tracing::info!(registry.id = %id, "a registry was deleted");
        Ok(job)
    }

    async fn enqueue_deletion(&self, tx: &mut Tx, id: &RegistryId, asked_by: &str) -> Result<JobId, AppError> {
        let job = NewJob {
            kind: KIND,
            payload: serde_json::json!({ "registry": id }),
            subject: names::subject(id),
            key: Some(format!("{KIND}:{id}")),
            lane: Lane::Swarm,
            resource: None,
            asked_by: asked_by.to_owned(),
            max_attempts: TRIES,
        };
        self.parts.jobs.enqueue(tx, job).await.map_err(problems::of)
    }

    /// The default goes only when another takes over, if there is another that builds can be pushed to.
    async fn hand_default_on(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        registry: &Registry,
        successor: &str,
    ) -> Result<(), AppError> {
        if !registry.is_default {
            return Ok(());
        }
        let choices = store::successors(tx, &registry.id).await.map_err(problems::of)?;
        let chosen = choices.iter().find(|(id, _)| id.as_str() == successor.trim());
        if chosen.is_none() && !choices.is_empty() {
            let names: Vec<&str> = choices.iter().map(|(_, name)| name.as_str()).collect();
            let message = format!(
                "{} is the default registry. Choose which one becomes the default: {}.",
                registry.name,
                names.join(", ")
            );
            return Err(AppError::field("successor", message));
        }
        store::clear_default(tx).await.map_err(problems::of)?;
        if let Some((id, name)) = chosen {
            store::set_default(tx, id).await.map_err(problems::of)?;
            self.record(tx, actor, "made_default", id, name).await?;
        }
        Ok(())
    }

    /// Builds end by themselves once they see that the registry goes. One that doesn't is left behind: it fails later.
    async fn end_work(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        // The undo of a creation that was cancelled for this may have written another phase.
        store_managed::set_phase(&mut tx, id, Phase::Deleting).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        let begun = Instant::now();
        let mut told = Vec::new();
        loop {
            let running = store::builds_running_to(self.parts.db.read(), id).await.map_err(jobs::internal)?;
            for (build, title) in &running {
                if !told.contains(build) {
                    cx.log(&format!("{title} pushes to it and is ended."));
                    told.push(build.clone());
                }
            }
            if running.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > BUILDS {
                cx.log("Not all of them ended in time; they will fail.");
                return Ok(());
            }
            cx.or_cancel(tokio::time::sleep(POLL)).await?;
        }
    }

    /// Keeps or removes its volume. One on another node is out of reach; the log says where it is.
    async fn end_volume(&self, record: &Record, name: &str, cx: &JobContext) -> Result<(), JobError> {
        let docker = &self.parts.docker;
        let host = record.node.as_ref().map_or("its node", |(_, host)| host.as_str());
        if record.keep_data {
            // A new registry can have it as soon as the old one's container has let go of it.
            let until = Instant::now() + PATIENCE;
            while docker.is_volume_used(name).await.map_err(docker_again)? && Instant::now() < until {
                cx.or_cancel(tokio::time::sleep(POLL)).await?;
            }
            cx.log(&format!("The volume {name} stays on {host}; a new registry can go on with it."));
            return Ok(());
        }
        let here = docker.own_node().await.map_err(docker_again)?;
        if let (Some((node, _)), Some((here, _))) = (&record.node, &here)
            && node != here
        {
            cx.log(&format!(
                "The volume {name} is on {host}, where Slipway can't remove it. There, run: docker volume rm {name}"
            ));
            return Ok(());
        }
        let others = store_managed::records(self.parts.db.read()).await.map_err(jobs::internal)?;
        let is_same = |other: &Record| matches!(&other.wanted.storage, Storage::Volume { name: its } if its == name);
        if let Some(other) = others.iter().find(|other| other.id != record.id && is_same(other)) {
            cx.log(&format!("The volume {name} stays: the registry {} has it too.", other.name));
            return Ok(());
        }
        if docker.find_volume(name).await.map_err(docker_again)?.is_none() {
            cx.log(&format!("There is no volume {name}."));
            return Ok(());
        }
        let removed = cx.or_cancel(patiently(Instant::now() + PATIENCE, || docker.remove_volume(name))).await?;
        removed.map_err(docker_again)?;
        cx.log(&format!("Volume {name} removed."));
        Ok(())
    }

    /// Row, credential, passwords and keys, all at once.
    async fn forget(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let id = &record.id;
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store::delete(&mut tx, id).await.map_err(jobs::internal)?;
        self.parts.credentials.delete_owned(&mut tx, id).await.map_err(super::keys::inner)?;
        self.parts.vault.forget(&mut tx, id.as_str()).await.map_err(jobs::internal)?;
        crate::activity::record(&mut tx, &cx.clock, &cx.asked_by, "registry.deleted", id.as_str(), &record.name)
            .await
            .map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&format!("{} is deleted.", record.name));
        Ok(())
    }
}
