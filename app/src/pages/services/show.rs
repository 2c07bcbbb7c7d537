//! One service: how it is, its tasks, its deployments with the way back, its builds, and what it is made from.

use super::{changes, no_registry, push_name, running, settings_facts, standing};
use crate::api::builds::StartBuild;
use crate::api::services::DeployImage;
use crate::error::AppError;
use crate::model::build::Build;
use crate::model::build_options::Recipe;
use crate::model::credential::Credential;
use crate::model::diff::Change;
use crate::model::id::{DeploymentId, ServiceId};
use crate::model::platform::Platform;
use crate::model::service::{
    Deployment, GitSource, ImageSource, InnerPath, Origin, Service, ServiceState, Source, Task,
};
use crate::model::standing::{Back, Standing};
use crate::pages::{Page, PageResult, builds};
use crate::ui::job::follow;
use crate::ui::table::{col, wide};
use crate::ui::{
    Age, Badge, Card, Empty, Fact, Facts, Form, Icon, JobBadge, Name, Note, PageHead, Reference, ServiceBadge, Submit,
    Table, Tone, note,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ServiceId = request::id("service")?;
    let service = backend.services.get(&actor, &id).await?;
    let state = backend
        .services
        .list(&actor)
        .await?
        .into_iter()
        .find(|summary| summary.id == id)
        .map_or(ServiceState::Unknown, |summary| summary.state);
    let registries = backend.registries.list(&actor).await?;
    let deployments = backend.services.deployments(&actor, &id).await?;
    let builds = backend.builds.list(&actor, Some(&id), 10).await?;
    let tasks = backend.services.tasks(&actor, &id).await;
    let histories = backend.services.histories(&actor, &id).await?;
    let watch = backend.services.tag_watch(&actor, &id).await?;
    let uncovered = uncovered(&service, &backend.services.uncovered(&actor, &id).await?);

    // The one job that the page follows: the newest under way.
    let under_way = deployments
        .iter()
        .filter(|deployment| !deployment.state.is_final())
        .map(|deployment| deployment.job.clone())
        .chain(builds.iter().filter(|build| !build.state.is_final()).map(|build| build.job.clone()));
    let follow = follow(&actor, &backend, under_way).await?;
    let badge = view! { <ServiceBadge state/>{follow} }.into_any();
    let from = match &service.source {
        Source::Git(source) => from_git(push_name::of_service(&service, source, &registries), source),
        Source::Image(source) => from_image(&backend.credentials.list(&actor).await?, source),
    };
    let (warning, builds) = match &service.source {
        Source::Git(_) => (no_registry(&registries), Some(builds_card(builds))),
        Source::Image(_) => (None, None),
    };
    let go = go(&service);
    let standing = backend.services.standing(&actor, &id).await?;
    let pause = standing::pause(&id, standing.pause.as_ref());
    let put_back = deployments.first().and_then(|newest| standing::put_back(newest, standing.of(&newest.id)?));
    let window = (!deployments.is_empty()).then(|| standing::window(&id, standing.keep));
    let build_settings = service.source.git().is_some().then(|| {
        view! { <a class="button quiet" href=paths::build_settings(&id)>"Build settings"</a> }
    });
    let retention = service.source.git().is_some().then(|| {
        view! { <a class="button quiet" href=paths::service_retention(&id)>"Retention"</a> }
    });
    Ok(Page::new(
        format!("{}, Services", service.name),
        view! {
            <PageHead title=service.name.clone() under=(paths::SERVICES.into(), "Services".into()) badge=badge>
                {build_settings}
                <a class="button quiet" href=paths::edit_service(&id)><Icon name=Name::Pencil/>"Edit"</a>
                <a class="button quiet" href=paths::triggers(&id)>"Triggers"</a>
                {retention}
                <a class="button quiet" href=paths::delete_service(&id)><Icon name=Name::Trash/>"Delete"</a>
                {go}
            </PageHead>
            {pause}
            {put_back}
            {warning}
            {uncovered}
            {watch.as_ref().and_then(running::news)}
            {tasks_card(tasks, deployments.is_empty())}
            {running::copies(&service, &deployments)}
            <Card title="Deployments" flush=true>{timeline(deployments, &standing, &histories)}</Card>
            {window}
            {builds}
            {watch.map(running::watched)}
            {facts(&service, from)}
        },
    ))
}

/// Says which nodes never run it.
fn uncovered(service: &Service, platforms: &[Platform]) -> Option<AnyView> {
    let names: Vec<_> = platforms.iter().map(ToString::to_string).collect();
    let what = match service.source {
        Source::Git(_) => {
            "Its image isn't built for them. Platforms are chosen at the registry, or for this service alone."
        }
        Source::Image(_) => "Its image isn't for them.",
    };
    (!names.is_empty()).then(|| {
        view! { <Note tone="warn" title=format!("Nodes of {} never run this service.", names.join(" and "))><p>{what}</p></Note> }
            .into_any()
    })
}

/// The buttons that bring a new version up.
fn go(service: &Service) -> AnyView {
    let hidden = vec![("service", service.id.to_string())];
    match &service.source {
        Source::Git(_) => view! {
            <Form to=StartBuild::PATH class="row" flat=true hidden=hidden>
                <Submit text="Build only" send=("deploy", "no")/>
                <Submit text="Build & deploy" class="primary" icon=Name::Play send=("deploy", "yes")/>
            </Form>
        }
        .into_any(),
        Source::Image(_) => view! {
            <Form to=DeployImage::PATH class="row" flat=true hidden=hidden>
                <Submit text="Deploy" class="primary" icon=Name::Play/>
            </Form>
        }
        .into_any(),
    }
}

fn builds_card(builds: Vec<Build>) -> AnyView {
    let content = if builds.is_empty() {
        view! { <Empty title="No builds yet" why="“Build & deploy” turns the newest commit of the branch into an image and brings it up."/> }
            .into_any()
    } else {
        builds::list::table(builds, false).into_any()
    };
    view! { <Card title="Builds" flush=true>{content}</Card> }.into_any()
}

fn tasks_card(tasks: Result<(Vec<Task>, i64), AppError>, never_deployed: bool) -> AnyView {
    let (tasks, age) = match tasks {
        Ok(found) => found,
        Err(error) => return view! { <Card title="Tasks">{note::explain(&error)}</Card> }.into_any(),
    };
    if tasks.is_empty() {
        let why = if never_deployed { "Nothing was deployed yet." } else { "The Swarm has no task for this service." };
        return view! { <Card title="Tasks" flush=true><Empty title="No tasks" why=why/></Card> }.into_any();
    }
    let looked =
        view! { <span class="muted">{format!("Looked {}", crate::model::text::age(0, age))}</span> }.into_any();
    let rows = tasks
        .into_iter()
        .map(|task| {
            let tone = match task.state.as_str() {
                "running" => Tone::Ok,
                "failed" | "rejected" | "orphaned" => Tone::Bad,
                "shutdown" | "complete" | "remove" => Tone::Idle,
                _ => Tone::Busy,
            };
            let mut word = task.state;
            if let Some(first) = word.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            view! {
                <tr>
                    <td><code>{task.id}</code>{task.message.map(|message| view! { <span class="hint">{message}</span> })}</td>
                    <td><Badge tone text=word/></td>
                    <td class="wide">{task.node}</td>
                    <td class="wide"><code>{task.image}</code></td>
                    <td><Age seconds=task.since/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("Task"), col("State"), wide("Node"), wide("Image"), col("Since")];
    view! { <Card title="Tasks" flush=true actions=looked><Table name="Tasks" columns=columns>{rows}</Table></Card> }
        .into_any()
}

/// Where a deployment came from, in words.
pub fn origin(origin: &Origin) -> AnyView {
    match origin {
        Origin::Build { build, number } => {
            view! { "From " <a href=paths::build(build)>{format!("build {number}")}</a> }.into_any()
        }
        Origin::Image => view! { "The service's image" }.into_any(),
        Origin::Hook => view! { "Named by the deploy hook" }.into_any(),
        Origin::Watch => view! { "Its tag led to a new digest" }.into_any(),
        Origin::Restart { of, number } => {
            view! { "Restart of " <a href=paths::deployment(of)>{format!("deployment {number}")}</a> }.into_any()
        }
        Origin::Scale { from, to, .. } => format!("Scaled from {from} to {to}").into_any(),
        Origin::RollBack { to, number, what } => {
            let tail = if *what == Back::Image { ", image only" } else { "" };
            view! { "Rolled back to " <a href=paths::deployment(to)>{format!("deployment {number}")}</a>{tail} }
                .into_any()
        }
    }
}

fn timeline(deployments: Vec<Deployment>, standing: &Standing, histories: &[(DeploymentId, Vec<Change>)]) -> AnyView {
    if deployments.is_empty() {
        return view! { <Empty title="No deployments yet" why="Each one is a version you can go back to: an image by its digest, with its settings."/> }
            .into_any();
    }
    let rows = deployments
        .into_iter()
        .map(|deployment| {
            let subject = deployment.commit_subject.clone();
            let version = version(&deployment);
            let pinned = standing.of(&deployment.id).and_then(standing::pinned);
            let changed = histories.iter().find(|(id, _)| *id == deployment.id).map(|(_, found)| changes::brief(found));
            view! {
                <li class=deployment.is_current.then_some("current")>
                    <span class="n"><a href=paths::deployment(&deployment.id)>
                        <span class="visually-hidden">"Deployment "</span>{format!("#{}", deployment.number)}
                    </a></span>
                    <span class="what">
                        <span class="row">
                            <JobBadge state=deployment.state of=deployment.job.to_string()/>
                            {deployment.is_current.then(|| view! { <strong>"Runs now"</strong> })}
                            <code>{version}</code>
                            {subject}
                        </span>
                        <span class="hint row">
                            <span>{origin(&deployment.origin)}</span>
                            <span>{format!("by {}", deployment.asked_by)}</span>
                            <Age millis=deployment.created/>
                            {pinned}
                            {changed.map(|changed| view! { <span>{changed}</span> })}
                        </span>
                        {standing::line(&deployment, standing)}
                    </span>
                    {standing::roll_back(&deployment, standing, true)}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="timeline">{rows}</ol> }.into_any()
}

/// What tells a deployment from the others: its commit, else its tag, else its digest.
fn version(deployment: &Deployment) -> String {
    let image = &deployment.image;
    match (&deployment.commit, &image.tag, &image.digest) {
        (Some(commit), ..) => commit.brief().to_owned(),
        (None, Some(tag), _) => tag.to_string(),
        (None, None, Some(digest)) => digest.brief(),
        (None, None, None) => String::new(),
    }
}

fn from_git(push: AnyView, source: &GitSource) -> AnyView {
    let source = source.clone();
    let place = |path: &InnerPath| match path.as_str() {
        "" => "the repository itself".to_owned(),
        path => path.to_owned(),
    };
    let recipe = match &source.build.recipe {
        Recipe::Repository => view! { "Dockerfile "<code>{source.dockerfile.to_string()}</code> }.into_any(),
        Recipe::Typed { .. } => "A Dockerfile that was typed".into_any(),
        Recipe::Static { folder } => format!("Static site: {}", place(folder)).into_any(),
    };
    // A static site's context is its folder.
    let has_context = !matches!(source.build.recipe, Recipe::Static { .. });
    let context = has_context.then(|| view! { <Fact name="Build context">{place(&source.context)}</Fact> });
    view! {
        <Fact name="Repository"><code>{source.repository.to_string()}</code></Fact>
        <Fact name="Branch"><code>{source.branch.to_string()}</code></Fact>
        <Fact name="Built by">{recipe}</Fact>
        {context}
        <Fact name="Pushed as">{push}</Fact>
    }
    .into_any()
}

fn from_image(credentials: &[Credential], source: &ImageSource) -> AnyView {
    let image = source.image.to_string();
    let credential = match &source.credential {
        None => view! { <span class="muted">"None: a public image"</span> }.into_any(),
        Some(id) => {
            let name = credentials.iter().find(|credential| credential.id == *id).map(|found| found.name.clone());
            view! { <a href=paths::credential(id)>{name.unwrap_or_else(|| id.to_string())}</a> }.into_any()
        }
    };
    view! {
        <Fact name="Image"><Reference reference=image/></Fact>
        <Fact name="Credential">{credential}</Fact>
    }
    .into_any()
}

fn facts(service: &Service, from: AnyView) -> impl IntoView + use<> {
    let settings = settings_facts(&service.settings);
    let project = service.project_name.clone();
    view! {
        <Card title="Source and settings">
            <Facts>
                <Fact name="Project">{project}</Fact>
                {from}
                {settings}
            </Facts>
        </Card>
    }
}
