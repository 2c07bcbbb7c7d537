//! A job's steps and log, as the server renders them; `islands::live` adds what comes afterwards.

use super::card::Card;
use super::icon::{Icon, Name};
use crate::api::Backend;
use crate::error::AppError;
use crate::islands::live::{Live, step_row};
use crate::islands::log::{heading_of, heading_words, pieces};
use crate::model::account::Actor;
use crate::model::id::JobId;
use crate::model::job::{JobState, LogLine, LogPage, Step};
use crate::{paths, request, ui::time};
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

/// Lines in a page without script.
const PAGE: usize = 1_000;
/// Lines before the one that tells why a job failed.
const BEFORE: u64 = 5;

/// The lines that a page begins with.
#[derive(Debug)]
pub struct LogLines {
    lines: Vec<LogLine>,
    total: u64,
    /// Where a live tail goes on.
    offset: u64,
    /// The first line that was asked for by `?lines=`.
    asked: Option<u64>,
    /// The line that tells why the job failed.
    telling: Option<LogLine>,
}

impl LogLines {
    /// Those that the address asks for; else from the failing step on, if a line tells why; else the newest.
    pub async fn of(actor: &Actor, backend: &Backend, job: &JobId, telling: Option<u64>) -> Result<Self, AppError> {
        let asked = request::query("lines").and_then(|from| from.parse::<u64>().ok());
        let (newest, offset) = backend.jobs.tail(actor, job, PAGE).await?;
        let telling = match telling {
            Some(line) => backend.jobs.lines(actor, job, line, 1).await?.lines.into_iter().next(),
            None => None,
        };
        let from = asked.or_else(|| telling.as_ref().map(|line| line.n.saturating_sub(BEFORE)));
        if let Some(from) = from {
            let LogPage { lines, total } = backend.jobs.lines(actor, job, from.max(1), PAGE).await?;
            if !lines.is_empty() {
                return Ok(Self { lines, total, offset, asked, telling });
            }
        }
        let total = newest.last().map_or(0, |line| line.n);
        Ok(Self { lines: newest, total, offset, asked: None, telling })
    }

    /// The line that tells, for the problem's box.
    pub fn telling(&self) -> Option<AnyView> {
        let line = self.telling.as_ref()?;
        let text = text(line);
        let words = format!("Line {}", line.n);
        let href = format!("#L{}", line.n);
        Some(view! { <p class="telling-line"><a href=href>{words}</a>" "<code>{text}</code></p> }.into_any())
    }
}

/// The log. Without script a page of it with links to the others; a script makes a window of it that shows all lines, and
/// adds what comes while the job runs.
#[component]
pub fn JobLog(
    /// The job.
    id: JobId,
    /// Where it is.
    state: JobState,
    /// Its steps, for headings.
    steps: Vec<Step>,
    /// The lines to begin with.
    log: LogLines,
) -> impl IntoView {
    let LogLines { lines, total, offset, asked, telling } = log;
    let telling = telling.map(|line| line.n);
    let first = lines.first().map_or(1, |line| line.n);
    let last = lines.last().map_or(0, |line| line.n);
    let mut step =
        if first == 1 { String::new() } else { lines.first().map(heading_of).unwrap_or_default().to_owned() };
    let rows = lines
        .iter()
        .map(|line| {
            let heading = (heading_of(line) != step).then(|| {
                heading_of(line).clone_into(&mut step);
                heading_words(&step, &steps).to_owned()
            });
            row(line, heading, telling == Some(line.n))
        })
        .collect_view();
    let titles = steps.iter().filter(|step| !step.name.contains('/'));
    let titles = titles.map(|step| format!("{}\t{}", step.name, step.title)).collect::<Vec<_>>().join("\n");
    let from = (!state.is_final()).then_some(offset);
    let actions = view! {
        <div class="row">
            <Live stream=paths::job_log(&id) from lines=paths::job_log_lines(&id) titles/>
            <a class="button small" href=paths::job_log_text(&id) download=""><Icon name=Name::Download/>"Download"</a>
        </div>
    }
    .into_any();
    let empty = lines.is_empty().then(|| {
        let words = if state.is_final() { "Nothing was written." } else { "Waiting for the first line." };
        view! { <p class="muted">{words}</p> }
    });
    let page = |from: u64, words: &'static str| view! { <a href=format!("?lines={from}#log")>{words}</a> };
    let earlier = (first > 1).then(|| page(first.saturating_sub(PAGE as u64).max(1), "Earlier lines"));
    let later = (last < total).then(|| page(last + 1, "Later lines"));
    let pages = (first > 1 || last < total).then(|| {
        let words = format!("Lines {first} to {last} of {total}");
        view! { <nav class="log-pages row" aria-label="Parts of the log"><span class="muted">{words}</span>{earlier}{later}</nav> }
    });
    view! {
        <Card title="Log" flush=true actions=actions>
            {pages}
            <div class="log lines" id="log" role="log" aria-live="off" aria-label="Log" tabindex="0">
                {empty}
                <ol data-first=first data-last=last data-total=total data-telling=telling data-asked=asked>{rows}</ol>
            </div>
        </Card>
    }
}

fn row(line: &LogLine, heading: Option<String>, tells: bool) -> AnyView {
    let id = format!("L{}", line.n);
    let class = tells.then_some("telling");
    view! {
        <li id=id.clone() class=class><a href=format!("#{id}")>{line.n}</a><span class="text" data-of=heading>{text(line)}</span></li>
    }
    .into_any()
}

/// A line's text with its colours.
fn text(line: &LogLine) -> AnyView {
    let text = pieces(line).into_iter().map(|(look, text)| match look.class() {
        Some(class) => view! { <span class=class>{text}</span> }.into_any(),
        None => text.into_any(),
    });
    text.collect_view().into_any()
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
    let (stream, from) = (paths::job_log(&id), Some(offset));
    Ok(Some(view! { <Live stream from lines=String::new() titles=String::new()/> }.into_any()))
}
