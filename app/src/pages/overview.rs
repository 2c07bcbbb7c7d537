//! The first page: what to do first, what needs attention, what runs.

use super::{Page, PageResult};
use crate::api::Backend;
use crate::api::services::DeployImage;
use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::credential::{Credential, CredentialState};
use crate::model::disk::{Level, Space};
use crate::model::id::ServiceId;
use crate::model::job::{Job, JobState};
use crate::model::registry::{ManagedState, ManagedStatus, Phase, Registry};
use crate::model::service::{ServiceState, ServiceSummary};
use crate::model::tag_watch::News;
use crate::model::text;
use crate::pages::{credentials, disk, jobs, services};
use crate::ui::job::follow;
use crate::ui::{Card, Form, Icon, Name, PageHead, Tone, time};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

struct Facts {
    credentials: Vec<Credential>,
    registries: Vec<Registry>,
    /// How the managed ones are.
    managed: Vec<(Registry, ManagedStatus)>,
    services: Vec<ServiceSummary>,
    /// Those whose pushes wait, each with since when.
    paused: Vec<(ServiceId, i64)>,
    jobs: Vec<Job>,
    spaces: Vec<Space>,
}

async fn facts(actor: &Actor, backend: &Backend) -> Result<Facts, AppError> {
    let registries = backend.registries.list(actor).await?;
    let mut managed = Vec::new();
    for registry in registries.iter().filter(|registry| registry.managed.is_some()) {
        managed.push((registry.clone(), backend.registries.status(actor, &registry.id).await?));
    }
    Ok(Facts {
        credentials: backend.credentials.list(actor).await?,
        registries,
        managed,
        services: backend.services.list(actor).await?,
        paused: backend.services.paused(actor).await?,
        jobs: backend.jobs.list(actor, 50).await?,
        spaces: backend.disk.spaces(actor).await?,
    })
}

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let facts = facts(&actor, &backend).await?;
    let running: Vec<Job> = facts.jobs.iter().filter(|job| !job.state.is_final()).cloned().collect();
    let follow = follow(&actor, &backend, running.iter().map(|job| job.id.clone())).await?;
    let attention = attention(&facts);
    let names = jobs::Subjects::of(&facts.services, &facts.registries, &facts.credentials);
    // Before there is a registry, the first steps say what to do.
    let new_service = (!facts.registries.is_empty()).then(|| {
        view! { <a class="button primary" href=paths::NEW_SERVICE><Icon name=Name::Plus/>"New service"</a> }
    });
    Ok(Page::new(
        "Overview",
        view! {
            <PageHead title="Overview" badge=follow>{new_service}</PageHead>
            {first_steps(&facts)}
            {(!attention.is_empty()).then(|| view! {
                <Card title="Needs attention" flush=true>
                    <ul class="rows">{attention}</ul>
                </Card>
            })}
            {(!running.is_empty()).then(|| view! {
                <Card title="Happening now" flush=true>{jobs::table(running, &names)}</Card>
            })}
            {(!facts.services.is_empty()).then(|| view! {
                <Card title="Services" flush=true>{services::list::table(facts.services)}</Card>
            })}
            {disk::card(facts.spaces)}
        },
    ))
}

/// What has to be there before something runs; gone when something does.
fn first_steps(facts: &Facts) -> Option<impl IntoView + use<>> {
    let done = [
        !facts.registries.is_empty(),
        !facts.services.is_empty(),
        facts.services.iter().any(|service| service.deployment.is_some()),
    ];
    if done.iter().all(|done| *done) {
        return None;
    }
    let build = facts.services.first().map_or(paths::SERVICES.to_owned(), |service| paths::service(&service.id));
    let steps = [
        (
            paths::NEW_REGISTRY.to_owned(),
            "Create a registry",
            "Where built images are pushed to. Slipway runs one for you, or uses yours.",
        ),
        (paths::NEW_SERVICE.to_owned(), "Create a service", "A git repository with a Dockerfile."),
        (build, "Build & deploy it", "From then on, every version can be rolled back to."),
    ];
    let next = done.iter().position(|done| !done);
    let items = steps
        .into_iter()
        .zip(done)
        .enumerate()
        .map(|(index, ((href, text, why), done))| {
            let words = if Some(index) == next {
                view! { <a href=href>{text}</a> }.into_any()
            } else {
                view! { <span>{text}</span> }.into_any()
            };
            let state = if done {
                "done"
            } else if Some(index) == next {
                "next"
            } else {
                "later"
            };
            view! {
                <li class=state>
                    <span class="step-mark" aria-hidden="true">{done.then(|| view! { <Icon name=Name::Check/> })}</span>
                    <span>
                        {words}
                        {done.then(|| view! { <span class="visually-hidden">" (done)"</span> })}
                        <span class="hint">{why}</span>
                    </span>
                </li>
            }
        })
        .collect_view();
    Some(view! { <Card title="First steps"><ol class="checklist">{items}</ol></Card> })
}

fn attention(facts: &Facts) -> Vec<AnyView> {
    let row = |tone: Tone, href: String, what: String, why: String| {
        let word = if tone == Tone::Bad { "Broken" } else { "Look" };
        view! { <li><crate::ui::Badge tone text=word/><span><a href=href>{what}</a><span class="hint">{why}</span></span></li> }
            .into_any()
    };
    let mut rows = Vec::new();
    for space in &facts.spaces {
        let Some(words) = space.room.map(|room| room.words()) else { continue };
        let (tone, what, why) = match space.level {
            Level::Fine => continue,
            Level::Tight => (Tone::Warn, "A disk is nearly full", format!("{}: {words}.", space.name())),
            Level::Short => (
                Tone::Bad,
                "A disk is full: new builds don't start",
                format!("{}: {words}. What runs goes on, and roll-backs work.", space.name()),
            ),
        };
        rows.push(row(tone, format!("#{}", disk::ID), what.to_owned(), why));
    }
    for (registry, status) in &facts.managed {
        let is_failed = registry.managed.as_ref().is_some_and(|of| of.phase == Phase::Failed);
        let (tone, words) = match status.state {
            _ if is_failed => (Tone::Bad, "wasn't created"),
            ManagedState::NotCreated => (Tone::Bad, "wasn't created"),
            ManagedState::Failing => (Tone::Bad, "doesn't work"),
            ManagedState::Warning => (Tone::Warn, "needs a look"),
            ManagedState::Stopped => (Tone::Warn, "is stopped"),
            ManagedState::Unknown | ManagedState::Working | ManagedState::Healthy => continue,
        };
        let what = format!("Registry {} {words}", registry.name);
        let why = status.problem.as_ref().map_or(&status.headline, |problem| &problem.cause);
        rows.push(row(tone, paths::registry(&registry.id), what, why.clone()));
    }
    // What belongs to a managed registry is told with it.
    for credential in facts.credentials.iter().filter(|credential| credential.owned_by.is_none()) {
        if let CredentialState::Fails(problem) = &credential.state {
            let what = format!("Credential {} doesn't work", credential.name);
            rows.push(row(Tone::Bad, paths::credential(&credential.id), what, problem.cause.clone()));
        } else if let Some(words) = credentials::ending(credential) {
            let what = format!("Credential {} wants a new password", credential.name);
            rows.push(row(Tone::Warn, paths::credential(&credential.id), what, words));
        }
    }
    for service in &facts.services {
        let href = paths::service(&service.id);
        let name = format!("{} / {}", service.project, service.name);
        if let Some((_, since)) = facts.paused.iter().find(|(id, _)| *id == service.id) {
            let why = format!(
                "Somebody rolled it back {}: pushes are built, and deployed again when somebody resumes that.",
                text::age(*since, time::now())
            );
            rows.push(row(Tone::Warn, href.clone(), format!("{name}: automatic deployments are paused"), why));
        }
        if let Some(news) = &service.news {
            rows.push(new_digest(service, &name, news));
        }
        match (&service.state, service.last_build) {
            (ServiceState::Degraded, _) => {
                rows.push(row(Tone::Warn, href, format!("{name} is degraded"), "Fewer tasks run than should.".into()));
            }
            (_, Some(JobState::Failed)) => {
                rows.push(row(
                    Tone::Bad,
                    href,
                    format!("{name}: the last build failed"),
                    "What ran before still runs.".into(),
                ));
            }
            _ => {}
        }
    }
    rows
}

/// The tag leads to a digest that doesn't run, with the button that deploys it.
fn new_digest(service: &ServiceSummary, name: &str, news: &News) -> AnyView {
    let what = format!("{name}: its tag leads to a new digest, {}", news.digest.brief());
    let (href, why) = (paths::service(&service.id), services::running::words(&news.waits));
    let hidden = vec![("service", service.id.to_string())];
    let name = format!(" {name}");
    view! {
        <li>
            <crate::ui::Badge tone=Tone::Warn text="Look"/>
            <span><a href=href>{what}</a><span class="hint">{why}</span></span>
            <Form to=DeployImage::PATH class="row" flat=true hidden=hidden>
                <button class="button" type="submit">"Deploy"<span class="visually-hidden">{name}</span></button>
            </Form>
        </li>
    }
    .into_any()
}
