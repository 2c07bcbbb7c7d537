//! The queue: builds under way, then those that wait, in their order and with the means to change it.

use super::actions::waits;
use crate::api::builds::{CancelBuild, MoveBuild};
use crate::model::build::{Build, CommitSha};
use crate::model::job::JobState;
use crate::model::queue::QueuedBuild;
use crate::paths;
use crate::ui::table::{col, wide};
use crate::ui::{Card, Form, JobBadge, Table};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The part of the page that is renewed.
pub const QUEUE: &str = "queue";

/// The card; nothing when nothing waits or runs.
pub fn card(running: Vec<Build>, queued: Vec<QueuedBuild>) -> Option<AnyView> {
    if running.is_empty() && queued.is_empty() {
        return None;
    }
    let count = queued.len();
    let running = running.into_iter().map(under_way).collect_view();
    let queued = queued
        .into_iter()
        .enumerate()
        .map(|(index, queued)| row(queued, index == 0, index + 1 == count))
        .collect_view();
    let columns = vec![col("Place"), col("Build"), wide("Commit"), wide("Why")];
    Some(
        view! { <Card title="Queue" flush=true><Table name="Queue" columns=columns>{running}{queued}</Table></Card> }
            .into_any(),
    )
}

fn called(build: &Build) -> String {
    format!("{} #{}", build.service_name, build.number)
}

fn commit(commit: Option<&CommitSha>) -> AnyView {
    match commit {
        Some(commit) => view! { <code>{commit.brief().to_owned()}</code> }.into_any(),
        None => view! { <span class="muted">"newest"</span> }.into_any(),
    }
}

fn under_way(build: Build) -> impl IntoView {
    let name = called(&build);
    let cancel = (build.state == JobState::Running).then(|| cancel(&build, &name));
    let subject = build.commit_subject.clone();
    let by = build.builder.clone().map(|by| view! { <div class="hint">{format!("Built by {by}")}</div> });
    view! {
        <tr data-place="0">
            <td><JobBadge state=build.state of=build.job.to_string()/></td>
            <td class="text"><a href=paths::build(&build.id)>{name}</a>{by}{cancel}</td>
            <td class="wide text">{commit(build.commit.as_ref())} " " {subject}</td>
            <td class="wide">{build.trigger.words()}</td>
        </tr>
    }
}

fn row(queued: QueuedBuild, is_first: bool, is_last: bool) -> impl IntoView {
    let QueuedBuild { build, waiting, branch, commit: wanted } = queued;
    let name = called(&build);
    let words = format!("Waits for {}", waits(&waiting, build.builder.as_deref()));
    let branch = branch.map(|branch| view! { <code>{branch.to_string()}</code> " at " });
    let move_to = |to: &'static str, text: &'static str| {
        let label = match to {
            "front" => format!("Move {name} to the front"),
            _ => format!("Move {name} {to}"),
        };
        view! { <button class="button small" type="submit" name="to" value=to aria-label=label>{text}</button> }
    };
    let moves = (!is_first || !is_last).then(|| {
        let hidden = vec![("id", build.id.to_string())];
        let up = (!is_first).then(|| view! { {move_to("front", "Front")}{move_to("up", "Up")} });
        let down = (!is_last).then(|| move_to("down", "Down"));
        view! { <Form to=MoveBuild::PATH flat=true class="row" hidden=hidden>{up}{down}</Form> }
    });
    let cancel = cancel(&build, &name);
    view! {
        <tr data-place=waiting.position>
            <td>{waiting.position}</td>
            <td class="text">
                <a href=paths::build(&build.id)>{name}</a>
                <div class="hint">{words}</div>
                <div class="row">{moves}{cancel}</div>
            </td>
            <td class="wide text">{branch}{commit(wanted.as_ref())}</td>
            <td class="wide">{build.trigger.words()}</td>
        </tr>
    }
}

fn cancel(build: &Build, name: &str) -> impl IntoView + use<> {
    let label = format!("Cancel {name}");
    view! {
        <Form to=CancelBuild::PATH flat=true class="row" hidden=vec![("id", build.id.to_string())]>
            <button class="button small" type="submit" aria-label=label>"Cancel"</button>
        </Form>
    }
}
