//! Keeps a page that shows a job up to date: badge, steps and log, from the job's one event stream.
//!
//! The server rendered everything up to now; this island adds what comes. Facts that become known on the way (the commit,
//! the image's name) are fetched when a step has ended. When the job ends, the page is loaded again,
//! because the result (digest, deployment, tasks) is the server's to show. While the reader looks at older lines it
//! isn't taken away from under them: they get a link. The badge says how the job ended only then, so that it never
//! stands beside facts that are older than it.
#![expect(missing_docs, reason = "the island macro makes structs without documentation")]

use crate::islands::follow::Follow;
use crate::model::job::{JobState, Step, StepState};
use crate::model::text;
use leptos::prelude::*;

/// The id of the card with facts that become known while a job runs.
pub const FACTS: &str = "facts";

/// The class of a job's badge.
pub fn state_class(state: JobState) -> &'static str {
    match state {
        JobState::Queued | JobState::Cancelled | JobState::Superseded => "badge idle",
        JobState::Running | JobState::Cancelling => "badge busy",
        JobState::Succeeded => "badge ok",
        JobState::Failed => "badge bad",
    }
}

/// The word in a job's badge.
pub fn state_word(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "Queued",
        JobState::Running => "Running",
        JobState::Cancelling => "Cancelling",
        JobState::Succeeded => "Succeeded",
        JobState::Failed => "Failed",
        JobState::Cancelled => "Cancelled",
        JobState::Superseded => "Superseded",
    }
}

/// How a step is shown: class, words for its state, and time. `now` in Unix milliseconds, for steps under way.
pub fn step_row(step: &Step, now: i64) -> (String, &'static str, String) {
    let (class, word) = match step.state {
        StepState::Running => ("busy", "under way"),
        StepState::Done => ("ok", "done"),
        StepState::Failed => ("bad", "failed"),
    };
    let sub = if step.name.contains('/') { " sub" } else { "" };
    let time =
        if step.cached { "cached".to_owned() } else { text::duration(step.finished.unwrap_or(now) - step.started) };
    (format!("{class}{sub}"), word, time)
}

/// The controls of a page that follows a job.
#[island]
pub fn Live(
    /// The address of the job's event stream.
    stream: String,
    /// The byte offset in the log where it goes on; None: the job is over.
    from: Option<u64>,
    /// The address of ranges of the log; empty: the page has no log.
    lines: String,
    /// Names of the job's steps, each with its title behind a tab, as far as they are known.
    titles: String,
) -> impl IntoView {
    let follow = Follow::default();
    let status = RwSignal::new("");
    let ended = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    {
        let lines = lines.clone();
        Effect::new(move |_| {
            browser::start(&stream, &lines, &titles, from, browser::Controls { follow, status, ended });
        });
    }
    #[cfg(not(feature = "hydrate"))]
    drop((stream, titles));
    view! {
        <div class="live">
            <span role="status" class="muted">{move || status.get()}</span>
            <a class="button small" href="" hidden=move || !ended.get()>"Show the result"</a>
            {(!lines.is_empty() && from.is_some()).then(|| follow.buttons())}
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{FACTS, state_class, state_word, step_row};
    use crate::islands::follow::Follow;
    use crate::islands::log::Tail;
    use crate::islands::{dom, part, window};
    use crate::model::job::{Job, LiveEvent, Step, StepState};
    use leptos::prelude::*;
    use std::cell::RefCell;
    use std::rc::Rc;
    use web_sys::{Event, EventSource, MessageEvent};

    #[derive(Clone, Copy)]
    pub struct Controls {
        pub follow: Follow,
        pub status: RwSignal<&'static str>,
        pub ended: RwSignal<bool>,
    }

    struct Page {
        path: String,
        offset: String,
        log: Option<window::Shared>,
        steps: Vec<Step>,
        job: Option<Job>,
        controls: Controls,
    }

    type Shared = Rc<RefCell<Page>>;

    /// Takes the page's log over, and follows the job, if it goes on, from a byte of its log.
    pub fn start(stream: &str, lines: &str, titles: &str, from: Option<u64>, controls: Controls) {
        let log = if lines.is_empty() { None } else { window::take_over(lines.into(), titles.into(), from.is_some()) };
        let Some(from) = from else { return };
        if let Some(tail) = Tail::find() {
            // Whoever comes by a link to a line doesn't follow.
            if !tail.is_at_end() {
                controls.follow.follows.set(false);
            }
            controls.follow.watch_scrolling(&tail);
        }
        let (path, offset) = (stream.into(), from.to_string());
        let page = Page { path, offset, log, steps: Vec::new(), job: None, controls };
        let page = Rc::new(RefCell::new(page));
        tick(&page);
        open(&page);
    }

    /// Times of steps under way grow by the second.
    fn tick(page: &Shared) {
        let page = Rc::clone(page);
        dom::every(1_000, move || {
            if let Ok(page) = page.try_borrow()
                && page.steps.iter().any(|step| step.state == StepState::Running)
                && !page.controls.ended.get_untracked()
            {
                show_steps(&page.steps);
            }
        });
    }

    fn open(page: &Shared) {
        let url = format!("{}?from={}", page.borrow().path, page.borrow().offset);
        let status = page.borrow().controls.status;
        let Ok(source) = EventSource::new(&url) else {
            status.set("No live updates");
            return;
        };
        dom::on(&source, "open", move |_: Event| status.set("Live"));
        for name in ["log", "job", "end"] {
            let (page, source_too) = (Rc::clone(page), source.clone());
            dom::on(&source, name, move |event: MessageEvent| {
                let id = event.last_event_id();
                if !id.is_empty() {
                    page.borrow_mut().offset = id;
                }
                let Some(text) = event.data().as_string() else { return };
                match serde_json::from_str(&text) {
                    Ok(event) => obey(&page, &source_too, event),
                    Err(_) => web_sys::console::error_1(&"a live event can't be read".into()),
                }
            });
        }
        let (page, source_too) = (Rc::clone(page), source.clone());
        dom::on(&source, "error", move |_: Event| {
            if page.borrow().controls.ended.get_untracked() {
                return;
            }
            status.set("Reconnecting…");
            // The browser tries again by itself, unless the server answered with an error.
            if source_too.ready_state() == EventSource::CLOSED {
                let page = Rc::clone(&page);
                dom::after(2_000, move || open(&page));
            }
        });
    }

    fn obey(page: &Shared, source: &EventSource, event: LiveEvent) {
        let mut page = page.borrow_mut();
        let controls = page.controls;
        match event {
            LiveEvent::Log { lines } => {
                let (Some(log), Some(tail)) = (page.log.clone(), Tail::find()) else { return };
                let added = log.borrow_mut().add(lines);
                controls.follow.came(&tail, added);
                window::show(&log);
            }
            LiveEvent::Job { job, steps } => {
                if !job.state.is_final() {
                    show_job(&job);
                }
                show_steps(&steps);
                let ended = |steps: &[Step]| {
                    steps.iter().filter(|step| step.finished.is_some() && !step.name.contains('/')).count()
                };
                if !job.state.is_final() && ended(&steps) > ended(&page.steps) {
                    leptos::task::spawn_local(async {
                        // Without an answer the old ones stay; the page is loaded again at the end anyway.
                        part::renew(FACTS, false).await;
                    });
                }
                if let Some(log) = &page.log {
                    for step in steps.iter().filter(|step| !step.name.contains('/')) {
                        if page.steps.iter().all(|known| known.name != step.name) {
                            log.borrow_mut().title(&step.name, &step.title);
                        }
                    }
                }
                page.steps = steps;
                page.job = Some(*job);
            }
            LiveEvent::End => {
                source.close();
                controls.ended.set(true);
                controls.status.set("Ended");
                if controls.follow.follows.get_untracked() {
                    if let Some(window) = dom::window() {
                        let _ = window.location().reload();
                    }
                } else if let Some(job) = &page.job {
                    show_job(job);
                }
            }
        }
    }

    fn show_job(job: &Job) {
        for badge in dom::all(&format!("[data-job=\"{}\"]", job.id)) {
            if badge.get_attribute("data-state").as_deref() != Some(job.state.as_str()) {
                badge.set_class_name(state_class(job.state));
                badge.set_text_content(Some(state_word(job.state)));
                let _ = badge.set_attribute("data-state", job.state.as_str());
            }
        }
    }

    /// Writes the same rows that `ui::job::Steps` writes on the server.
    fn show_steps(steps: &[Step]) {
        let Some(list) = dom::by_id("steps") else { return };
        let now = js_sys::Date::now() as i64;
        list.set_text_content(None);
        for step in steps {
            let (class, word, time) = step_row(step, now);
            let Some(row) = dom::element("li", &class, "") else { continue };
            let title = dom::element("span", "title", &step.title);
            if let Some(title) = &title {
                dom::append(title, dom::element("span", "visually-hidden", &format!(" ({word})")));
            }
            dom::append(&row, title);
            dom::append(&row, dom::element("span", "num", &time));
            dom::append(&list, Some(row));
        }
    }
}
