//! What a managed registry prints. Reading it asks Docker on this machine, which may take a moment; when Docker can't be
//! reached the page says so instead of failing.

use super::find_managed;
use crate::islands::registry_log::{RegistryTail, clock, look};
use crate::model::id::RegistryId;
use crate::model::registry::{LogEntry, LogView, Severity};
use crate::pages::{Page, PageResult};
use crate::ui::note::explain;
use crate::ui::{Card, Icon, Name, PageHead, Submit, time};
use crate::{paths, request};
use leptos::prelude::*;

/// How far back: as it stands in the address, and the words for it.
const SINCE: [(&str, &str); 5] =
    [("", "Any time"), ("15m", "Last 15 minutes"), ("1h", "Last hour"), ("6h", "Last 6 hours"), ("1d", "Last day")];
const SEVERITIES: [(Severity, &str); 3] =
    [(Severity::Info, "All"), (Severity::Warning, "Warnings and errors"), (Severity::Error, "Errors")];
const TAILS: [(&str, &str); 4] = [("200", "200"), ("500", "500"), ("1000", "1,000"), ("2000", "2,000")];

/// What the query asks for.
struct Asked {
    view: LogView,
    since: &'static str,
}

fn asked() -> Asked {
    let fields: Vec<(&str, String)> = ["severity", "filter", "own", "tail", "since"]
        .into_iter()
        .filter_map(|name| Some((name, request::query(name)?)))
        .collect();
    let mut view = LogView::read(fields.iter().map(|(name, value)| (*name, value.as_str())), time::now());
    // More than that is for the download.
    view.tail = view.tail.min(2_000);
    let named = fields.iter().find(|(name, _)| *name == "since").map(|(_, value)| value.as_str());
    let since = SINCE.iter().find(|(name, _)| named == Some(*name) && view.since.is_some());
    if since.is_none() {
        // Shown as what the form can say.
        view.since = None;
    }
    Asked { view, since: since.map(|(name, _)| *name).unwrap_or_default() }
}

/// The values of a view in a query, as the stream and the download read them too; only the last is none of the stream's.
fn values(Asked { view, since }: &Asked) -> [(&'static str, String); 4] {
    let severity = if view.severity == Severity::Info { "" } else { view.severity.as_str() };
    let own = if view.own { "1" } else { "" };
    [
        ("filter", view.filter.clone()),
        ("severity", severity.to_owned()),
        ("own", own.to_owned()),
        ("since", (*since).to_owned()),
    ]
}

/// The page.
pub async fn show() -> PageResult {
    let (id, registry, _) = find_managed().await?;
    let (actor, backend) = request::signed_in()?;
    let asked = asked();
    let found = backend.registries.log(&actor, &id, asked.view.clone()).await;
    let values = values(&asked);
    let pairs: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let tail = asked.view.tail.to_string();
    let text = paths::with_query(&paths::registry_log_text(&id), &[&pairs[..], &[("tail", &tail)]].concat());
    let stream = paths::with_query(&paths::registry_log(&id), &pairs[..3]);
    let download = view! {
        <a class="button small" href=text download=""><Icon name=Name::Download/>"Download"</a>
    };
    let (live, lines) = match found {
        Ok(entries) => {
            let cursor = entries.last().map(|entry| entry.cursor.clone()).unwrap_or_default();
            (Some(view! { <RegistryTail stream cursor/> }), lines(&entries, &asked))
        }
        Err(error) => (None, view! { <div class="body">{explain(&error)}</div> }.into_any()),
    };
    let actions = view! { <div class="row">{live}{download}</div> }.into_any();
    Ok(Page::new(
        format!("Logs of {}, Registries", registry.name),
        view! {
            <PageHead title=format!("Logs of {}", registry.name) under=(paths::registry(&id), registry.name.clone())/>
            <Card title="Which lines">{filters(&id, &asked)}</Card>
            <Card title="Log" flush=true actions=actions>{lines}</Card>
        },
    ))
}

fn lines(entries: &[LogEntry], asked: &Asked) -> AnyView {
    let mut last = String::new();
    let mut rows: Vec<AnyView> = Vec::with_capacity(entries.len() + 2);
    for entry in entries {
        let (day, time) = clock(entry.at);
        if day != last {
            rows.push(view! { <li class="step">{day.clone()}</li> }.into_any());
            last = day;
        }
        let (class, word) = look(entry);
        rows.push(
            view! {
                <li class=class><span class="at">{time}</span><span class="text">{format!("{word}{}", entry.text)}</span></li>
            }
            .into_any(),
        );
    }
    let narrowed = !asked.view.filter.is_empty() || !asked.since.is_empty() || asked.view.severity != Severity::Info;
    let nothing = entries.is_empty().then(|| {
        let why = if narrowed {
            "No line fits. Take less away above."
        } else {
            "Nothing but Slipway's own looks, which are left out."
        };
        view! { <p class="muted">{why}</p> }
    });
    view! {
        <div class="log timed" id="log" role="log" aria-live="off" aria-label="Log, times in UTC" tabindex="0">
            {nothing}
            <ol data-day=last>{rows}</ol>
        </div>
    }
    .into_any()
}

fn options<'a>(choices: impl Iterator<Item = (&'a str, &'a str)>, chosen: &str) -> AnyView {
    choices
        .map(|(value, words)| {
            let selected = value == chosen;
            view! { <option value=value.to_owned() selected=selected>{words.to_owned()}</option> }
        })
        .collect_view()
        .into_any()
}

fn filters(id: &RegistryId, asked: &Asked) -> impl IntoView + use<> {
    let LogView { filter, severity, tail, own, .. } = asked.view.clone();
    let severities = options(SEVERITIES.iter().map(|(severity, words)| (severity.as_str(), *words)), severity.as_str());
    let times = options(SINCE.into_iter(), asked.since);
    let tails = options(TAILS.into_iter(), &tail.to_string());
    view! {
        <form method="get" action=paths::registry_logs(id) class="filter" role="search">
            <div class="field grow">
                <label for="filter">"Contains"</label>
                <input class="input" type="search" id="filter" name="filter" value=filter autocomplete="off" spellcheck="false" autocapitalize="none"/>
            </div>
            <div class="field">
                <label for="severity">"Severity"</label>
                <select class="input" id="severity" name="severity">{severities}</select>
            </div>
            <div class="field">
                <label for="since">"Since"</label>
                <select class="input" id="since" name="since">{times}</select>
            </div>
            <div class="field">
                <label for="tail">"At most"</label>
                <select class="input" id="tail" name="tail">{tails}</select>
            </div>
            <Submit text="Show" class="primary"/>
            <div class="field whole">
                <div class="check">
                    <input type="checkbox" id="own" name="own" value="1" checked=own/>
                    <label for="own">"With Slipway's own probes"</label>
                </div>
            </div>
        </form>
    }
}
