//! Looks after tags of image services: asks their registries now and then which digest they lead to, and says or deploys what
//! is new.
//!
//! What must always hold: a digest that didn't come up isn't deployed again by itself; nothing is deployed while somebody
//! went back and new versions wait; a registry that refuses is asked less often, never more.

use super::store_watch::{self, Watched};
use super::{ImageWish, Services, store_deployments};
use crate::problems;
use app::error::{AppError, Blocker, Problem};
use app::model::id::{DeploymentId, ServiceId};
use app::model::image_ref::{Digest, ImageRef};
use app::model::job::JobState;
use app::model::service::{Origin, Source};
use app::model::tag_watch::{News, TagWatch, Waits, WatchMode};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Seconds between two looks at a tag.
const EVERY: i64 = 300;
/// Seconds after which a registry that limits is asked again; it may say more in its answer, which the client of registries
/// keeps to.
const LIMITED: i64 = 1_800;
/// The longest wait after failures.
const LONGEST: i64 = 6 * 3_600;
/// How often it is looked which tags are due.
const PAUSE: Duration = Duration::from_secs(20);
/// In whose name it deploys.
const BY: &str = "slipway";

/// What a digest behind the tag means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It runs, is on its way, was dealt with, or nothing of this tag was ever deployed.
    Nothing {
        /// Whether it counts as dealt with.
        handled: bool,
    },
    /// It is to be deployed.
    Deploy,
    /// It waits for somebody.
    Wait(Waits),
}

/// Judges what was seen. `tried` are the deployments of this digest, newest first.
fn verdict(of: &Watched, seen: &Digest, tried: &[(i64, JobState)]) -> Verdict {
    let Some(current) = of.current.as_ref().filter(|current| is_same_tag(current, &of.image)) else {
        return Verdict::Nothing { handled: false };
    };
    if current.digest.as_ref() == Some(seen) {
        return Verdict::Nothing { handled: true };
    }
    match tried.first() {
        Some((_, state)) if !state.is_final() => return Verdict::Nothing { handled: true },
        Some((number, JobState::Failed | JobState::Cancelled)) => {
            return Verdict::Wait(Waits::Failed { number: *number });
        }
        _ => {}
    }
    if of.handled.as_ref() == Some(seen) {
        return Verdict::Nothing { handled: true };
    }
    match of.mode {
        WatchMode::Off => Verdict::Nothing { handled: false },
        _ if of.is_paused => Verdict::Wait(Waits::Paused),
        WatchMode::Notify => Verdict::Wait(Waits::Notify),
        WatchMode::Deploy => Verdict::Deploy,
    }
}

fn is_same_tag(one: &ImageRef, other: &ImageRef) -> bool {
    one.host == other.host && one.repository == other.repository && one.tag == other.tag
}

/// When a registry is asked again after so many failures in a row.
fn wait(failures: i64, problem: &Problem) -> i64 {
    let doubled = EVERY.saturating_mul(1 << failures.clamp(0, 10));
    let least = if problem.code.ends_with("rate_limited") { LIMITED } else { EVERY };
    doubled.clamp(least, LONGEST)
}

impl Services {
    /// Looks at tags that are due, again and again, until `stop`. Started by `start.rs`.
    pub async fn watch_tags(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = self.look_at_due() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One after the other: nobody is in a hurry.
    async fn look_at_due(&self) {
        let now = self.inner.clock.seconds();
        let due = match store_watch::due(self.inner.db.read(), now).await {
            Ok(due) => due,
            Err(error) => return tracing::warn!(%error, "watched tags can't be read"),
        };
        for service in due {
            if let Err(error) = self.look_at_tag(&service).await {
                tracing::info!(service.id = %service, %error, "a watched tag wasn't looked at");
            }
        }
    }

    /// Asks the registry now, and says or deploys what is new. What goes wrong there is kept as the watch's state; the answer
    /// is the deployment, if there is one.
    pub async fn look_at_tag(&self, id: &ServiceId) -> Result<Option<DeploymentId>, AppError> {
        let service = self.live(id).await?;
        let Source::Image(source) = &service.source else { return Err(nothing_to_watch()) };
        if service.watch == WatchMode::Off || source.image.digest.is_some() {
            return Err(nothing_to_watch());
        }
        let tag = source.image.clone();
        let now = self.inner.clock.seconds();
        let digest = match self.resolve(id, source).await {
            Ok(ImageRef { digest: Some(digest), .. }) => digest,
            Ok(_) => return Err(nothing_to_watch()),
            Err(error) => {
                let problem = match error {
                    AppError::Problem(problem) => *problem,
                    other => Problem::new("watch.failed", other.to_string(), "It is tried again by itself."),
                };
                let mut tx = self.inner.db.write().await.map_err(problems::of)?;
                let failures = store_watch::failures(&mut tx, id, &tag).await.map_err(problems::of)?;
                let next = now + wait(failures + 1, &problem);
                store_watch::failed(&mut tx, id, &tag, &problem, next).await.map_err(problems::of)?;
                tx.commit().await.map_err(problems::of)?;
                return Ok(None);
            }
        };
        let ready = self.ready(id, Some(ImageWish::Digest(digest.clone()))).await?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        store_watch::seen(&mut tx, id, &tag, &digest, now, now + EVERY).await.map_err(problems::of)?;
        let Some(watched) = store_watch::find(&mut *tx, id).await.map_err(problems::of)? else { return Ok(None) };
        let tried = store_deployments::of_digest(&mut *tx, id, &digest).await.map_err(problems::of)?;
        let deployed = match verdict(&watched, &digest, &tried) {
            Verdict::Wait(_) => None,
            Verdict::Nothing { handled } => {
                if handled {
                    store_watch::handled(&mut tx, id, &digest).await.map_err(problems::of)?;
                }
                None
            }
            Verdict::Deploy => {
                let image = ImageRef { digest: Some(digest.clone()), ..tag };
                let deployment = self.deploy_ready(&mut tx, ready.of_watch(image), BY).await?;
                store_watch::handled(&mut tx, id, &digest).await.map_err(problems::of)?;
                Some(deployment)
            }
        };
        tx.commit().await.map_err(problems::of)?;
        if deployed.is_some() {
            self.inner.jobs.wake();
        }
        Ok(deployed)
    }

    /// What is known about all watched tags, or that of one service.
    pub(super) async fn tag_watches(&self, of: Option<&ServiceId>) -> Result<Vec<TagWatch>, AppError> {
        let read = self.inner.db.read();
        let mut found = Vec::new();
        for watched in store_watch::all(read, of).await.map_err(problems::of)? {
            let mut news = None;
            if let Some(digest) = &watched.digest {
                let tried = store_deployments::of_digest(read, &watched.service, digest).await.map_err(problems::of)?;
                news = match verdict(&watched, digest, &tried) {
                    Verdict::Wait(waits) => Some(News { digest: digest.clone(), waits }),
                    // It is deployed at the next look.
                    Verdict::Deploy | Verdict::Nothing { .. } => None,
                };
            }
            found.push(TagWatch {
                service: watched.service,
                mode: watched.mode,
                image: watched.image,
                seen: watched.digest,
                looked: watched.looked,
                next: watched.next,
                problem: watched.problem,
                news,
            });
        }
        Ok(found)
    }
}

fn nothing_to_watch() -> AppError {
    let reason = "Nobody looks after the tag of this service. Choose that on its form.".to_owned();
    AppError::Blocked(vec![Blocker { reason, link: None }])
}

impl super::Ready {
    /// The same, because its tag led there.
    fn of_watch(self, image: ImageRef) -> Self {
        let mut ready = self;
        (ready.image, ready.origin) = (image, Origin::Watch);
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        format!("sha256:{}", format!("{n:x}").repeat(64)).parse().expect("a digest")
    }

    fn watched(mode: WatchMode, runs: Option<u8>) -> Watched {
        let image: ImageRef = "ghcr.io/acme/web:1".parse().expect("an image");
        Watched {
            service: ServiceId::from_random([1; 8]),
            mode,
            current: runs.map(|n| ImageRef { digest: Some(digest(n)), ..image.clone() }),
            image,
            digest: None,
            handled: None,
            is_paused: false,
            looked: None,
            next: 0,
            problem: None,
        }
    }

    #[test]
    fn a_new_digest_is_said_or_deployed() {
        use WatchMode::{Deploy, Notify};
        assert_eq!(verdict(&watched(Notify, Some(1)), &digest(2), &[]), Verdict::Wait(Waits::Notify));
        assert_eq!(verdict(&watched(Deploy, Some(1)), &digest(2), &[]), Verdict::Deploy);
        assert_eq!(verdict(&watched(Deploy, Some(2)), &digest(2), &[]), Verdict::Nothing { handled: true });
        assert_eq!(verdict(&watched(Deploy, None), &digest(2), &[]), Verdict::Nothing { handled: false });
        let mut other = watched(Deploy, Some(1));
        other.image = "ghcr.io/acme/web:2".parse().expect("an image");
        assert_eq!(verdict(&other, &digest(2), &[]), Verdict::Nothing { handled: false });
    }

    #[test]
    fn it_waits_while_paused_and_never_tries_twice() {
        let of = watched(WatchMode::Deploy, Some(1));
        let paused = Watched { is_paused: true, ..of.clone() };
        assert_eq!(verdict(&paused, &digest(2), &[]), Verdict::Wait(Waits::Paused));
        for state in [JobState::Failed, JobState::Cancelled] {
            assert_eq!(verdict(&of, &digest(2), &[(7, state)]), Verdict::Wait(Waits::Failed { number: 7 }));
        }
        assert_eq!(verdict(&of, &digest(2), &[(7, JobState::Running)]), Verdict::Nothing { handled: true });
        // Somebody went back and lets new versions come again: the one that was left doesn't return by itself.
        let left = Watched { handled: Some(digest(2)), ..of.clone() };
        assert_eq!(verdict(&left, &digest(2), &[(7, JobState::Succeeded)]), Verdict::Nothing { handled: true });
        assert_eq!(verdict(&left, &digest(3), &[]), Verdict::Deploy);
        // A superseded one never ran.
        assert_eq!(verdict(&of, &digest(2), &[(7, JobState::Superseded)]), Verdict::Deploy);
    }

    #[test]
    fn a_registry_that_refuses_is_asked_less_often() {
        let failure = Problem::new("registry.refused", "", "");
        let limited = Problem::new("deploy.rate_limited", "", "");
        assert_eq!([1, 2, 3, 60].map(|n| wait(n, &failure)), [600, 1_200, 2_400, LONGEST]);
        assert_eq!(wait(1, &limited), LIMITED);
    }
}
