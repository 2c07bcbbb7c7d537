//! The queue, and all builds, newest first.

use super::queue;
use crate::islands::refresh::Refresh;
use crate::model::build::Build;
use crate::model::job::JobState;
use crate::pages::{Page, PageResult};
use crate::ui::job::follow;
use crate::ui::table::{Column, col, wide};
use crate::ui::{Age, Card, Empty, JobBadge, PageHead, Table, time};
use crate::{paths, request};
use leptos::prelude::*;

/// A table of builds; with the service's name for lists of all.
pub fn table(builds: Vec<Build>, of_all: bool) -> impl IntoView + use<> {
    let rows = builds
        .into_iter()
        .map(|build| {
            let name = if of_all {
                format!("{} #{}", build.service_name, build.number)
            } else {
                format!("Build {}", build.number)
            };
            let commit = build.commit.as_ref().map(|commit| view! { <code>{commit.brief().to_owned()}</code> });
            view! {
                <tr>
                    <td><a href=paths::build(&build.id)>{name}</a></td>
                    <td><JobBadge state=build.state of=build.job.to_string()/></td>
                    <td class="wide text">{commit} " " {build.commit_subject.clone()}</td>
                    <td class="wide">{build.trigger.words()}</td>
                    <td class="wide num">{time::took(build.started, build.finished)}</td>
                    <td><Age millis=build.created/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        col("Build"),
        col("State"),
        wide("Commit"),
        wide("Why"),
        Column { name: "Took", class: "wide num" },
        col("Asked"),
    ];
    view! { <Table name="Builds" columns=columns>{rows}</Table> }
}

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let builds = backend.builds.list(&actor, None, 100).await?;
    let queued = backend.builds.queue(&actor).await?;
    // The oldest that runs ends first, most likely; then the page is loaded again.
    let running: Vec<_> = builds.iter().filter(|build| is_under_way(build)).rev().cloned().collect();
    let followed =
        running.first().map(|build| &build.job).or(queued.first().map(|queued| &queued.waiting.job)).cloned();
    let follow = follow(&actor, &backend, followed).await?;
    // Parts are renewed while this stays the same: no build came, began or ended.
    let key: Vec<_> = builds.iter().take(50).map(|build| build.state.as_str()).collect();
    let key = format!("{} {}", builds.first().map(|build| build.id.to_string()).unwrap_or_default(), key.join(" "));
    let queue = queue::card(running, queued);
    let content = if builds.is_empty() {
        view! {
            <Empty
                title="No builds yet"
                why="A build turns the newest commit of a service's branch into an image in your registry."
                action=(paths::SERVICES.into(), "Go to services")
            />
        }
        .into_any()
    } else {
        table(builds, true).into_any()
    };
    Ok(Page::new(
        "Builds",
        view! {
            <PageHead title="Builds" badge=view! { {follow} <Refresh parts=queue::QUEUE.to_owned()/> }.into_any()/>
            <div id=queue::QUEUE data-page=key>{queue}</div>
            <Card title="Newest builds" flush=true>{content}</Card>
        },
    ))
}

fn is_under_way(build: &Build) -> bool {
    matches!(build.state, JobState::Running | JobState::Cancelling)
}
