//! Looks at the deployments that are kept, again and again in the background: whether each could come up now. What was found
//! is in memory for the pages, and in the database for after a restart.
//!
//! What must always hold: a registry that is away or wants to be left alone is asked by one request at a time and not for
//! each deployment; a green lamp says that the registry gave the image's digest to the credential it is pulled with.

use super::kept::Kept;
use super::lamp::{Answer, Seen, judge};
use super::pull::{Pull, Reach};
use super::{Services, store_deployments, store_standing};
use crate::oci::OciError;
use crate::problems;
use crate::storage::StorageError;
use app::error::{AppError, Problem};
use app::model::id::{DeploymentId, ServiceId};
use app::model::image_ref::{Digest, ImageRef};
use app::model::platform::Platform;
use app::model::report::Lamp;
use app::model::standing::Readiness;
use futures::{FutureExt as _, StreamExt as _};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Each is looked at this often, while they are few; in seconds.
const EVERY: i64 = 40;
/// New ones are noticed this soon.
const LOOK: Duration = Duration::from_secs(3);
/// Between two rounds, so that many of them are spread.
const BREATH: Duration = Duration::from_millis(250);
/// Images that are looked at in one round, and at once.
const ROUND: usize = 8;
const AT_ONCE: usize = 4;
/// The longest that one registry may take for one image.
const LIMIT: Duration = Duration::from_secs(15);
/// So long a registry that can't be asked is left alone, in seconds.
const LEFT_ALONE: i64 = 30;
/// What didn't change is written this often, for its age; in seconds.
const WRITTEN: i64 = 300;
/// A green lamp of this age spares a roll-back its own check; in seconds.
const VOUCHES: i64 = 60;
/// Above this many images what is known of them is forgotten and asked for again.
const MANY: usize = 10_000;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Lamps {
    known: RwLock<HashMap<DeploymentId, Readiness>>,
    /// As the database has it.
    written: Mutex<HashMap<DeploymentId, Readiness>>,
    /// Hosts that can't be asked: until when, and why.
    away: Mutex<HashMap<String, (i64, Problem)>>,
    /// Platforms and bytes of images: a digest never means anything else.
    platforms: Mutex<HashMap<Digest, Vec<Platform>>>,
    bytes: Mutex<HashMap<Digest, u64>>,
}

fn within<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember<T>(map: &Mutex<HashMap<Digest, T>>, digest: &Digest, value: T) {
    let mut map = within(map);
    if map.len() >= MANY {
        map.clear();
    }
    map.insert(digest.clone(), value);
}

impl Lamps {
    /// What was last found out about a deployment.
    pub(super) fn of(&self, id: &DeploymentId) -> Option<Readiness> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn set(&self, id: &DeploymentId, found: Readiness) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), found);
    }

    /// Whether it was found just now that the deployment's image is there.
    pub(super) fn vouches(&self, id: &DeploymentId, now: i64) -> bool {
        self.of(id).is_some_and(|found| found.lamp == Lamp::Green && (0..=VOUCHES).contains(&(now - found.at)))
    }

    /// What an image is for, once it was read.
    pub(super) fn platforms(&self, digest: &Digest) -> Option<Vec<Platform>> {
        within(&self.platforms).get(digest).cloned()
    }

    /// Remembers what an image is for.
    pub(super) fn remember_platforms(&self, digest: &Digest, platforms: &[Platform]) {
        remember(&self.platforms, digest, platforms.to_vec());
    }
}

/// An image and the way to it, which several deployments may share.
type Place = (String, Option<String>);

fn place(kept: &Kept) -> Place {
    let way = kept.registry.as_ref().map(ToString::to_string).or(kept.credential.as_ref().map(ToString::to_string));
    (kept.image.to_string(), way)
}

fn reach(kept: &Kept) -> Reach {
    match (&kept.registry, &kept.credential) {
        (Some(registry), _) => Reach::Registry(registry.clone()),
        (None, Some(credential)) => Reach::Credential(credential.clone()),
        (None, None) => Reach::Public,
    }
}

impl Services {
    /// Looks at all that is kept, again and again, until `stop`. Started by `start.rs`.
    pub async fn watch_lamps(&self, stop: CancellationToken) {
        if let Err(error) = self.load_lamps().await {
            tracing::warn!(error = %problems::chain(&error), "what was known of deployments can't be read");
        }
        while !stop.is_cancelled() {
            let wait = tokio::select! {
                wait = self.look_at_kept() => wait,
                () = stop.cancelled() => return,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Reads what was found out before a restart, for the pages.
    pub async fn load_lamps(&self) -> Result<(), StorageError> {
        let found = store_standing::readiness(self.inner.db.read()).await?;
        within(&self.inner.lamps.written).extend(found.iter().cloned());
        let mut known = self.inner.lamps.known.write().unwrap_or_else(PoisonError::into_inner);
        for (id, readiness) in found {
            known.entry(id).or_insert(readiness);
        }
        Ok(())
    }

    /// Looks at what is due; returns how long to wait before the next look.
    pub async fn look_at_kept(&self) -> Duration {
        let Ok(kept) = self.kept().await else { return LOOK };
        let now = self.inner.clock.seconds();
        let mut places: HashMap<Place, Vec<Kept>> = HashMap::new();
        for one in &kept {
            places.entry(place(one)).or_default().push(one.clone());
        }
        let mut due = Vec::new();
        for of in places.into_values() {
            let looked = of.iter().map(|kept| self.inner.lamps.of(&kept.deployment).map_or(0, |found| found.at)).min();
            let at = looked.unwrap_or_default();
            if now - at >= EVERY {
                due.push((at, of));
            }
        }
        due.sort_by_key(|(at, of)| (*at, of.first().map(|kept| kept.deployment.to_string())));
        let is_more = due.len() > ROUND;
        let mut round = Vec::new();
        for (_, of) in due.into_iter().take(ROUND) {
            let services = self.clone();
            round.push(
                async move {
                    if let Some(first) = of.first() {
                        let found = services.look_at(&first.service, &reach(first), &first.image, false).await;
                        for kept in &of {
                            services.inner.lamps.set(&kept.deployment, found.clone());
                        }
                    }
                }
                .boxed(),
            );
        }
        futures::stream::iter(round).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        if let Err(error) = self.write_lamps(&kept).await {
            tracing::warn!(error = %problems::chain(&error), "what was found out about deployments can't be written");
        }
        if is_more { BREATH } else { LOOK }
    }

    /// Looks at one deployment now.
    pub(super) async fn look_now(&self, id: &DeploymentId) -> Result<Readiness, AppError> {
        let found = store_deployments::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        let (deployment, reach) = found.ok_or_else(|| AppError::NotFound("deployment".into()))?;
        let found = self.look_at(&deployment.service, &reach, &deployment.image, true).await;
        self.inner.lamps.set(id, found.clone());
        Ok(found)
    }

    /// Looks at an image. Unless it is `wanted` by somebody who waits, a host that was away just now isn't asked.
    async fn look_at(&self, service: &ServiceId, reach: &Reach, image: &ImageRef, wanted: bool) -> Readiness {
        let lamps = &self.inner.lamps;
        let at = self.inner.clock.seconds();
        let is_here = self.inner.docker.has_image(image).await.ok();
        let host = image.host.to_string();
        let away = within(&lamps.away).get(&host).filter(|(until, _)| *until > at && !wanted).cloned();
        let (answer, pull_bytes) = match away {
            Some((_, problem)) => (Answer::Away(problem), None),
            None => self.answer(service, reach, image, is_here == Some(true), at).await,
        };
        judge(Seen { answer, is_here, pull_bytes, nodes: self.inner.observed.platforms(), at })
    }

    /// What the registry says of an image, and the bytes to pull when it isn't here. A host that is away is left alone from
    /// now on.
    async fn answer(
        &self,
        service: &ServiceId,
        reach: &Reach,
        image: &ImageRef,
        is_here: bool,
        at: i64,
    ) -> (Answer, Option<u64>) {
        let pull = match self.pull(reach, image).await {
            Ok(pull) => pull,
            Err(AppError::Problem(problem)) => return (Answer::Refuses(*problem), None),
            Err(error) => return (Answer::Away(Problem::new("readiness.unknown", error.to_string(), "")), None),
        };
        let (away, host) = (&self.inner.lamps.away, image.host.to_string());
        let asked = tokio::time::timeout(LIMIT, self.ask_registry(&pull, image, service)).await;
        match asked.unwrap_or_else(|_| Err(OciError::Timeout { host: pull.access.host() }.into())) {
            Ok(()) => {
                let platforms = self.platforms_of(&pull, image).await.unwrap_or_default();
                let bytes = if is_here { None } else { self.bytes_of(&pull, image).await };
                within(away).remove(&host);
                (Answer::Has(platforms), bytes)
            }
            Err(refusal) if refusal.is_outage => {
                let rest = refusal.seconds.and_then(|seconds| i64::try_from(seconds).ok());
                let until = at + rest.unwrap_or_default().max(LEFT_ALONE);
                within(away).insert(host, (until, refusal.problem.clone()));
                (Answer::Away(refusal.problem), None)
            }
            Err(refusal) => (Answer::Refuses(refusal.problem), None),
        }
    }

    /// The bytes of an image's layers for one of our nodes; None: that can't be found out.
    async fn bytes_of(&self, pull: &Pull, image: &ImageRef) -> Option<u64> {
        let digest = image.digest.as_ref()?;
        if let Some(bytes) = within(&self.inner.lamps.bytes).get(digest) {
            return Some(*bytes);
        }
        let oci = &self.inner.oci;
        let manifest = oci.manifest(&pull.access, &image.repository, digest.as_str()).await.ok()??;
        let bytes = match super::platforms::bytes(&manifest.bytes, &self.inner.observed.platforms()) {
            Ok(bytes) => bytes,
            Err(child) => {
                let child = oci.manifest(&pull.access, &image.repository, child?.as_str()).await.ok()??;
                super::platforms::bytes(&child.bytes, &[]).ok()?
            }
        };
        remember(&self.inner.lamps.bytes, digest, bytes);
        Some(bytes)
    }

    /// Writes what changed, and forgets what isn't kept any more.
    async fn write_lamps(&self, kept: &[Kept]) -> Result<(), StorageError> {
        let lamps = &self.inner.lamps;
        let ids: HashSet<&DeploymentId> = kept.iter().map(|kept| &kept.deployment).collect();
        let (changed, gone) = {
            let written = within(&lamps.written);
            let is_same = |old: &Readiness, new: &Readiness| {
                Readiness { at: 0, ..old.clone() } == Readiness { at: 0, ..new.clone() } && new.at - old.at < WRITTEN
            };
            let known = lamps.known.read().unwrap_or_else(PoisonError::into_inner);
            let changed: Vec<_> = known
                .iter()
                .filter(|(id, new)| ids.contains(id) && written.get(*id).is_none_or(|old| !is_same(old, new)))
                .map(|(id, new)| (id.clone(), new.clone()))
                .collect();
            let gone: Vec<_> = written.keys().filter(|id| !ids.contains(id)).cloned().collect();
            (changed, gone)
        };
        lamps.known.write().unwrap_or_else(PoisonError::into_inner).retain(|id, _| ids.contains(id));
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let mut tx = self.inner.db.write().await?;
        for (id, found) in &changed {
            store_standing::keep_readiness(&mut tx, id, found).await?;
        }
        for id in &gone {
            store_standing::forget_readiness(&mut tx, id).await?;
        }
        tx.commit().await?;
        let mut written = within(&lamps.written);
        written.extend(changed);
        written.retain(|id, _| ids.contains(id));
        Ok(())
    }
}
