//! The head of a managed registry's page, and below it in a sentence how it is, with the button that helps.

use super::super::default_badge;
use crate::api::registries::{AcceptRegistryLoss, CheckRegistry, MakeDefaultRegistry, RestartRegistry, RetryRegistry};
use crate::error::Problem;
use crate::model::job::{Job, JobState, Step};
use crate::model::registry::{Managed, ManagedState, ManagedStatus, Phase, Registry};
use crate::pages::jobs::kind_words;
use crate::paths;
use crate::ui::{Age, Form, Icon, ManagedBadge, Name, Note, PageHead, ProblemBox, Submit};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Whether a job about it is under way.
fn is_busy(newest: Option<&(Job, Vec<Step>)>) -> bool {
    newest.is_some_and(|(job, _)| !job.state.is_final())
}

/// Name, state, and what can be done.
pub(super) fn head(
    registry: &Registry,
    of: &Managed,
    status: &ManagedStatus,
    newest: Option<&(Job, Vec<Step>)>,
    live: AnyView,
) -> impl IntoView + use<> {
    let id = registry.id.clone();
    let busy = is_busy(newest);
    // Another one of these, and the browser loads the whole page again instead of parts of it.
    let job = of.job.as_ref().map(ToString::to_string).unwrap_or_default();
    let whole = format!("{}-{job}-{busy}-{}", of.phase.as_str(), registry.version);
    let badges = view! {
        <span id="state" data-page=whole><ManagedBadge phase=of.phase state=status.state/></span>
        {default_badge(registry)}
        {live}
    }
    .into_any();
    let button = |to: &'static str, text: &'static str, icon: Name| {
        view! {
            <Form to=to class="row" flat=true hidden=vec![("id", id.to_string())]><Submit text=text icon=icon/></Form>
        }
        .into_any()
    };
    let runs = of.phase == Phase::Running && status.state != ManagedState::NotCreated;
    let free = runs && !busy;
    let power = free.then(|| match status.state {
        ManagedState::Stopped => button(RestartRegistry::PATH, "Start", Name::Play),
        _ => button(RestartRegistry::PATH, "Restart", Name::Power),
    });
    let check = runs.then(|| button(CheckRegistry::PATH, "Probe now", Name::Refresh));
    let make_default =
        (runs && !registry.is_default).then(|| button(MakeDefaultRegistry::PATH, "Make default", Name::Star));
    let is_failed = of.phase == Phase::Failed && !busy;
    let edit = (free || is_failed).then(|| {
        view! { <a class="button" href=paths::edit_registry(&registry.id)><Icon name=Name::Pencil/>"Edit"</a> }
    });
    let browse = runs.then(|| {
        let images = paths::images("", Some(&registry.credential), &[]);
        view! { <a class="button quiet" href=images><Icon name=Name::Image/>"Browse images"</a> }
    });
    let logs = runs.then(|| {
        view! { <a class="button quiet" href=paths::registry_logs(&registry.id)><Icon name=Name::Logs/>"Logs"</a> }
    });
    let garbage = runs.then(|| {
        view! { <a class="button quiet" href=paths::registry_garbage(&registry.id)><Icon name=Name::Trash/>"Garbage"</a> }
    });
    let retention = runs.then(|| {
        view! { <a class="button quiet" href=paths::registry_retention(&registry.id)>"Retention"</a> }
    });
    let delete = (of.phase != Phase::Deleting || status.state == ManagedState::Failing).then(|| {
        view! { <a class="button" href=paths::delete_registry(&registry.id)><Icon name=Name::Trash/>"Delete"</a> }
    });
    view! {
        <PageHead title=registry.name.clone() under=(paths::REGISTRIES.into(), "Registries".into()) badge=badges>
            {browse}
            {logs}
            {garbage}
            {retention}
            {check}
            <div id="power">{power}</div>
            {make_default}
            {edit}
            {delete}
        </PageHead>
    }
}

/// How it is, what is wrong, and the way out.
pub(super) fn now(
    registry: &Registry,
    of: &Managed,
    status: &ManagedStatus,
    newest: Option<&(Job, Vec<Step>)>,
) -> impl IntoView + use<> {
    let busy = is_busy(newest);
    let looked = (status.looked_at > 0).then(|| {
        view! { <span class="hint">" Docker was asked "<Age seconds=status.looked_at/>"."</span> }
    });
    let failed = newest.filter(|(job, _)| job.state == JobState::Failed).map(|(job, _)| job.clone());
    // The job's own problem, unless the state tells the same.
    let job_problem = failed.as_ref().and_then(|job| {
        let problem = job.problem.clone()?;
        let is_told =
            status.problem.as_ref().is_some_and(|told| told.code == problem.code || told.cause == problem.cause);
        (!is_told).then_some((kind_words(&job.kind), paths::job(&job.id), problem))
    });
    let told = status.problem.clone().map(|problem| {
        let way_out = (!busy).then(|| way_out(registry, of, status.state, &problem));
        view! { <ProblemBox problem/> {way_out} }
    });
    let shut = status.shut_since.map(|since| {
        view! {
            <p class="hint">"No pushes since "<Age seconds=since/>": its garbage is being collected. Builds wait and go on by themselves."</p>
        }
    });
    // Nothing of it runs and nobody said why: the button is needed all the same.
    let retry = (status.problem.is_none() && of.phase == Phase::Failed && !busy).then(|| retry(registry));
    view! {
        <div class="stack" id="now">
            <p class="headline">{status.headline.clone()}{looked}</p>
            {shut}
            {told}
            {retry}
        </div>
        {job_problem.map(|(kind, href, problem)| view! {
            <Note tone="warn" title=format!("{kind} failed: {}", problem.cause)>
                <p>{problem.remedy}" "<a href=href>"Open the job"</a></p>
            </Note>
        })}
    }
}

fn retry(registry: &Registry) -> AnyView {
    let hidden = vec![("id", registry.id.to_string())];
    view! {
        <Form to=RetryRegistry::PATH class="row" flat=true hidden=hidden>
            <Submit text="Try again" class="primary" icon=Name::Refresh/>
            <span class="hint">"What the first try made was taken away again. For another place or port, delete this one and create another."</span>
        </Form>
    }
    .into_any()
}

/// The button that fits what is wrong.
fn way_out(registry: &Registry, of: &Managed, state: ManagedState, problem: &Problem) -> AnyView {
    let hidden = vec![("id", registry.id.to_string())];
    if of.phase == Phase::Failed || state == ManagedState::NotCreated {
        return retry(registry);
    }
    if problem.code == Managed::VOLUME_CHANGED {
        return view! {
            <Form to=AcceptRegistryLoss::PATH class="row" flat=true hidden=hidden>
                <Submit text="Go on with the volume that is there" class="danger"/>
                <span class="hint">"Images that were in the old one are gone; build them again."</span>
            </Form>
        }
        .into_any();
    }
    if of.phase != Phase::Running {
        return ().into_any();
    }
    let logs = paths::registry_logs(&registry.id);
    match state {
        ManagedState::Failing => view! {
            <Form to=RestartRegistry::PATH class="row" flat=true hidden=hidden>
                <Submit text="Restart" class="primary" icon=Name::Power/>
                <a class="button" href=logs><Icon name=Name::Logs/>"Look at its log"</a>
            </Form>
        }
        .into_any(),
        ManagedState::Stopped => view! {
            <Form to=RestartRegistry::PATH class="row" flat=true hidden=hidden>
                <Submit text="Start" class="primary" icon=Name::Play/>
            </Form>
        }
        .into_any(),
        _ => ().into_any(),
    }
}
