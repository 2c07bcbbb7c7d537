//! What a run of a registry's rules did: in figures, and line by line.

use crate::error::AppError;
use crate::model::id::{JobId, RegistryId};
use crate::model::text;
use crate::model::trash::{Outcome, ReportLine, RunReport, RunSummary};
use crate::pages::{Page, PageResult};
use crate::ui::job::follow;
use crate::ui::table::{col, wide};
use crate::ui::{Age, Badge, Card, Digest, Empty, Fact, Facts, JobBadge, Note, PageHead, ProblemBox, Table, Tone};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let run = request::param("run").and_then(|text| text.parse::<JobId>().ok());
    let run = run.ok_or_else(|| AppError::NotFound("run".into()))?;
    let registry = backend.registries.get(&actor, &id).await?;
    let report = backend.trash.report(&actor, &id, &run).await?;
    let job = match backend.jobs.get(&actor, &run).await {
        Ok((job, _)) => Some(job),
        // Records of old jobs are cleared away; the report stays.
        Err(AppError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let under_way = job.iter().filter(|job| !job.state.is_final()).map(|job| job.id.clone());
    let follow = follow(&actor, &backend, under_way.collect::<Vec<_>>()).await?;
    let badge = job.as_ref().map(|job| {
        let (state, of) = (job.state, job.id.to_string());
        view! { <JobBadge state=state of=of/> {follow} }.into_any()
    });
    let RunReport { summary, unread, lines } = report;
    let title = if summary.by_rules { "Run of the rules" } else { "Trash thrown out" };
    let log = job.as_ref().map(|job| {
        let href = paths::job(&job.id);
        view! { <Fact name="Log"><a href=href>"Open the job"</a></Fact> }
    });
    let by_rules = summary.by_rules.then(|| {
        view! {
            <Fact name="Judged">{text::tags(summary.judged)}</Fact>
            <Fact name="Comes free later">
                {text::bytes(summary.frees)}
                <span class="muted">", once the trash is emptied and the registry's garbage is collected"</span>
            </Fact>
        }
    });
    let did = figures(&summary);
    let (by, at, shown) = (summary.by.clone(), summary.at, lines.len());
    let more = (shown as u32 >= RunReport::MOST).then(|| {
        view! { <p class="muted">"The first 2,000 lines; the job's log has all."</p> }
    });
    let unread = (!unread.is_empty()).then(|| {
        let items = unread.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
        view! { <Note tone="warn" title="This couldn't be read, so nothing of it was deleted:"><ul>{items}</ul></Note> }
    });
    let list = list(&lines, summary.ended.is_some());
    let problem = job.and_then(|job| job.problem).map(|problem| view! { <ProblemBox problem/> });
    Ok(Page::new(
        format!("{title}, {}, Registries", registry.name),
        view! {
            <PageHead title=title under=(paths::trash(&id), format!("Trash of {}", registry.name)) badge=badge/>
            {problem}
            {unread}
            <Card title="In figures">
                <Facts>
                    <Fact name="Did">{did}</Fact>
                    {by_rules}
                    <Fact name="Asked by">{by} ", " <Age seconds=at/></Fact>
                    {log}
                </Facts>
            </Card>
            <Card title="Line by line" flush=true id="lines">{list}{more}</Card>
        },
    ))
}

/// `3 tags deleted, 1 skipped`.
pub fn figures(run: &RunSummary) -> String {
    let parts = [
        (run.deleted, "deleted"),
        (run.skipped, "skipped"),
        (run.expired, "thrown out of the trash"),
        (run.stayed, "kept although due"),
    ];
    let said: Vec<_> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", text::figure(*n))).collect();
    match (said.is_empty(), run.ended) {
        (true, None) => "Nothing yet".into(),
        (true, Some(_)) => "Nothing was to be done".into(),
        _ => said.join(", "),
    }
}

fn list(lines: &[ReportLine], is_over: bool) -> AnyView {
    if lines.is_empty() {
        let why = if is_over {
            "All tags are kept by a rule, or something needs them; and nothing in the trash was due."
        } else {
            "Each tag stands here as soon as something happened to it."
        };
        return view! { <Empty title="No lines" why=why/> }.into_any();
    }
    let rows = lines
        .iter()
        .map(|line| {
            let (tone, word) = match line.outcome {
                Outcome::Deleted => (Tone::Ok, "Deleted"),
                Outcome::Skipped => (Tone::Idle, "Skipped"),
                Outcome::Expired => (Tone::Ok, "Thrown out"),
                Outcome::Stayed => (Tone::Idle, "Stayed"),
            };
            view! {
                <tr>
                    <td class="long"><code>{format!("{}:{}", line.repository, line.tag)}</code></td>
                    <td class="wide"><Digest digest=line.digest.clone()/></td>
                    <td><Badge tone=tone text=word/></td>
                    <td>{line.note.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("Tag"), wide("Digest"), col("What happened"), col("Why")];
    view! { <Table name="What happened" columns=columns>{rows}</Table> }.into_any()
}
