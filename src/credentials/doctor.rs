//! The doctor: looks at one thing after the other that a credential has to be good for, each with the registry's own words
//! and a remedy.
//!
//! Push is tried when somebody asks for it alone: some registries keep a trace of the session. In the background the last
//! answer stays.
//!
//! What must always hold: nothing is left behind at the registry (an upload session is cancelled, no image is pulled); a
//! light behind a red one is dark; 20 s in all. Whether a credential works is decided by the sign-in and what comes before
//! it: a registry that can't list, or a token that may not push, may be just what is wanted.

use super::{Credentials, store, with_link};
use crate::oci::{Access, OciError};
use crate::problems;
use crate::providers::{Adapter, Asker, ListError, Page, probe_repository};
use app::error::{AppError, Problem};
use app::model::credential::Credential;
use app::model::image_ref::Repository;
use app::model::report::{Check, Lamp, Light, Report};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// For all lights together.
const BUDGET: Duration = Duration::from_secs(20);
/// So many repositories are looked into for a tag to try.
const TRIED: usize = 3;

/// What was found.
pub(super) struct Examination {
    /// Light by light.
    pub report: Report,
    /// Why the credential doesn't work; None: it does.
    pub problem: Option<Problem>,
}

/// Why it is examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Somebody asked.
    Asked,
    /// Its time has come.
    Schedule,
}

impl Credentials {
    /// Examines a credential. Asks its registry, so never while a page is rendered.
    pub(super) async fn examine(&self, credential: &Credential, occasion: Occasion) -> Result<Examination, AppError> {
        let adapter = self.providers.of(credential.provider);
        let bare = Access { url: credential.url.clone(), login: None, trust: credential.trust.clone() };
        let mut bench = Bench::new(adapter);
        let host = bare.url.host.api_host();

        bench
            .look(Check::Dns, async {
                let addresses = self.oci.look_up(&bare).await?;
                let shown: Vec<String> = addresses.iter().take(3).map(ToString::to_string).collect();
                Ok((Said::green(format!("{host} leads to {}.", shown.join(", "))), ()))
            })
            .await;
        bench.look(Check::Tls, async { Ok((Said::green(sentence(&self.oci.shake_hands(&bare).await?)), ())) }).await;
        bench.look(Check::Api, async { Ok((Said::green(sentence(&self.oci.greet(&bare).await?)), ())) }).await;
        let access = bench
            .look(Check::Login, async {
                let access = self.access_of(credential).await.map_err(Failure::App)?;
                self.oci.check(&access).await?;
                Ok((Said::green(format!("{host} accepts {}.", shown_user(credential))), access))
            })
            .await;
        if let Some(error) = bench.broken.take() {
            return Err(error);
        }
        let problem = bench.problem.take().map(|problem| with_link(problem, &credential.id));
        if let Some(access) = access {
            let listed = bench.look(Check::List, self.list(adapter, &access, credential)).await.unwrap_or_default();
            bench.look(Check::Pull, self.pull(adapter, &access, &listed)).await;
            match occasion {
                Occasion::Asked => bench.look(Check::Push, self.push(&access, credential, &listed)).await,
                Occasion::Schedule => bench.look(Check::Push, async { Ok((last_push(credential), ())) }).await,
            };
        }
        Ok(Examination { report: bench.report(self.clock.seconds()), problem })
    }

    async fn list(
        &self,
        adapter: &dyn Adapter,
        access: &Access,
        credential: &Credential,
    ) -> Result<(Said, Vec<Repository>), Failure> {
        let asker = Asker { access, namespaces: &credential.namespaces };
        match adapter.repositories(asker, None).await {
            Ok(Page { items, next }) if items.is_empty() && next.is_none() => {
                let found =
                    "It lists, and shows nothing: there is nothing yet, or nothing that this credential may see.";
                Ok((Said::green(found), Vec::new()))
            }
            Ok(Page { items, next }) => {
                let count = match items.len() {
                    1 => "1 repository".to_owned(),
                    count => format!("{count} repositories"),
                };
                let more = if next.is_some() { " and more" } else { "" };
                let names = items.into_iter().map(|item| item.name).collect();
                Ok((Said::green(format!("It shows {count}{more}.")), names))
            }
            Err(ListError::CannotList(words)) => {
                let remedy = "That may stay so: type an image's name, and Slipway checks it.";
                Ok((Said::amber(sentence(&words), remedy), Vec::new()))
            }
            Err(ListError::Wait(seconds)) => {
                let remedy = format!("Test again in {seconds} s.");
                Ok((Said::amber("It wants to be asked less often.", remedy), Vec::new()))
            }
            // What can't be listed can be pulled and pushed all the same.
            Err(ListError::Failed(error)) => Ok((Said::of(explained(adapter, &error), Lamp::Amber), Vec::new())),
        }
    }

    /// Asks for the digest of a listed tag by HEAD, which no registry counts as a pull.
    async fn pull(&self, adapter: &dyn Adapter, access: &Access, listed: &[Repository]) -> Result<(Said, ()), Failure> {
        for repository in listed.iter().take(TRIED) {
            let tag = match adapter.tags(access, repository, None).await {
                Ok(page) => page.items.into_iter().next().map(|tag| tag.name),
                Err(ListError::CannotList(_) | ListError::Wait(_)) => None,
                Err(ListError::Failed(error)) => return amber_or_red(adapter, error),
            };
            let Some(tag) = tag else { continue };
            return match self.oci.digest(access, repository, tag.as_str()).await {
                Ok(Some(_)) => Ok((Said::green(format!("{repository}:{tag} can be read.")), ())),
                Ok(None) => Ok((Said::dark(format!("{repository}:{tag} went away while it was looked at.")), ())),
                Err(error) => amber_or_red(adapter, error),
            };
        }
        Ok((Said::dark("There is nothing to try it on: no tag was listed."), ()))
    }

    /// Opens an upload session and cancels it: where a registry would push to, else at a name of our own.
    async fn push(
        &self,
        access: &Access,
        credential: &Credential,
        listed: &[Repository],
    ) -> Result<(Said, ()), Failure> {
        let adapter = self.providers.of(credential.provider);
        let base = store::base_path(self.db.read(), &credential.id)
            .await
            .map_err(|error| Failure::App(problems::of(error)))?;
        let named = probe_repository(credential.provider, access, &credential.namespaces, base.as_ref());
        let Some(repository) = named.or_else(|| listed.first().cloned()) else {
            return Ok((Said::dark("It isn't known where it could push to; a registry's base path would say it."), ()));
        };
        match self.oci.may_push(access, &repository).await {
            Ok(()) => {
                let found = format!("An upload to {repository} may begin. It was cancelled; nothing is left of it.");
                Ok((Said::green(found), ()))
            }
            Err(error @ (OciError::Denied { .. } | OciError::WrongCredentials { .. })) => {
                let general = error.problem();
                let known = adapter.explain(&error).filter(|problem| problem.cause != general.cause);
                let problem = known.unwrap_or(Problem {
                    cause: format!("It may not push to {repository}. That is fine for pulling."),
                    remedy: "To push, give the token or account the right to, then test again.".into(),
                    ..general
                });
                Ok((Said::of(problem, Lamp::Amber), ()))
            }
            Err(error) => amber_or_red(adapter, error),
        }
    }
}

/// What the last test that somebody asked for said of pushing.
fn last_push(credential: &Credential) -> Said {
    let last = credential.report.iter().flat_map(|report| &report.lights).find(|light| light.check == Check::Push);
    match last.filter(|light| matches!(light.lamp, Lamp::Green | Lamp::Amber)) {
        Some(Light { lamp, found, answer, remedy, .. }) => {
            let found = format!("{} {LAST}", found.trim_end_matches(LAST).trim_end());
            Said { lamp: *lamp, found, answer: answer.clone(), remedy: remedy.clone() }
        }
        None => Said::dark("“Test again” alone tries this, because some registries keep a trace of it."),
    }
}

/// Behind what wasn't looked at this time.
const LAST: &str = "(At the last “Test again”.)";

/// Refusals concern this one thing; everything else would stop the next things too.
fn amber_or_red(adapter: &dyn Adapter, error: OciError) -> Result<(Said, ()), Failure> {
    match error {
        OciError::Denied { .. }
        | OciError::WrongCredentials { .. }
        | OciError::SignIn { .. }
        | OciError::NotOffered { .. }
        | OciError::RateLimited { .. }
        | OciError::Unexpected { .. } => Ok((Said::of(explained(adapter, &error), Lamp::Amber), ())),
        error => Err(error.into()),
    }
}

fn explained(adapter: &dyn Adapter, error: &OciError) -> Problem {
    adapter.explain(error).unwrap_or_else(|| error.problem())
}

fn shown_user(credential: &Credential) -> &str {
    if credential.username == crate::oci::Login::TOKEN { "the token" } else { &credential.username }
}

/// With a capital letter and a full stop.
fn sentence(words: &str) -> String {
    let words = words.trim().trim_end_matches('.');
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// Why a look ended.
enum Failure {
    Oci(OciError),
    App(AppError),
}

impl From<OciError> for Failure {
    fn from(error: OciError) -> Self {
        Self::Oci(error)
    }
}

/// A light without its check and time.
struct Said {
    lamp: Lamp,
    found: String,
    answer: Option<String>,
    remedy: Option<String>,
}

impl Said {
    fn green(found: impl Into<String>) -> Self {
        Self { lamp: Lamp::Green, found: found.into(), answer: None, remedy: None }
    }

    fn amber(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { lamp: Lamp::Amber, found: found.into(), answer: None, remedy: Some(remedy.into()) }
    }

    fn dark(found: impl Into<String>) -> Self {
        Self { lamp: Lamp::Dark, found: found.into(), answer: None, remedy: None }
    }

    fn of(problem: Problem, lamp: Lamp) -> Self {
        Self { lamp, found: problem.cause, answer: problem.details, remedy: Some(problem.remedy) }
    }
}

/// The lights so far, and the time that is left.
struct Bench<'a> {
    adapter: &'a dyn Adapter,
    deadline: Instant,
    lights: Vec<Light>,
    /// Why the first red light is red.
    problem: Option<Problem>,
    /// A failure of our own.
    broken: Option<AppError>,
}

impl<'a> Bench<'a> {
    fn new(adapter: &'a dyn Adapter) -> Self {
        let deadline = Instant::now() + BUDGET;
        Self { adapter, deadline, lights: Vec::new(), problem: None, broken: None }
    }

    /// Looks at one thing, unless something before it is red.
    async fn look<T>(&mut self, check: Check, work: impl Future<Output = Result<(Said, T), Failure>>) -> Option<T> {
        if self.lights.iter().any(|light| light.lamp == Lamp::Red) || self.broken.is_some() {
            return None;
        }
        let started = Instant::now();
        let (said, value) = match timeout_at(self.deadline, work).await {
            Ok(Ok((said, value))) => (said, Some(value)),
            Ok(Err(Failure::Oci(error))) => (self.red(explained(self.adapter, &error)), None),
            Ok(Err(Failure::App(AppError::Problem(problem)))) => (self.red(*problem), None),
            Ok(Err(Failure::App(error))) => {
                self.broken = Some(error);
                return None;
            }
            Err(_) => {
                let problem = Problem::new(
                    "registry.timeout",
                    format!("There was no answer within the {} s that the whole test may take.", BUDGET.as_secs()),
                    "Test again; if it stays so, look at the registry's load and at the network between.",
                );
                (self.red(problem), None)
            }
        };
        let millis = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let Said { lamp, found, answer, remedy } = said;
        self.lights.push(Light { check, lamp, found, answer, remedy, millis });
        value
    }

    fn red(&mut self, problem: Problem) -> Said {
        self.problem = Some(problem.clone());
        Said::of(problem, Lamp::Red)
    }

    /// All lights; those that weren't looked at are dark.
    fn report(mut self, at: i64) -> Report {
        let culprit = self.lights.iter().find(|light| light.lamp == Lamp::Red).map(|light| light.check.name());
        for check in Check::ALL.into_iter().skip(self.lights.len()) {
            let found = match culprit {
                Some(name) => format!("Not looked at: first {name} has to be put right."),
                None => "Not looked at.".to_owned(),
            };
            let Said { lamp, found, answer, remedy } = Said::dark(found);
            self.lights.push(Light { check, lamp, found, answer, remedy, millis: 0 });
        }
        Report { lights: self.lights, at }
    }
}
