//! One build: what is built, where it is pushed, its steps and its log.

use super::actions::{actions, waiting_note};
use crate::islands::live::FACTS;
use crate::model::build::Build;
use crate::model::id::BuildId;
use crate::model::job::JobState;
use crate::pages::{Page, PageResult};
use crate::ui::job::{JobLog, Steps};
use crate::ui::{Age, Card, Digest, Fact, Facts, JobBadge, Note, PageHead, ProblemBox, Reference, time};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: BuildId = request::id("build")?;
    let build = backend.builds.get(&actor, &id).await?;
    let (_, steps) = backend.jobs.get(&actor, &build.job).await?;
    let (lines, offset) = backend.jobs.tail(&actor, &build.job, 1_000).await?;
    let service = backend.services.get(&actor, &build.service).await.ok();
    let branch = service.and_then(|service| service.source.git().map(|source| source.branch.to_string()));
    let registry = backend.registries.get(&actor, &build.registry).await.ok().map(|registry| registry.name);

    let title = format!("Build {}", build.number);
    let badge = view! { <JobBadge state=build.state of=build.job.to_string()/> }.into_any();
    let waiting = backend.jobs.waiting(&actor, &build.job).await?.map(|waiting| waiting_note(&build, &waiting));
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
    Ok(Page::new(
        format!("{title}, {}", build.service_name),
        view! {
            <PageHead title=title under=(paths::service(&build.service), build.service_name.clone()) badge=badge>{actions}</PageHead>
            {waiting}
            {build.problem.clone().map(|problem| view! { <ProblemBox problem/> })}
            {result}
            {facts(&build, branch, registry)}
            <Steps steps=steps.clone()/>
            <JobLog id=build.job.clone() state=build.state steps lines offset/>
        },
    ))
}

fn facts(build: &Build, branch: Option<String>, registry: Option<String>) -> impl IntoView + use<> {
    let commit = match &build.commit {
        Some(commit) => view! {
            <code>{commit.to_string()}</code>
            {build.commit_subject.clone().map(|subject| view! { <br/>{subject} })}
            {build.commit_author.clone().map(|author| view! { <span class="muted">" by " {author}</span> })}
        }
        .into_any(),
        None => view! { <span class="muted">"Known once the branch was looked up."</span> }.into_any(),
    };
    let reference = match &build.reference {
        Some(reference) => view! { <Reference reference=reference.to_string()/> }.into_any(),
        None => view! { <span class="muted">"Known with the commit."</span> }.into_any(),
    };
    let digest = match &build.digest {
        Some(digest) => view! { <Digest digest=digest.to_string()/> }.into_any(),
        None if build.state.is_final() => view! { <span class="muted">"Nothing was pushed."</span> }.into_any(),
        None => view! { <span class="muted">"Known after the push."</span> }.into_any(),
    };
    let registry_page = paths::registry(&build.registry);
    let registry = match registry {
        Some(name) => view! { <a href=registry_page>{name}</a> }.into_any(),
        None => view! { <span class="muted">"Deleted since."</span> }.into_any(),
    };
    let (asked_by, created, took) = (build.asked_by.clone(), build.created, time::took(build.started, build.finished));
    let why = build.trigger.words();
    let then = if build.deploys { "Deploy it" } else { "Nothing: build only" };
    view! {
        <Card title="Facts" id=FACTS>
            <Facts>
                <Fact name="Commit">{commit}</Fact>
                {branch.map(|branch| view! { <Fact name="Branch"><code>{branch}</code></Fact> })}
                <Fact name="Registry">{registry}</Fact>
                <Fact name="Pushed as">{reference}</Fact>
                <Fact name="Digest">{digest}</Fact>
                <Fact name="Afterwards">{then}</Fact>
                <Fact name="Why">{why}</Fact>
                <Fact name="Asked by">{asked_by} ", " <Age millis=created/></Fact>
                <Fact name="Took">{took}</Fact>
            </Facts>
        </Card>
    }
}
