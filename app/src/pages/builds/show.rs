//! One build: what is built, where it is pushed, what came out, where the time went, its steps and its log.

use super::actions::{actions, waiting_note};
use super::{facts, outcome, times};
use crate::model::id::BuildId;
use crate::model::job::JobState;
use crate::pages::{Page, PageResult};
use crate::ui::job::{JobLog, LogLines, Steps};
use crate::ui::{Age, JobBadge, Note, PageHead, ProblemBox};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: BuildId = request::id("build")?;
    let build = backend.builds.get(&actor, &id).await?;
    let (_, steps) = backend.jobs.get(&actor, &build.job).await?;
    let telling = build.telling_line.filter(|_| build.state == JobState::Failed);
    let log = LogLines::of(&actor, &backend, &build.job, telling).await?;
    let service = backend.services.get(&actor, &build.service).await.ok();
    let branch = service.and_then(|service| service.source.git().map(|source| source.branch.to_string()));
    let registry = backend.registries.get(&actor, &build.registry).await.ok().map(|registry| registry.name);

    let title = format!("Build {}", build.number);
    let badge = view! { <JobBadge state=build.state of=build.job.to_string()/> }.into_any();
    let waiting = backend.jobs.waiting(&actor, &build.job).await?.map(|waiting| waiting_note(&build, &waiting));
    let garbage = paths::registry_garbage(&build.registry);
    let shut = backend.registries.waits_for_garbage(&actor, &build.job).await?.map(|since| {
        view! {
            <Note tone="info" title="It waits with its push: the garbage of its registry is being collected.">
                <p>"Since "<Age seconds=since/>". It goes on by itself, and the wait takes nothing of its time. "<a href=garbage>"See how far that is"</a></p>
            </Note>
        }
    });
    let actions = actions(&build);
    let result = match (build.deployment.clone(), build.state) {
        (Some(deployment), _) => Some(
            view! { <Note tone="info" title="This build was deployed."><p><a href=paths::deployment(&deployment)>"Open the deployment"</a></p></Note> }.into_any(),
        ),
        (None, JobState::Superseded) => Some(
            view! { <Note tone="info" title="A newer build of this service took its place before it started."/> }.into_any(),
        ),
        _ => None,
    };
    let telling = log.telling();
    let log = view! { <JobLog id=build.job.clone() state=build.state steps=steps.clone() log/> }.into_any();
    // A build that failed opens at the line that tells why.
    let (above, below) = if build.problem.is_some() { (Some(log), None) } else { (None, Some(log)) };
    Ok(Page::new(
        format!("{title}, {}", build.service_name),
        view! {
            <PageHead title=title under=(paths::service(&build.service), build.service_name.clone()) badge=badge>{actions}</PageHead>
            {waiting}
            {shut}
            {build.problem.clone().map(|problem| view! { <ProblemBox problem telling/> })}
            {above}
            {result}
            {facts::card(&build, branch, registry)}
            {build.record.clone().map(|record| outcome::cards(&id, record))}
            {times::card(&build, &steps)}
            <Steps steps=steps/>
            {below}
        },
    ))
}
