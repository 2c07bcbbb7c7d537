//! The end-to-end probe of a managed registry: sign in, push a tiny blob, read it back, delete it. What it finds is true,
//! whatever the Swarm believes.
//!
//! What must always hold: it ends within [`LIMIT`]; it leaves neither a manifest nor another blob than the one before did;
//! one probe of a registry at a time, because two would delete each other's blob.

use super::record::Record;
use super::{Registries, causes, store_history};
use crate::disk;
use crate::oci::{self, Access, OciError};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::credential::{RegistryUrl, Trust};
use app::model::image_ref::Repository;
use app::model::registry::{Disk, ProbeReport, ProbeStep, Storage};
use std::future::Future;
use std::time::{Duration, Instant};

/// Where the probe pushes. It has blobs alone, so no list of repositories shows it.
pub(super) const REPOSITORY: &str = "slipway-probe";
/// What Slipway calls itself where it looks after a registry, so that a log can leave those lines out.
pub(super) const AGENT: &str = concat!("slipway-probe/", env!("CARGO_PKG_VERSION"));
/// What is pushed; always the same, so that what stays in the storage doesn't grow.
const CONTENT: &[u8] = b"Slipway looks whether this registry works.\n";

/// The longest that one step may take.
const STEP: Duration = Duration::from_secs(10);
/// The longest that all of it may take.
const LIMIT: Duration = Duration::from_secs(20);

/// All steps, in their order, as people read them.
const STEPS: [(&str, &str); 7] = [
    ("connect", "Answers on its port"),
    ("sign_in", "Accepts the password"),
    ("push", "Takes a push"),
    ("read", "Gives it back unchanged"),
    ("delete", "Deletes it"),
    ("storage", "Has room for images"),
    ("domain", "Answers under its domain"),
];

/// A probe under way.
struct Run {
    begun: Instant,
    /// The longest that one step may take.
    patience: Duration,
    steps: Vec<ProbeStep>,
    /// The first thing that went wrong.
    problem: Option<Problem>,
    /// A step failed that the registry can't do without.
    failed: bool,
}

impl Run {
    fn begin(patience: Duration) -> Self {
        Self { begun: Instant::now(), patience, steps: Vec::new(), problem: None, failed: false }
    }

    /// Does a step within its time; what it found, or None when it failed.
    async fn step<T>(
        &mut self,
        record: &Record,
        name: &str,
        is_needed: bool,
        work: impl Future<Output = Result<(T, String), Problem>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let time = self.patience.min(LIMIT.saturating_sub(self.begun.elapsed()));
        let done = match tokio::time::timeout(time, work).await {
            Ok(done) => done,
            Err(_) => Err(causes::hangs(record)),
        };
        let (ok, text, found) = match done {
            Ok((found, text)) => (true, text, Some(found)),
            Err(problem) => {
                let text = problem.cause.clone();
                self.failed |= is_needed;
                self.problem.get_or_insert(problem);
                (false, text, None)
            }
        };
        self.steps.push(ProbeStep {
            name: name.to_owned(),
            title: title(name).to_owned(),
            ok: Some(ok),
            millis: millis(begun),
            text,
        });
        found
    }

    /// All that was found. Steps that weren't reached are in it, too.
    fn end(mut self, at: i64, has_domain: bool) -> ProbeReport {
        for (name, title) in STEPS {
            if self.steps.iter().all(|step| step.name != name) && (name != "domain" || has_domain) {
                let (name, title) = (name.to_owned(), title.to_owned());
                self.steps.push(ProbeStep { name, title, ok: None, millis: 0, text: "Not tried.".into() });
            }
        }
        self.steps.sort_by_key(|step| STEPS.iter().position(|(name, _)| *name == step.name));
        ProbeReport { at, ok: !self.failed, millis: millis(self.begun), steps: self.steps, problem: self.problem }
    }
}

fn title(name: &str) -> &'static str {
    STEPS.iter().find(|(step, _)| *step == name).map_or("", |(_, title)| *title)
}

fn millis(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}

impl Registries {
    /// Probes the registry now, with its credential as it is kept. What goes wrong is in the report; `ok` says whether the
    /// registry works, and a problem beside it is something that needs an eye.
    pub(super) async fn probe(&self, record: &Record) -> Result<ProbeReport, AppError> {
        let access = self.parts.credentials.access(&record.credential).await?;
        self.probe_as(record, &access).await
    }

    /// The same with another login, as while a password is being changed.
    pub(super) async fn probe_as(&self, record: &Record, access: &Access) -> Result<ProbeReport, AppError> {
        let repository: Repository = REPOSITORY.parse().map_err(problems::of)?;
        let _alone = self.watched.alone(&record.id).await;
        let client = self.parts.oci.named(AGENT);
        let at = self.parts.clock.seconds();
        let mut run = Run::begin(STEP);
        let because = |error: OciError| causes::of(&error, record);

        let connected = run.step(record, "connect", true, connect(&client, record, access)).await;
        let mut signed_in = None;
        if connected.is_some() {
            let check = async {
                client.check(access).await.map_err(because)?;
                Ok(((), "The kept password is the registry's.".into()))
            };
            signed_in = run.step(record, "sign_in", true, check).await;
        }
        let mut pushed = None;
        if signed_in.is_some() {
            let push = async {
                let digest = client.push_blob(access, &repository, CONTENT).await.map_err(because)?;
                Ok((digest, format!("{} bytes arrived.", CONTENT.len())))
            };
            pushed = run.step(record, "push", true, push).await;
        }
        if let Some(digest) = pushed {
            let read = async {
                match client.blob(access, &repository, &digest, CONTENT.len()).await.map_err(because)? {
                    Some(bytes) if bytes == CONTENT => Ok(((), "What came back is what was pushed.".into())),
                    _ => Err(lost(record)),
                }
            };
            let read = run.step(record, "read", true, read).await;
            let delete = async {
                match client.delete_blob(access, &repository, &digest).await.map_err(because)? {
                    // Without a successful read it says nothing new that it wasn't there.
                    false if read.is_some() => Err(lost(record)),
                    _ => Ok(((), "Gone again.".into())),
                }
            };
            run.step(record, "delete", true, delete).await;
        }
        let has_pushed = run.steps.iter().any(|step| step.name == "push" && step.ok == Some(true));
        let room = self.room_of(record).await;
        run.problem = run.problem.map(|problem| causes::with_room(problem, room, record));
        run.step(record, "storage", false, async { storage(record, room, has_pushed) }).await;
        if let Some(domain) = record.wanted.domain.as_ref().filter(|_| connected.is_some()) {
            run.step(record, "domain", false, answers_at(&client, record, domain.as_str())).await;
        }
        Ok(run.end(at, record.wanted.domain.is_some()))
    }

    /// Keeps what a probe found, for the page and the uptime strip.
    pub(super) async fn keep_probe(&self, record: &Record, report: ProbeReport) -> Result<(), AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        store_history::keep_check(&mut tx, &record.id, &report).await.map_err(problems::of)?;
        store_history::sweep_checks(&mut tx, self.parts.clock.seconds()).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.watched.keep_probe(&record.id, report);
        Ok(())
    }

    /// Room in the volume, when it is on this machine and Slipway can see it.
    pub(super) async fn room_of(&self, record: &Record) -> Option<Disk> {
        let Storage::Volume { name } = &record.wanted.storage else { return None };
        match self.parts.docker.find_volume(name).await {
            Ok(volume) => volume.and_then(|volume| disk::room(&volume.folder)),
            // Docker being away shows elsewhere; the room is then simply not known.
            Err(error) => {
                tracing::debug!(registry.id = %record.id, %error, "the volume can't be looked at");
                None
            }
        }
    }
}

/// Whether a registry that asks for a password answers on the port.
async fn connect(client: &oci::Client, record: &Record, access: &Access) -> Result<((), String), Problem> {
    let stranger = Access { login: None, ..access.clone() };
    match client.get(&stranger, "/v2/", "").await {
        Err(OciError::SignIn { .. }) => Ok(((), format!("It answers on port {} and asks who is there.", record.port))),
        Ok(answer) if answer.status == 200 => Err(Problem::new(
            "registry.open",
            format!("What answers on 127.0.0.1:{} lets everybody in without a password.", record.port),
            "Restart the registry: that brings its configuration back. If it stays so, another program has its port.",
        )),
        Ok(answer) => {
            let words = String::from_utf8_lossy(&answer.body);
            let words: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
            let answer = format!("{} {words}", answer.status);
            let is_registry = answer.contains("\"errors\"") || answer.starts_with("50");
            let host = access.host();
            let error = if is_registry {
                OciError::Unexpected { host, answer }
            } else {
                OciError::NotARegistry { host, reason: format!("/v2/ answers {answer}") }
            };
            Err(causes::of(&error, record))
        }
        Err(error) => Err(causes::of(&error, record)),
    }
}

/// The bucket is proved by the push; a disk by the room on it.
fn storage(record: &Record, room: Option<Disk>, has_pushed: bool) -> Result<((), String), Problem> {
    match (&record.wanted.storage, room) {
        (Storage::S3(place), _) if has_pushed => Ok(((), format!("The push went into the bucket {}.", place.bucket))),
        (Storage::S3(place), _) => Err(Problem::new(
            "registry.bucket_unproved",
            format!("Whether the bucket {} can be used isn't known, because nothing could be pushed.", place.bucket),
            "Put right what stands above.",
        )),
        (Storage::Volume { .. }, None) => {
            Ok(((), "How much room there is can't be seen from here; the push had enough.".to_owned())).map(
                |(found, text)| if has_pushed { (found, text) } else { (found, "Can't be seen from here.".into()) },
            )
        }
        (Storage::Volume { .. }, Some(room)) if disk::is_tight(room) => Err(Problem::new(
            if room.free == 0 { "registry.disk_full" } else { "registry.disk_tight" },
            format!("The disk that keeps the images is nearly full: {}.", disk::words(room)),
            "Free room on it, or delete images from the registry, before pushes begin to fail.",
        )),
        (Storage::Volume { .. }, Some(room)) => Ok(((), format!("{}.", disk::words(room)))),
    }
}

/// Whether a registry answers under the public name. No password is sent there: the name leads through others' hands.
async fn answers_at(client: &oci::Client, record: &Record, domain: &str) -> Result<((), String), Problem> {
    let away = |words: String| {
        Problem::new(
            "registry.domain_away",
            format!("The registry works, but not under {domain}."),
            format!(
                "Let the reverse proxy for {domain} pass on to port {} of this Swarm, without a limit for bodies.",
                record.port
            ),
        )
        .with_details(words)
    };
    let url: RegistryUrl = domain.parse().map_err(|error| away(format!("{error}")))?;
    let access = Access { url, login: None, trust: Trust { internal: true, ..Trust::default() } };
    match client.get(&access, "/v2/", "").await {
        Err(OciError::SignIn { .. }) => Ok(((), format!("{domain} answers and asks for a password."))),
        Ok(answer) => Err(away(format!("{domain} answers with status {}.", answer.status))),
        Err(error) => Err(away(error.to_string())),
    }
}

/// It took something and doesn't have it.
fn lost(record: &Record) -> Problem {
    Problem::new(
        "registry.forgets",
        "The registry took a push and doesn't have what was pushed.",
        "Two registries may share the port or the storage, or the storage loses what it is given. Look into its log.",
    )
    .with_link(causes::log_page(record), "Open its log")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registries::causes::tests::sample;

    #[tokio::test]
    async fn a_step_that_fails_names_the_cause_and_the_rest_was_not_tried() {
        let record = sample();
        let mut run = Run::begin(STEP);
        let refused = causes::of(&OciError::Refused { host: "x".into() }, &record);
        let connected: Option<()> = run.step(&record, "connect", true, async { Err(refused.clone()) }).await;
        assert_eq!(connected, None);
        run.step(&record, "storage", false, async { storage(&record, None, false) }).await;
        let report = run.end(7, false);
        assert!(!report.ok && report.at == 7);
        assert_eq!(report.problem, Some(refused));
        let steps: Vec<_> = report.steps.iter().map(|step| (step.name.as_str(), step.ok)).collect();
        let expected = [
            ("connect", Some(false)),
            ("sign_in", None),
            ("push", None),
            ("read", None),
            ("delete", None),
            ("storage", Some(true)),
        ];
        assert_eq!(steps, expected);
    }

    #[tokio::test]
    async fn a_step_that_hangs_ends() {
        let record = sample();
        let mut run = Run::begin(Duration::from_millis(5));
        let hung: Option<()> = run.step(&record, "push", true, std::future::pending()).await;
        assert!(hung.is_none() && run.failed);
        assert_eq!(run.problem.as_ref().map(|problem| problem.code.as_str()), Some("registry.hangs"));
    }

    #[tokio::test]
    async fn what_needs_an_eye_is_no_failure() {
        let record = sample();
        let mut run = Run::begin(STEP);
        let full = Disk { free: 0, total: 4_000_000 };
        run.step(&record, "storage", false, async { storage(&record, Some(full), true) }).await;
        let report = run.end(7, true);
        assert!(report.ok, "{report:?}");
        assert_eq!(report.problem.map(|problem| problem.code).as_deref(), Some("registry.disk_full"));
        assert_eq!(report.steps.last().map(|step| (step.name.as_str(), step.ok)), Some(("domain", None)));
    }
}
