//! What was deleted from a registry and may come back, and what runs of its rules did.

use crate::api::trash::{EmptyTrash, RestoreTag, RunRetention};
use crate::error::AppError;
use crate::model::id::RegistryId;
use crate::model::registry::Registry;
use crate::model::text;
use crate::model::trash::{RunSummary, TAG_TAKEN, TrashState, Trashed};
use crate::pages::{Page, PageResult};
use crate::ui::job::follow;
use crate::ui::table::{Column, col, wide};
use crate::ui::{
    Age, Badge, Card, Checkbox, Digest, Empty, Form, Name, Note, PageHead, ProblemBox, Submit, Table, Tone, time,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let trash = backend.trash.trash(&actor, &id).await?;
    let runs = backend.trash.runs(&actor, &id).await?;
    // What is under way changes this page when it ends.
    let jobs = trash.iter().filter_map(|entry| entry.job.clone());
    let jobs = jobs.chain(runs.iter().filter(|run| run.ended.is_none()).map(|run| run.job.clone()));
    let mut under_way = Vec::new();
    for job in jobs {
        match backend.jobs.get(&actor, &job).await {
            Ok((job, _)) if !job.state.is_final() => under_way.push(job.id),
            Ok(_) | Err(AppError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let badge = follow(&actor, &backend, under_way.clone()).await?;
    let troubles = trash.iter().filter_map(trouble).collect_view();
    let empty = (!trash.is_empty()).then(|| empty(&registry, &trash));
    let list = list(&trash);
    let runs = runs_card(&id, &runs);
    Ok(Page::new(
        format!("Trash of {}, Registries", registry.name),
        view! {
            <PageHead title="Trash" under=(paths::registry(&id), registry.name.clone()) badge=badge>
                <Form to=RunRetention::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                    <Submit text="Run the rules now" icon=Name::Refresh/>
                </Form>
            </PageHead>
            {troubles}
            <Card title="Deleted tags" flush=true id="trash">{list}</Card>
            {runs}
            {empty}
        },
    ))
}

/// Why a tag couldn't be brought back, with what can be done about it here.
fn trouble(entry: &Trashed) -> Option<AnyView> {
    let problem = entry.trouble.clone()?;
    let name = format!("{}:{}", entry.repository, entry.tag);
    let over = (problem.code == TAG_TAKEN).then(|| {
        let hidden = vec![("id", entry.id.to_string()), ("over", "yes".to_owned())];
        let text = format!("Restore {} over it", entry.tag);
        view! {
            <Form to=RestoreTag::PATH class="row" flat=true hidden=hidden>
                <Submit text=text class="danger"/>
            </Form>
        }
    });
    let mut problem = problem;
    problem.link = None;
    Some(
        view! {
            <Note tone="warn" title=name>
                <ProblemBox problem/>
                {over}
            </Note>
        }
        .into_any(),
    )
}

fn list(trash: &[Trashed]) -> AnyView {
    if trash.is_empty() {
        return view! {
            <Empty title="The trash is empty"
                why="Tags that a registry's rules delete stay here for as many days as the rules say. Until then their images stay in the registry, and a tag can be brought back."/>
        }
        .into_any();
    }
    let now = time::now();
    let rows = trash
        .iter()
        .map(|entry| {
            let place = format!("{}:{}", entry.repository, entry.tag);
            let label = format!("Restore {place}");
            let action = match entry.state {
                TrashState::Kept => view! {
                    <Form to=RestoreTag::PATH class="row" flat=true hidden=vec![("id", entry.id.to_string())]>
                        <button class="button" type="submit" aria-label=label>"Restore"</button>
                    </Form>
                }
                .into_any(),
                TrashState::Deleting => view! { <Badge tone=Tone::Busy text="Being deleted"/> }.into_any(),
                TrashState::Expiring => view! { <Badge tone=Tone::Busy text="Being thrown out"/> }.into_any(),
            };
            view! {
                <tr>
                    <td class="long"><code>{place}</code></td>
                    <td class="wide"><Digest digest=entry.digest.clone()/></td>
                    <td class="wide num">{text::bytes(entry.size)}</td>
                    <td><Age seconds=entry.at/><span class="wide muted">" by "{entry.by.clone()}</span></td>
                    <td>{until(entry.until, now)}</td>
                    <td>{action}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        col("Tag"),
        wide("Digest"),
        Column { name: "Size", class: "wide num" },
        col("Deleted"),
        col("Stays until"),
        col("Actions"),
    ];
    view! { <Table name="Deleted tags" columns=columns>{rows}</Table> }.into_any()
}

/// Until when a tag can come back.
fn until(at: i64, now: i64) -> String {
    if at <= now { "The next run".into() } else { time::day(at) }
}

fn empty(registry: &Registry, trash: &[Trashed]) -> AnyView {
    let size = text::bytes(trash.iter().map(|entry| entry.size).sum());
    let inside = format!(
        "{} in it, {size} at most; layers that images which stay have too aren't freed.",
        text::tags(trash.len() as u64)
    );
    let hidden = vec![("id", registry.id.to_string())];
    let frees = if registry.managed.is_some() {
        "The disk is free again once the registry's garbage is collected."
    } else {
        "When the registry frees the room is its own matter."
    };
    view! {
        <Card title="Empty the trash now" id="empty">
            <ul>
                <li>{inside}</li>
                <li>"Nothing of it can be brought back afterwards. What a deployment needs by now stays all the same."</li>
                <li>{frees}</li>
            </ul>
            <Form to=EmptyTrash::PATH hidden=hidden>
                <Checkbox field="sure" label="These tags can go for good"/>
                <div class="row"><Submit text="Empty the trash" class="danger" icon=Name::Trash/></div>
            </Form>
        </Card>
    }
    .into_any()
}

fn runs_card(id: &RegistryId, runs: &[RunSummary]) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = runs
        .iter()
        .map(|run| {
            let what = if run.by_rules { "Rules" } else { "Trash" };
            view! {
                <tr>
                    <td><a href=paths::retention_run(id, &run.job)>{what}" "<Age seconds=run.at/></a></td>
                    <td class="wide">{run.by.clone()}</td>
                    <td>{super::run::figures(run)}</td>
                </tr>
            }
        })
        .collect();
    let columns = vec![col("Run"), wide("Asked by"), col("What it did")];
    (!rows.is_empty()).then(|| {
        view! { <Card title="Runs" flush=true id="runs"><Table name="Runs" columns=columns>{rows}</Table></Card> }
    })
}
