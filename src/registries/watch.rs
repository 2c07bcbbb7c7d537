//! The loop that looks at managed registries: Docker every few seconds, a probe every minute and whenever something changed;
//! it keeps what it saw, and asks for repairs.
//!
//! What must always hold: pages ask memory and the database alone; whatever outside hands do shows within half a minute;
//! nothing is repaired while a job about the registry is open, or while Docker can't be asked.

use super::look::{self, Look, VolumeSeen};
use super::reconcile::{self, Decision};
use super::record::Record;
use super::status::{self, Known};
use super::watched::Due;
use super::{Registries, probe, reach, store_history, store_managed};
use crate::docker::{DockerError, has_ipvs};
use crate::oci::{Access, OciError};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::RegistryId;
use app::model::registry::{ManagedStatus, Phase, Reach, Storage};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between two looks at Docker.
const EVERY: Duration = Duration::from_secs(5);
/// The longest that a short look may take.
const PING: Duration = Duration::from_secs(5);
/// The longest that a person waits for a count.
const COUNT: Duration = Duration::from_secs(5);
/// One piece of the uptime strip, in seconds.
const SLOT: i64 = 1_800;
/// Pieces of the strip: a day.
const SLOTS: i64 = 48;

impl Registries {
    /// Looks until `stop`.
    pub async fn watch(&self, stop: CancellationToken) {
        let mut work = JoinSet::new();
        while !stop.is_cancelled() {
            let round = async {
                if let Err(error) = self.round(&mut work).await {
                    tracing::warn!(%error, "managed registries couldn't be looked after");
                }
            };
            tokio::select! {
                () = round => {}
                () = stop.cancelled() => break,
            }
            while work.try_join_next().is_some() {}
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => break,
            }
        }
        work.shutdown().await;
    }

    /// One round over all of them.
    async fn round(&self, work: &mut JoinSet<()>) -> Result<(), AppError> {
        let records = store_managed::records(self.parts.db.read()).await.map_err(problems::of)?;
        self.watched.keep(&records.iter().map(|record| record.id.clone()).collect::<HashSet<_>>());
        let running: Vec<Record> = records.into_iter().filter(|record| record.phase == Phase::Running).collect();
        if running.is_empty() {
            return Ok(());
        }
        self.look_at(&running).await?;
        for record in running {
            self.look_after_garbage(&record).await?;
            self.begin(record, work).await?;
        }
        Ok(())
    }

    /// Asks Docker about these, and for repairs.
    async fn look_at(&self, records: &[Record]) -> Result<(), AppError> {
        let look = match Look::take(&self.parts.docker).await {
            Ok(look) => look,
            Err(error) => {
                self.lose(&error);
                return Ok(());
            }
        };
        let (has_ipvs, proxy_image) = (has_ipvs(Path::new("/")), self.parts.config.proxy_image.as_ref());
        for record in records {
            let seen = match look.of(&self.parts.docker, record).await {
                Ok(seen) => seen,
                Err(error) => {
                    self.lose(&error);
                    return Ok(());
                }
            };
            let nodes = seen.nodes.len() as u64;
            let way = reach::review(record.reach, nodes, has_ipvs, proxy_image);
            let other_way = way.as_ref().ok().and_then(|way| way.as_ref().map(|(reach, _)| *reach));
            let decision = reconcile::decide(record, &seen, way);
            let (room, now) = (self.room_of(record).await, self.parts.clock.seconds());
            self.watched.change(&record.id, |one| {
                if one.seen.as_deref() != Some(&seen) || look::is_news(one.disk, room) {
                    one.changed = now;
                    one.is_due = true;
                }
                one.seen = Some(Arc::new(seen));
                one.decision = Some(decision.clone());
                one.disk = room;
            });
            self.act(record, decision, other_way).await?;
        }
        self.watched.found(self.parts.clock.seconds());
        Ok(())
    }

    fn lose(&self, error: &DockerError) {
        if self.watched.lose(error.problem()) {
            tracing::warn!(%error, "managed registries can't be looked at in Docker now");
        }
    }

    /// Does what the comparison came to.
    async fn act(&self, record: &Record, decision: Decision, other_way: Option<Reach>) -> Result<(), AppError> {
        if record.volume_created.is_none() {
            self.note_volume(record).await?;
        }
        let Decision::Repair(why) = decision else { return Ok(()) };
        if self.has_open_job(&record.id).await? {
            return Ok(());
        }
        let now = self.parts.clock.seconds();
        let may = self.watched.change(&record.id, |one| {
            let may = reconcile::may_repair(&one.asked, now);
            if may {
                one.asked.push(now);
                let surplus = one.asked.len().saturating_sub(8);
                one.asked.drain(..surplus);
            }
            may
        });
        if may {
            if let Some(reach) = other_way {
                let mut tx = self.parts.db.write().await.map_err(problems::of)?;
                store_managed::set_reach(&mut tx, &record.id, reach).await.map_err(problems::of)?;
                tx.commit().await.map_err(problems::of)?;
            }
            tracing::warn!(registry.id = %record.id, why, "a registry isn't as it should be; a repair is asked for");
            if let Err(error) = self.ask_for_repair(&record.id, &why).await {
                tracing::warn!(registry.id = %record.id, %error, "the repair couldn't be asked for");
            }
        }
        Ok(())
    }

    /// The first volume that is seen is the one that counts from then on.
    async fn note_volume(&self, record: &Record) -> Result<(), AppError> {
        let seen = self.watched.one(&record.id).seen;
        let Some(VolumeSeen::There(created)) = seen.as_deref().map(|seen| &seen.volume) else { return Ok(()) };
        if self.has_open_job(&record.id).await? {
            return Ok(());
        }
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        store_managed::set_volume_created(&mut tx, &record.id, Some(created)).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    pub(super) async fn has_open_job(&self, id: &RegistryId) -> Result<bool, AppError> {
        let job = store_history::last_job(self.parts.db.read(), id).await.map_err(problems::of)?;
        Ok(job.is_some_and(|job| job.is_open))
    }

    /// Begins what is due, beside the loop.
    async fn begin(&self, record: Record, work: &mut JoinSet<()>) -> Result<(), AppError> {
        let now = self.parts.clock.seconds();
        let one = self.watched.one(&record.id);
        // While its garbage is collected no push can work.
        let is_still = one.decision == Some(Decision::Stopped) || record.wanted.read_only;
        if is_still || self.watched.is_probed(&record.id) {
            return Ok(());
        }
        // A job probes by itself, and what it does in between isn't the registry's failure.
        let is_calm = one.probe.as_ref().is_some_and(|probe| now - probe.at < super::watched::CALM);
        if is_calm && self.has_open_job(&record.id).await? {
            return Ok(());
        }
        let registries = self.clone();
        match one.due(now) {
            Due::Nothing => {}
            Due::Ping => {
                self.watched.change(&record.id, |one| one.pinged = now);
                work.spawn(async move { registries.ping(&record).await });
            }
            Due::Probe => {
                work.spawn(async move {
                    if let Err(error) = registries.probe_and_keep(&record).await {
                        tracing::warn!(registry.id = %record.id, %error, "a registry couldn't be probed");
                    }
                    registries.count_when_due(&record).await;
                });
            }
        }
        Ok(())
    }

    async fn probe_and_keep(&self, record: &Record) -> Result<(), AppError> {
        let report = self.probe(record).await?;
        self.keep_probe(record, report).await
    }

    /// A short look whether it answers: cheaper than a probe, and enough to notice that it is gone.
    async fn ping(&self, record: &Record) {
        let Ok(access) = self.parts.credentials.access(&record.credential).await else { return };
        let client = self.parts.oci.named(probe::AGENT);
        let nobody = Access { login: None, ..access };
        // `/` answers everybody, and says 503 while its storage fails.
        let answer = tokio::time::timeout(PING, client.get(&nobody, "/", "")).await;
        let is_well = match &answer {
            Ok(Ok(answer)) => answer.status == 200,
            Ok(Err(OciError::SignIn { .. })) => true,
            Ok(Err(_)) | Err(_) => false,
        };
        if !is_well {
            tracing::debug!(registry.id = %record.id, "a registry doesn't answer; it is probed");
            self.watched.change(&record.id, |one| one.is_due = true);
            if let Err(error) = self.probe_and_keep(record).await {
                tracing::warn!(registry.id = %record.id, %error, "a registry couldn't be probed");
            }
        }
    }

    async fn managed(&self, id: &RegistryId) -> Result<Record, AppError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("managed registry".into()))
    }

    pub(super) async fn status_of(&self, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        let (record, db, now) = (self.managed(id).await?, self.parts.db.read(), self.parts.clock.seconds());
        let job = store_history::last_job(db, id).await.map_err(problems::of)?;
        let (one, (looked_at, lost)) = (self.watched.one(id), self.watched.docker());
        let said = status::of(Known {
            record: &record,
            job: job.as_ref(),
            seen: one.seen.as_deref(),
            lost: lost.as_ref(),
            decision: one.decision.as_ref(),
            asked: &one.asked,
            probe: one.probe.as_ref(),
            now,
        });
        Ok(ManagedStatus {
            state: said.state,
            headline: said.headline,
            problem: said.problem,
            tasks: one.seen.map(|seen| seen.lines()).unwrap_or_default(),
            probe: one.probe,
            uptime: store_history::uptime(db, id, now, SLOT, SLOTS).await.map_err(problems::of)?,
            usage: store_history::usage(db, id).await.map_err(problems::of)?,
            growth: store_history::growth(db, id).await.map_err(problems::of)?,
            disk: one.disk,
            shut_since: self.shut_since(id).await?,
            looked_at,
        })
    }

    pub(super) async fn check_now(&self, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        let record = self.managed(id).await?;
        if record.phase == Phase::Running {
            self.look_at(std::slice::from_ref(&record)).await?;
            if !record.wanted.read_only {
                self.probe_and_keep(&record).await?;
            }
            // What takes longer goes on from what was read until then, with the next probe.
            if tokio::time::timeout(COUNT, self.count(&record)).await.is_err() {
                tracing::debug!(registry.id = %id, "a count takes longer than a person waits");
            }
        }
        self.status_of(id).await
    }

    pub(super) async fn accept_volume(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError> {
        let record = self.managed(id).await?;
        let Storage::Volume { name } = &record.wanted.storage else {
            return Err(Problem::new(
                "registry.no_volume",
                "This registry keeps its images in a bucket; there is no volume to go on with.",
                "Look at the bucket.",
            )
            .into());
        };
        // None: the next one that is made counts.
        let created = self.parts.docker.find_volume(name).await.map_err(|error| error.problem())?;
        let created = created.map(|volume| volume.created);
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        store_managed::set_volume_created(&mut tx, id, created.as_deref()).await.map_err(problems::of)?;
        self.record(&mut tx, actor, "loss_accepted", id, name).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::warn!(registry.id = %id, volume = %name, "a registry goes on with another volume");
        self.watched.change(id, |one| one.asked.clear());
        let record = self.managed(id).await?;
        if record.phase == Phase::Running { self.look_at(&[record]).await } else { Ok(()) }
    }
}
