//! What a registry keeps and what a run would delete; what a service keeps in addition.
//!
//! These pages show what is known, with its time; "Look again" is a form, because it asks the registry.

use crate::api::retention::{
    LookAtRegistry, RemoveRegistryRules, RemoveServiceRules, SetRegistryRules, SetServiceRules,
};
use crate::api::trash::RunRetention;
use crate::model::id::{RegistryId, ServiceId};
use crate::model::retention::{EVERY, Fate, Judged, Policy, PreviewPage, PreviewSearch, Scope, USUAL_TRASH};
use crate::model::service::Source;
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::job::follow;
use crate::ui::table::{Column, col, wide};
use crate::ui::{
    Age, Badge, Card, Checkbox, Empty, Field, Form, Icon, Name, Note, PageHead, Select, Submit, Table, TextArea, Tone,
    pager,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Tags on a page.
const PAGE: u64 = 50;
/// Typed text is cut here.
const TEXT_MAX: usize = 200;

/// The page of a registry.
pub async fn registry() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let policy = backend.retention.policy(&actor, &Scope::Registry(id.clone())).await?;
    let search = asked();
    let preview = backend.retention.preview(&actor, &id, &search).await?;
    let follow = follow(&actor, &backend, preview.looking.clone()).await?;
    let look = match &preview.looking {
        Some(job) => view! { <a class="button" href=paths::job(job)>"Slipway is looking…"</a> }.into_any(),
        None => view! {
            <Form to=LookAtRegistry::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                <Submit text="Look again" icon=Name::Refresh/>
            </Form>
        }
        .into_any(),
    };
    let has_rules = policy.is_some();
    let said = sentences(
        policy.as_ref().map(Policy::sentences),
        "There are no rules, so nothing is ever deleted from this registry.",
    )
    .into_any();
    let unread = unread(&preview);
    let trash = paths::trash(&id);
    let run_hidden = vec![("id", id.to_string())];
    let run = (has_rules && preview.goes > 0).then(|| {
        let text = format!("Delete {} now", text::tags(preview.goes));
        view! {
            <Form to=RunRetention::PATH class="row" flat=true hidden=run_hidden>
                <Submit text=text class="danger"/>
            </Form>
        }
    });
    let preview = preview_card(&id, preview, &search, has_rules);
    let hidden = vec![("id", id.to_string())];
    let removal = has_rules.then(|| {
        remove(
            RemoveRegistryRules::PATH,
            id.to_string(),
            "Without rules nothing is deleted from this registry any more.",
        )
    });
    let scope = if registry.managed.is_some() {
        "All repositories of this registry count."
    } else {
        "Repositories that builds of Slipway pushed to count; what else this registry holds is left alone."
    };
    Ok(Page::new(
        format!("Retention, {}", registry.name),
        view! {
            <PageHead title="Retention" under=(paths::registry(&id), registry.name.clone()) badge=follow>
                <a class="button quiet" href=trash><Icon name=Name::Trash/>"Trash"</a>
                {look}
                {run}
            </PageHead>
            <Card title="Rules">
                {said}
                <p class="muted">
                    "Rules only ever keep. Beside them stays what a service runs or can go back to, what is pinned, parts of images that stay, and the cache of builds. "
                    {scope}
                </p>
            </Card>
            {unread}
            {preview}
            <Card title=if has_rules { "Edit rules" } else { "Set rules" }>
                <Form to=SetRegistryRules::PATH hidden=hidden>
                    {keeping(policy.as_ref())}
                    {registry_fields(policy.as_ref())}
                    <Submit text="Save rules" class="primary"/>
                </Form>
            </Card>
            {removal}
        },
    ))
}

/// The page of a service.
pub async fn service() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ServiceId = request::id("service")?;
    let service = backend.services.get(&actor, &id).await?;
    let policy = backend.retention.policy(&actor, &Scope::Service(id.clone())).await?;
    let registries = backend.registries.list(&actor).await?;
    let wanted = match &service.source {
        Source::Git(source) => source.registry.as_ref(),
        Source::Image(_) => None,
    };
    let registry = match (&service.source, wanted) {
        (Source::Image(_), _) => None,
        (_, Some(id)) => registries.into_iter().find(|registry| registry.id == *id),
        (_, None) => registries.into_iter().find(|registry| registry.is_default),
    };
    let of_registry = match registry {
        None => None,
        Some(registry) => {
            let rules = backend.retention.policy(&actor, &Scope::Registry(registry.id.clone())).await?;
            let to = paths::registry_retention(&registry.id);
            let none = "There are none, so nothing is ever deleted from that registry.";
            Some(view! {
                <Card title="Rules of its registry">
                    {sentences(rules.as_ref().map(Policy::sentences), none)}
                    <p><a href=to>{format!("Retention of {}", registry.name)}</a></p>
                </Card>
            })
        }
    };
    let has_rules = policy.is_some();
    let said = sentences(policy.as_ref().map(Policy::keeps), "Nothing. The registry's rules alone count.").into_any();
    let hidden = vec![("id", id.to_string())];
    let removal =
        has_rules.then(|| remove(RemoveServiceRules::PATH, id.to_string(), "The registry's rules alone count then."));
    Ok(Page::new(
        format!("Retention, {}", service.name),
        view! {
            <PageHead title="Retention" under=(paths::service(&id), service.name.clone())/>
            {of_registry}
            <Card title="What this service keeps in addition">
                {said}
                <p class="muted">"This counts for what this service's builds pushed. It never makes anything go that the registry's rules keep."</p>
            </Card>
            <Card title=if has_rules { "Edit rules" } else { "Set rules" }>
                <Form to=SetServiceRules::PATH hidden=hidden>
                    {keeping(policy.as_ref())}
                    <Submit text="Save rules" class="primary"/>
                </Form>
            </Card>
            {removal}
        },
    ))
}

/// What the query asks for.
fn asked() -> PreviewSearch {
    let text = request::query("q").unwrap_or_default().trim().chars().take(TEXT_MAX).collect();
    let fate = match request::query("fate").as_deref() {
        Some("goes") => Fate::Goes,
        Some("stays") => Fate::Stays,
        _ => Fate::Any,
    };
    let offset = request::query("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    PreviewSearch { text, fate, offset, limit: PAGE }
}

fn fate_word(fate: Fate) -> &'static str {
    match fate {
        Fate::Any => "",
        Fate::Goes => "goes",
        Fate::Stays => "stays",
    }
}

fn sentences(sentences: Option<Vec<String>>, none: &'static str) -> AnyView {
    match sentences {
        None => view! { <p>{none}</p> }.into_any(),
        Some(sentences) => {
            let items = sentences.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view();
            view! { <ul>{items}</ul> }.into_any()
        }
    }
}

fn unread(preview: &PreviewPage) -> Option<AnyView> {
    let items = preview.unread.iter().map(|line| view! { <li>{line.clone()}</li> }).collect_view();
    (!preview.unread.is_empty()).then(|| {
        view! {
            <Note tone="warn" title="Not everything could be read. Nothing goes from these repositories.">
                <ul>{items}</ul>
            </Note>
        }
        .into_any()
    })
}

fn preview_card(id: &RegistryId, preview: PreviewPage, search: &PreviewSearch, has_rules: bool) -> AnyView {
    let Some(as_of) = preview.as_of else {
        let why = "“Look again” reads repositories, tags and what stands behind them, so that a preview can be made.";
        return view! { <Card title="Preview" flush=true><Empty title="Not looked at yet" why=why/></Card> }.into_any();
    };
    let summary =
        if has_rules { preview.summary() } else { format!("Nothing goes; {} stay.", text::tags(preview.total)) };
    let age = view! { <span class="muted">"As of " <Age seconds=as_of/></span> }.into_any();
    let fate = fate_word(search.fate);
    let to = |from: &str| paths::registry_retention_of(id, &[("q", &search.text), ("fate", fate), ("from", from)]);
    let shown = u64::try_from(preview.tags.len()).unwrap_or(0);
    let pages = pager(PAGE, search.offset, shown, preview.found, to);
    let found = preview.found;
    let filtered = (search.fate != Fate::Any || !search.text.is_empty())
        .then(|| view! { <p class="foot muted">{text::tags(found)} " found"</p> });
    let list = if preview.tags.is_empty() {
        let (title, why) = match preview.total {
            0 => ("No tags", "There is nothing in its repositories."),
            _ => ("No tag fits", "Choose another filter."),
        };
        view! { <Empty title=title why=why/> }.into_any()
    } else {
        let rows = preview.tags.into_iter().map(row).collect_view();
        let size = Column { name: "Size", class: "num wide" };
        let columns = vec![col("Tag"), col("What happens"), wide("Pushed"), size];
        view! { <Table name="Tags" columns=columns>{rows}</Table> }.into_any()
    };
    let filter = filter(id, search).into_any();
    view! {
        <Card title="Preview" flush=true actions=age>
            <div class="body"><p data-summary="retention"><strong>{summary}</strong></p></div>
            {filter}
            {list}
            {filtered}
            {pages}
        </Card>
    }
    .into_any()
}

fn row(tag: Judged) -> impl IntoView {
    let goes = tag.goes();
    let badge = if goes {
        view! { <Badge tone=Tone::Warn text="Goes"/> }
    } else {
        view! { <Badge tone=Tone::Idle text="Stays"/> }
    };
    let whys: Vec<String> = tag.keeps.iter().map(|why| why.words()).collect();
    let words = if goes { "No rule keeps it and nothing needs it.".to_owned() } else { whys.join(" ") };
    let digest = tag.digest.as_ref().map(ToString::to_string);
    view! {
        <tr data-fate=if goes { "goes" } else { "stays" }>
            <td><code title=digest>{format!("{}:{}", tag.repository, tag.tag)}</code></td>
            <td class="text">{badge} " " {words}</td>
            <td class="wide">{tag.at.map(|at| view! { <Age seconds=at/> })}</td>
            <td class="num wide">{tag.size.map(text::bytes)}</td>
        </tr>
    }
}

fn filter(id: &RegistryId, search: &PreviewSearch) -> impl IntoView + use<> {
    let fates = [("", "All"), ("goes", "What goes"), ("stays", "What stays")]
        .map(|(value, words)| {
            let selected = value == fate_word(search.fate);
            view! { <option value=value selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <form method="get" action=paths::registry_retention(id) class="filter body" role="search">
            <div class="field grow">
                <label for="q">"Repository or tag"</label>
                <input class="input mono" type="search" id="q" name="q" value=search.text.clone() autocomplete="off"
                    spellcheck="false" autocapitalize="none"/>
            </div>
            <div class="field">
                <label for="fate">"Show"</label>
                <select class="input" id="fate" name="fate">{fates}</select>
            </div>
            <button class="button" type="submit"><Icon name=Name::Search/>"Filter"</button>
        </form>
    }
}

/// The fields of what is kept. Inside a form.
fn keeping(policy: Option<&Policy>) -> impl IntoView + use<> {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let last = number(policy.and_then(|policy| policy.keep_last));
    let days = number(policy.and_then(|policy| policy.keep_days));
    let matching = policy.map(|policy| policy.keep_matching.join("\n")).unwrap_or_default();
    view! {
        <Field field="keep_last" label="Keep the last" inputmode="numeric" value=last
            hint="So many of the newest for each repository and branch. Empty: none because of its place."/>
        <Field field="keep_days" label="Keep for days" inputmode="numeric" value=days
            hint="Everything that was pushed in the last days. What Slipway didn't push counts from when it was first seen."/>
        <TextArea field="keep_matching" label="Keep tags matching" value=matching rows=2
            hint="Patterns like v* or release-*, one a line. * is any text, ? one character."/>
    }
}

fn registry_fields(policy: Option<&Policy>) -> impl IntoView + use<> {
    let foreign = policy.is_some_and(|policy| policy.foreign);
    let trash = policy.map_or(USUAL_TRASH, |policy| policy.trash_days).to_string();
    let every = policy.and_then(|policy| policy.every_hours).map(|hours| hours.to_string()).unwrap_or_default();
    let options = std::iter::once((String::new(), "When somebody asks".to_owned()))
        .chain(EVERY.iter().map(|(hours, words)| (hours.to_string(), (*words).to_owned())))
        .collect();
    view! {
        <Checkbox field="foreign" label="What Slipway didn't push may go too" checked=foreign
            hint="Otherwise only tags that a build of Slipway pushed can go."/>
        <Field field="trash_days" label="Days in the trash" inputmode="numeric" value=trash
            hint="So long a deleted tag can come back; its bytes come free afterwards. 0: not at all."/>
        <Select field="every_hours" label="Run" options=options value=every/>
    }
}

fn remove(to: &'static str, id: String, why: &'static str) -> AnyView {
    view! {
        <Card title="Remove rules">
            <p>{why}</p>
            <Form to=to class="row" flat=true hidden=vec![("id", id)]><Submit text="Remove rules" class="danger"/></Form>
        </Card>
    }
    .into_any()
}
