//! The look at builders in the background: whether each builds, for what, and how large its cache is. One that doesn't run
//! yet is started by the look.

use super::buildx::{self, Definition};
use super::seen::One;
use super::{Builders, Record, causes, repair, store};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::builder::{BuilderKind, WhichBuilder};
use app::model::platform::Platform;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(5);

impl Builders {
    /// Looks after all builders until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                looked = self.look_at_due(&stop) => {
                    if let Err(error) = looked {
                        tracing::warn!(%error, "builders couldn't be looked after");
                    }
                }
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = self.inner.wake.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Looks at those whose time has come, all at the same time, and forgets what was deleted.
    async fn look_at_due(&self, stop: &CancellationToken) -> Result<(), AppError> {
        let records = store::list(self.inner.parts.db.read()).await.map_err(problems::of)?;
        let names: Vec<String> = records.iter().map(|record| super::buildx_name(&record.id)).collect();
        if let Err(problem) = self.sweep(&names, stop).await {
            tracing::warn!(cause = problem.cause, "builders that were deleted couldn't be taken out of buildx");
        }
        let now = self.inner.parts.clock.seconds();
        let mut due = Vec::new();
        let mut all = vec![WhichBuilder::Engine];
        if self.inner.seen.one(&WhichBuilder::Engine).is_due(0, now) {
            due.push(None);
        }
        for record in records {
            let which = WhichBuilder::Added(record.id.clone());
            if self.inner.seen.one(&which).is_due(record.version, now) {
                due.push(Some(record));
            }
            all.push(which);
        }
        self.inner.seen.keep(&all);
        futures::future::join_all(due.iter().map(|record| self.look(record.as_ref(), stop))).await;
        Ok(())
    }

    /// Looks at one (none: the engine's own) now, and keeps what is found.
    pub(super) async fn look(&self, record: Option<&Record>, stop: &CancellationToken) {
        let which = record.map_or(WhichBuilder::Engine, |record| WhichBuilder::Added(record.id.clone()));
        let before = self.inner.seen.one(&which);
        self.inner.seen.change(&which, |one| {
            one.is_looking = true;
            one.is_due = false;
        });
        let mut found = match record {
            None => self.look_at_engine(stop).await,
            Some(record) => self.look_at(record, stop).await,
        };
        let now = self.inner.parts.clock.seconds();
        (found.disk, found.disk_at) = (before.disk, before.disk_at);
        if found.problem.is_none() && before.wants_disk(now) {
            let name = record.map_or_else(|| buildx::ENGINE.to_owned(), |record| super::buildx_name(&record.id));
            found.disk = self.disk_use(&name, stop).await;
            found.disk_at = now;
        }
        match (&before.problem, &found.problem) {
            (_, Some(problem)) if before.problem.as_ref().is_none_or(|old| old.code != problem.code) => {
                tracing::warn!(builder = %which, code = problem.code, cause = problem.cause, "a builder doesn't build");
            }
            (Some(_), None) => tracing::info!(builder = %which, "a builder builds again"),
            _ => {}
        }
        self.inner.seen.change(&which, |one| {
            let is_due = one.is_due;
            *one = One { at: now, version: record.map_or(0, |record| record.version), is_due, ..found };
        });
    }

    async fn look_at_engine(&self, stop: &CancellationToken) -> One {
        let engine = match self.inner.parts.docker.look().await {
            Ok(engine) => engine,
            Err(error) => return failing(error.problem()),
        };
        let native: Option<Platform> = engine.platform.as_deref().and_then(|text| text.parse().ok());
        let listed = match self.inspect(buildx::ENGINE, stop).await {
            Ok(Ok(seen)) => seen.into_iter().flat_map(|node| node.platforms).collect(),
            // An engine without BuildKit still builds with buildx' own words.
            Ok(Err(written)) => {
                tracing::debug!(written, "buildx can't say what the engine builds for");
                Vec::new()
            }
            Err(problem) => return failing(problem),
        };
        let (native, emulated) = apart(native, listed);
        One { native, emulated, makes_several: engine.containerd_store, ..One::default() }
    }

    async fn look_at(&self, record: &Record, stop: &CancellationToken) -> One {
        match self.bring_up(record, stop).await {
            Ok(found) => found,
            Err(problem) => failing(problem.with_link(super::page(&record.id), format!("Open {}", record.name))),
        }
    }

    async fn bring_up(&self, record: &Record, stop: &CancellationToken) -> Result<One, Problem> {
        let (definition, _files) = self.open(record).await?;
        self.repair(&definition, stop).await?;
        let seen = match self.inspect(&definition.name, stop).await? {
            Ok(seen) => seen,
            Err(written) => return Err(causes::of(&self.asked_again(&definition, written).await, &definition)),
        };
        if let Some(error) = seen.iter().find_map(|node| node.error.as_ref()) {
            return Err(causes::of(error, &definition));
        }
        if seen.len() != definition.parts() || !seen.iter().all(|node| node.runs) {
            return Err(Problem::new("builder.stopped", "It doesn't run.", "Check again; Slipway starts it then."));
        }
        let listed = seen.into_iter().flat_map(|node| node.platforms).collect();
        let (native, emulated) = match record.kind {
            BuilderKind::Remote => (record.nodes.iter().map(|node| node.platform.clone()).collect(), Vec::new()),
            _ => {
                let engine = self.inner.parts.docker.look().await.map_err(|error| error.problem())?;
                apart(engine.platform.as_deref().and_then(|text| text.parse().ok()), listed)
            }
        };
        Ok(One { native, emulated, makes_several: true, ..One::default() })
    }

    /// buildx says of BuildKit elsewhere only that it waited in vain: whether anybody answers there says more.
    async fn asked_again(&self, of: &Definition, written: String) -> String {
        if !written.contains("deadline exceeded") {
            return written;
        }
        for node in of.nodes.iter().filter(|node| node.keys.is_some()) {
            let address = node.endpoint.as_str().trim_start_matches("tcp://");
            let asked = tokio::time::timeout(TICK, tokio::net::TcpStream::connect(address)).await;
            if let Ok(Err(error)) = asked {
                return format!("ERROR: {}: {error}", node.endpoint);
            }
        }
        written
    }

    async fn inspect(
        &self,
        name: &str,
        stop: &CancellationToken,
    ) -> Result<Result<Vec<buildx::Seen>, String>, Problem> {
        if let Err(error) = std::fs::create_dir_all(self.inner.place.folder.join("home")) {
            return Err(repair::folder(&error));
        }
        let asked = self.buildx(buildx::inspect(&self.inner.place, name), stop).await?;
        Ok(asked.map(|text| buildx::read_inspected(&text)))
    }

    async fn disk_use(&self, name: &str, stop: &CancellationToken) -> Option<u64> {
        let asked = self.buildx(buildx::disk_use(&self.inner.place, name), stop).await;
        asked.ok()?.ok().and_then(|text| buildx::read_disk_use(&text))
    }
}

fn failing(problem: Problem) -> One {
    One { problem: Some(problem), ..One::default() }
}

/// What a processor runs itself, and what is left for emulators.
fn apart(own: Option<Platform>, listed: Vec<Platform>) -> (Vec<Platform>, Vec<Platform>) {
    let Some(own) = own else { return (listed, Vec::new()) };
    let (mut native, emulated): (Vec<_>, Vec<_>) = listed.into_iter().partition(|platform| own.runs(platform));
    if !native.contains(&own) {
        native.insert(0, own);
    }
    (native, emulated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_and_emulated_are_told_apart() {
        let platforms = |text: &str| {
            text.split_whitespace().map(|text| text.parse().expect("a platform")).collect::<Vec<Platform>>()
        };
        let own = platforms("linux/amd64").pop();
        assert_eq!(
            apart(own.clone(), platforms("linux/amd64 linux/386 linux/arm64")),
            (platforms("linux/amd64 linux/386"), platforms("linux/arm64"))
        );
        assert_eq!(apart(own, Vec::new()), (platforms("linux/amd64"), Vec::new()));
        assert_eq!(apart(None, platforms("linux/arm64")), (platforms("linux/arm64"), Vec::new()));
    }
}
