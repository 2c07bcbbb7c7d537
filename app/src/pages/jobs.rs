//! Jobs: durable pieces of work, and their logs.

use super::{Page, PageResult};
use crate::islands::live::FACTS;
use crate::model::credential::Credential;
use crate::model::id::{CredentialId, JobId, RegistryId, ServiceId};
use crate::model::job::Job;
use crate::model::registry::Registry;
use crate::model::service::ServiceSummary;
use crate::ui::job::{JobLog, LogLines, Steps, follow};
use crate::ui::table::{col, wide};
use crate::ui::{Age, Card, Empty, Fact, Facts, JobBadge, PageHead, ProblemBox, Table, time};
use crate::{paths, request};
use leptos::prelude::*;
use std::collections::HashMap;

/// Names and addresses of what jobs change, by id.
#[derive(Clone, Default)]
pub struct Subjects(HashMap<String, (String, String)>);

impl Subjects {
    /// Of everything that jobs can change.
    pub fn of(services: &[ServiceSummary], registries: &[Registry], credentials: &[Credential]) -> Self {
        let services = services
            .iter()
            .map(|service| (service.id.to_string(), (paths::service(&service.id), service.name.clone())));
        let registries = registries
            .iter()
            .map(|registry| (registry.id.to_string(), (paths::registry(&registry.id), registry.name.clone())));
        let credentials = credentials.iter().map(|credential| {
            (credential.id.to_string(), (paths::credential(&credential.id), credential.name.clone()))
        });
        Self(services.chain(registries).chain(credentials).collect())
    }

    /// `service web`, as a link where the thing is still there.
    fn show(&self, subject: &str) -> AnyView {
        let (noun, id) = subject.split_once(':').unwrap_or((subject, ""));
        // A queue may be named after what it does to the thing; people want to know the thing.
        let noun = match id.split('_').next() {
            Some(ServiceId::PREFIX) => "service",
            Some(RegistryId::PREFIX) => "registry",
            Some(CredentialId::PREFIX) => "credential",
            _ => noun,
        };
        match self.0.get(id) {
            Some((href, name)) => view! { <a href=href.clone()>{format!("{noun} {name}")}</a> }.into_any(),
            None => view! { <span>{noun.to_owned()}</span> }.into_any(),
        }
    }
}

/// `build_image` → `Build image`.
pub fn kind_words(kind: &str) -> String {
    let words = kind.replace(['_', '-'], " ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A table of jobs.
pub fn table(jobs: Vec<Job>, subjects: &Subjects) -> impl IntoView + use<> {
    let rows = jobs
        .into_iter()
        .map(|job| {
            view! {
                <tr>
                    <td><a href=paths::job(&job.id)>{kind_words(&job.kind)}</a></td>
                    <td>{subjects.show(&job.subject)}</td>
                    <td><JobBadge state=job.state of=job.id.to_string()/></td>
                    <td class="wide">{job.asked_by}</td>
                    <td class="wide num">{time::took(job.started, job.finished)}</td>
                    <td><Age millis=job.created/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        col("Job"),
        col("For"),
        col("State"),
        wide("Asked by"),
        crate::ui::table::Column { name: "Took", class: "wide num" },
        col("Asked"),
    ];
    view! { <Table name="Jobs" columns=columns>{rows}</Table> }
}

async fn subjects() -> Result<Subjects, crate::error::AppError> {
    let (actor, backend) = request::signed_in()?;
    Ok(Subjects::of(
        &backend.services.list(&actor).await?,
        &backend.registries.list(&actor).await?,
        &backend.credentials.list(&actor).await?,
    ))
}

/// The list.
pub async fn list() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let jobs = backend.jobs.list(&actor, 100).await?;
    let under_way: Vec<_> = jobs.iter().filter(|job| !job.state.is_final()).map(|job| job.id.clone()).collect();
    let follow = follow(&actor, &backend, under_way).await?;
    let subjects = subjects().await?;
    let content = if jobs.is_empty() {
        view! {
            <Empty title="No jobs yet" why="Everything that takes time runs as a job: builds, deployments, roll-backs. It survives a restart of Slipway." action=(paths::SERVICES.into(), "Go to services")/>
        }
        .into_any()
    } else {
        table(jobs, &subjects).into_any()
    };
    Ok(Page::new(
        "Jobs",
        view! { <PageHead title="Jobs" badge=follow/><Card title="Newest jobs" flush=true>{content}</Card> },
    ))
}

/// One job.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: JobId = request::id("job")?;
    let (job, steps) = backend.jobs.get(&actor, &id).await?;
    let log = LogLines::of(&actor, &backend, &id, None).await?;
    let subject = subjects().await?.show(&job.subject);
    let waiting = backend.jobs.waiting(&actor, &id).await?;
    let place = waiting.map(|waiting| {
        let words = format!("{} of {}", waiting.position, waiting.queued);
        view! { <Fact name="Place in the queue">{words}</Fact> }
    });
    let title = kind_words(&job.kind);
    let shown_id = id.to_string();
    let badge = view! { <JobBadge state=job.state of=id.to_string()/> }.into_any();
    Ok(Page::new(
        format!("{title}, Jobs"),
        view! {
            <PageHead title=title under=(paths::JOBS.into(), "Jobs".into()) badge=badge/>
            {job.problem.clone().map(|problem| view! { <ProblemBox problem/> })}
            <Card title="Facts" id=FACTS>
                <Facts>
                    <Fact name="For">{subject}</Fact>
                    <Fact name="Asked by">{job.asked_by} ", " <Age millis=job.created/></Fact>
                    <Fact name="Took">{time::took(job.started, job.finished)}</Fact>
                    {place}
                    <Fact name="Try">{job.attempt}</Fact>
                    <Fact name="Id"><code>{shown_id}</code></Fact>
                </Facts>
            </Card>
            <Steps steps=steps.clone()/>
            <JobLog id state=job.state steps log/>
        },
    ))
}
