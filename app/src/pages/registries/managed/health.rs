//! Whether it is well: the history of probes, the last one step by step, and the tasks.

use crate::model::registry::{ManagedStatus, ProbeReport, ProbeStep, TaskLine};
use crate::model::text;
use crate::ui::chart::Uptime;
use crate::ui::table::{col, wide};
use crate::ui::{Age, Badge, Card, Table, Tone};
use leptos::prelude::*;

/// The cards.
pub(super) fn cards(status: &ManagedStatus) -> impl IntoView + use<> {
    let (probe, tasks) = (probe(status.probe.as_ref()), tasks(&status.tasks));
    let slots = status.uptime.clone();
    view! {
        <Card title="Health">
            <div class="stack" id="uptime"><Uptime slots/></div>
        </Card>
        <Card title="Last probe" flush=true><div id="probe">{probe}</div></Card>
        <Card title="Tasks" flush=true><div id="tasks">{tasks}</div></Card>
    }
}

fn probe(report: Option<&ProbeReport>) -> AnyView {
    let Some(report) = report else {
        return view! {
            <p class="body muted">"It hasn't been probed yet. A probe signs in, pushes a small image's layer, reads it back and deletes it."</p>
        }
        .into_any();
    };
    let steps = report.steps.iter().map(step).collect_view();
    let took = text::duration(report.millis);
    let words = if report.ok { "All went well" } else { "It failed" };
    view! {
        <p class="body">{words}", "<Age seconds=report.at/>", in "{took}"."</p>
        <ul class="lights" aria-label="Steps of the last probe">{steps}</ul>
    }
    .into_any()
}

fn step(step: &ProbeStep) -> impl IntoView + use<> {
    let (tone, word, lamp) = match step.ok {
        Some(true) => (Tone::Ok, "Works", "green"),
        Some(false) => (Tone::Bad, "Fails", "red"),
        None => (Tone::Idle, "Not reached", "dark"),
    };
    let took = step.ok.map(|_| view! { <span class="hint num">{text::duration(step.millis)}</span> });
    view! {
        <li data-check=step.name.clone() data-lamp=lamp>
            <span class="check-name">{step.title.clone()}</span>
            <Badge tone=tone text=word/>
            <div class="stack"><p>{step.text.clone()}</p></div>
            {took}
        </li>
    }
}

fn tasks(tasks: &[TaskLine]) -> AnyView {
    if tasks.is_empty() {
        return view! { <p class="body muted">"Docker knows of no task."</p> }.into_any();
    }
    let rows = tasks
        .iter()
        .map(|task| {
            let tone = match (task.runs, task.error.is_some()) {
                (true, _) => Tone::Ok,
                (false, true) => Tone::Bad,
                (false, false) => Tone::Idle,
            };
            let error = task.error.clone().map(|error| view! { <span class="hint">{error}</span> });
            let node = task.node.clone().unwrap_or_else(|| "no node yet".to_owned());
            view! {
                <tr>
                    <td><Badge tone text=task.state.clone()/></td>
                    <td>{node}</td>
                    <td><Age seconds=task.since/></td>
                    <td class="text">{error}</td>
                    <td class="wide"><code>{task.id.chars().take(12).collect::<String>()}</code></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("State"), col("Node"), col("Since"), col("What Docker says"), wide("Task")];
    view! { <Table name="Tasks" columns=columns>{rows}</Table> }.into_any()
}
