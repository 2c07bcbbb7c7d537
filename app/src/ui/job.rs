//! A job's steps and log, as the server renders them; `islands::live` adds what comes afterwards.

use super::card::Card;
use super::icon::{Icon, Name};
use crate::api::Backend;
use crate::error::AppError;
use crate::islands::live::{Live, step_row};
use crate::islands::log::{heading_of, heading_words, pieces};
use crate::model::account::Actor;
use crate::model::id::JobId;
use crate::model::job::{JobState, LogLine, Step};
use crate::{paths, ui::time};
use leptos::prelude::*;

/// The steps with state and time. The browser rewrites the rows from events, in the same form.
#[component]
pub fn Steps(
    /// In order.
    steps: Vec<Step>,
) -> impl IntoView {
    let now = time::now() * 1_000;
    let rows = steps
        .iter()
        .map(|step| {
            let (class, word, time) = step_row(step, now);
            view! {
                <li class=class>
                    <span class="title">{step.title.clone()}<span class="visually-hidden">{format!(" ({word})")}</span></span>
                    <span class="num">{time}</span>
                </li>
            }
        })
        .collect_view();
    view! { <Card title="Steps" flush=true><ol class="steps" id="steps">{rows}</ol></Card> }
}

/// The log: its last lines, and what comes while the job runs.
#[component]
pub fn JobLog(
    /// The job.
    id: JobId,
    /// Where it is.
    state: JobState,
    /// Its steps, for headings.
    steps: Vec<Step>,
    /// The last lines.
    lines: Vec<LogLine>,
    /// Where a live tail goes on.
    offset: u64,
) -> impl IntoView {
    let first = lines.first().map_or(1, |line| line.n);
    let last = lines.last().map_or(0, |line| line.n);
    let mut step = String::new();
    let mut rows: Vec<AnyView> = Vec::with_capacity(lines.len() + 8);
    if first > 1 {
        let text = format!("{} earlier lines are in the download.", first - 1);
        rows.push(view! { <li class="step">{text}</li> }.into_any());
    }
    for line in &lines {
        if heading_of(line) != step {
            heading_of(line).clone_into(&mut step);
            let words = heading_words(&step, &steps).to_owned();
            rows.push(view! { <li class="step">{words}</li> }.into_any());
        }
        rows.push(row(line));
    }
    let stream = format!("{}?from={offset}", paths::job_log(&id));
    let actions = view! {
        <div class="row">
            {(!state.is_final()).then(|| view! { <Live stream log=true/> })}
            <a class="button small" href=paths::job_log_text(&id) download=""><Icon name=Name::Download/>"Download"</a>
        </div>
    }
    .into_any();
    let is_empty = rows.is_empty();
    view! {
        <Card title="Log" flush=true actions=actions>
            <div class="log" id="log" role="log" aria-live="off" aria-label="Log" tabindex="0">
                {is_empty.then(|| view! { <p class="muted">{if state.is_final() { "Nothing was written." } else { "Waiting for the first line." }}</p> })}
                <ol data-last=last data-step=step>{rows}</ol>
            </div>
        </Card>
    }
}

fn row(line: &LogLine) -> AnyView {
    let id = format!("L{}", line.n);
    let text = pieces(line)
        .into_iter()
        .map(|(look, text)| match look.class() {
            Some(class) => view! { <span class=class>{text}</span> }.into_any(),
            None => text.into_any(),
        })
        .collect_view();
    view! { <li id=id.clone()><a href=format!("#{id}")>{line.n}</a><span class="text">{text}</span></li> }.into_any()
}

/// Keeps a page without a log up to date while a job is under way: its badges change, and the page is loaded again when
/// the job ends. One stream per page: the first of `jobs` is followed.
pub async fn follow(
    actor: &Actor,
    backend: &Backend,
    jobs: impl IntoIterator<Item = JobId>,
) -> Result<Option<AnyView>, AppError> {
    let Some(id) = jobs.into_iter().next() else { return Ok(None) };
    let (_, offset) = backend.jobs.tail(actor, &id, 0).await?;
    let stream = format!("{}?from={offset}", paths::job_log(&id));
    Ok(Some(view! { <Live stream log=false/> }.into_any()))
}
