//! Room on disks: what there is, and what is done when it gets tight.
//!
//! A look every half a minute finds the places (data folder, Docker's root, volumes of managed registries) and measures
//! them; pages read what it saw. What must always hold: a place that isn't certainly on this machine is "can't be seen",
//! never another disk's figures; a disk that doesn't answer holds nobody up. `room` measures, `guard` refuses builds,
//! `reserve` keeps a little back.

mod guard;
mod reserve;
mod room;

pub use guard::NO_ROOM;
pub use room::{is_tight, room, words};

use crate::config::Config;
use crate::docker::Docker;
use app::api::disk::DiskApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::disk::{Level, Place, Room, Space};
use app::model::id::RegistryId;
use async_trait::async_trait;
use reserve::{Reserve, Tended};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// Between two looks at the data folder alone, for the reserve.
const TEND: Duration = Duration::from_secs(3);
/// The longest that a disk may take to say how full it is, or Docker where it keeps its data.
const PATIENCE: Duration = Duration::from_secs(3);

/// The volume of a managed registry.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Whose it is.
    pub registry: RegistryId,
    /// What people call that.
    pub name: String,
    /// Where its files are on the engine's machine; none: on another node, or not known.
    pub folder: Option<PathBuf>,
}

/// Who knows the volumes of managed registries; plugged in by `start.rs`.
#[async_trait]
pub trait Volumes: Send + Sync {
    /// All there are.
    async fn volumes(&self) -> Vec<Volume>;
}

/// What it works with.
#[derive(Clone)]
pub struct Parts {
    /// Where Docker's root is.
    pub docker: Docker,
    /// Where the data folder is, and what builds need.
    pub config: Config,
}

/// Room on disks. Cheap to clone.
#[derive(Clone)]
pub struct Disks {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    volumes: OnceLock<Arc<dyn Volumes>>,
    reserve: Reserve,
    known: RwLock<Known>,
}

/// What the last look found.
#[derive(Debug, Default)]
struct Known {
    places: Vec<(Place, Option<PathBuf>)>,
    spaces: Vec<Space>,
}

impl Disks {
    /// With all that it works with; knows nothing until the first look.
    pub fn new(parts: Parts) -> Self {
        let reserve = Reserve::new(&parts.config.data_dir);
        Self { inner: Arc::new(Inner { parts, volumes: OnceLock::new(), reserve, known: RwLock::default() }) }
    }

    /// Plugs in who knows the volumes of managed registries. Once.
    pub fn set_volumes(&self, volumes: Arc<dyn Volumes>) {
        if self.inner.volumes.set(volumes).is_err() {
            tracing::warn!("the look at disks has its volumes already");
        }
    }

    /// Looks at once, then again and again, until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        let (mut look, mut tend) = (tokio::time::interval(EVERY), tokio::time::interval(TEND));
        for each in [&mut look, &mut tend] {
            each.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => { self.look().await; }
                // The pages say at once what happened.
                _ = tend.tick() => if self.tend().await { self.look().await; },
            }
        }
    }

    /// Finds the places, measures them, keeps what was found, and says it.
    pub async fn look(&self) -> Vec<Space> {
        let places = tokio::time::timeout(PATIENCE * 2, self.places()).await;
        // Docker is away: where its places were is known.
        let places = places.ok().flatten().unwrap_or_else(|| self.places_now());
        let spaces = self.measure(places.clone()).await;
        let before = std::mem::replace(&mut *self.known(), Known { places, spaces: spaces.clone() });
        tell(&before.spaces, &spaces);
        spaces
    }

    /// Fresh figures of the places that are known. Asks nobody but the disks.
    async fn measure_again(&self) -> Vec<Space> {
        self.measure(self.places_now()).await
    }

    fn known(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.inner.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn places_now(&self) -> Vec<(Place, Option<PathBuf>)> {
        let places = self.inner.known.read().unwrap_or_else(PoisonError::into_inner).places.clone();
        if places.is_empty() { vec![self.data()] } else { places }
    }

    fn data(&self) -> (Place, Option<PathBuf>) {
        (Place::Data, Some(self.inner.parts.config.data_dir.clone()))
    }

    /// All places; None: Docker can't be asked now.
    async fn places(&self) -> Option<Vec<(Place, Option<PathBuf>)>> {
        let Parts { docker, config } = &self.inner.parts;
        let engine = docker.look().await.ok()?;
        // What an engine on another machine calls /var/lib/docker isn't ours.
        let is_here = config.docker_host.starts_with("unix://");
        let mut places = vec![self.data(), (Place::Docker, engine.root.filter(|_| is_here))];
        if let Some(volumes) = self.inner.volumes.get() {
            for Volume { registry, name, folder } in volumes.volumes().await {
                places.push((Place::Registry { id: registry, name }, folder.filter(|_| is_here)));
            }
        }
        Some(places)
    }

    async fn measure(&self, places: Vec<(Place, Option<PathBuf>)>) -> Vec<Space> {
        let needs = self.inner.parts.config.builds_need;
        let mut found: Vec<(Option<u64>, Space)> = Vec::new();
        for (place, folder) in places {
            let measured = match folder {
                Some(folder) => patiently(move || room::measure(&folder)).await.flatten(),
                None => None,
            };
            let device = measured.map(|(device, _)| device);
            let same = found.iter_mut().find(|(other, _)| device.is_some() && *other == device);
            if let Some((_, space)) = same {
                space.places.push(place);
                continue;
            }
            let room = measured.map(|(_, room)| room);
            let level = room.map_or(Level::Fine, |room| needs.level(room));
            let needed = room.map_or(0, |room| needs.of(room.total));
            found.push((device, Space { places: vec![place], room, level, needed }));
        }
        found.into_iter().map(|(_, space)| space).collect()
    }

    /// Looks after the reserve; whether something became of it.
    async fn tend(&self) -> bool {
        let disks = self.clone();
        let tended = patiently(move || {
            let inner = &disks.inner;
            let (_, room): (u64, Room) = room::measure(&inner.parts.config.data_dir)?;
            Some(inner.reserve.tend(room))
        });
        match tended.await.flatten() {
            Some(Ok(Tended::Released)) => {
                tracing::warn!(
                    "the disk with the data folder is full; the reserve is given back so that cleaning up works"
                );
                true
            }
            Some(Ok(Tended::Made)) => {
                tracing::debug!("the reserve of the data folder is there");
                false
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "the reserve of the data folder can't be tended");
                false
            }
            Some(Ok(Tended::Same)) | None => false,
        }
    }
}

/// Work that a disk which hangs would hold up.
async fn patiently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await.ok()?.ok()
}

/// In the log when it changes.
fn tell(before: &[Space], now: &[Space]) {
    for space in now {
        let was = before.iter().find(|other| other.places == space.places).map_or(Level::Fine, |other| other.level);
        let Some(room) = space.room.filter(|_| was != space.level) else { continue };
        let (place, words) = (space.name(), room.words());
        match space.level {
            Level::Fine => tracing::info!(place, "there is room again: {words}"),
            Level::Tight => tracing::warn!(place, "the disk is nearly full: {words}"),
            Level::Short => tracing::error!(place, "the disk has too little room, new builds are refused: {words}"),
        }
    }
}

#[async_trait]
impl DiskApi for Disks {
    async fn spaces(&self, actor: &Actor) -> Result<Vec<Space>, AppError> {
        actor.may(Action::Read)?;
        Ok(self.inner.known.read().unwrap_or_else(PoisonError::into_inner).spaces.clone())
    }
}
