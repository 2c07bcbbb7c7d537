//! All builds, newest first.

use crate::model::build::Build;
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
                    <td class="wide num">{time::took(build.started, build.finished)}</td>
                    <td><Age millis=build.created/></td>
                </tr>
            }
        })
        .collect_view();
    let columns =
        vec![col("Build"), col("State"), wide("Commit"), Column { name: "Took", class: "wide num" }, col("Asked")];
    view! { <Table name="Builds" columns=columns>{rows}</Table> }
}

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let builds = backend.builds.list(&actor, None, 100).await?;
    let under_way = builds.iter().filter(|build| !build.state.is_final()).map(|build| build.job.clone());
    let follow = follow(&actor, &backend, under_way.collect::<Vec<_>>()).await?;
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
        view! { <PageHead title="Builds" badge=follow/><Card title="Newest builds" flush=true>{content}</Card> },
    ))
}
