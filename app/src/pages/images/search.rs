//! The search for images over all credentials, from the index alone.

use super::typed::{Typed, guesses};
use super::{PAGE, Purpose, asked, credential, offset, runs_in_links, sources};
use crate::api::images::Place;
use crate::model::image::{Found, Hit, Search, Source};
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::table::{col, wide};
use crate::ui::{Card, Empty, Name, PageHead, Submit, Table, pager};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let (text, purpose, credential, offset) = (asked("q"), Purpose::asked(), credential(), offset());
    let typed = Typed::read(&text);
    let search = Search { text: typed.name.clone(), credential: credential.clone(), live: false, offset, limit: PAGE };
    let found = backend.images.search(&actor, &search).await?;
    let sources = backend.images.sources(&actor).await?;
    let guessed = if typed.name.is_empty() {
        Vec::new()
    } else {
        guesses(&actor, &backend, &typed, &found.hits, &sources).await?
    };
    let has_guesses = !guessed.is_empty();
    let links = guessed
        .into_iter()
        .map(|guess| {
            let name = format!("{}/{}", guess.place.host, guess.place.repository);
            let (to, name) = onward(&guess.place, &typed, purpose, name);
            let source = guess.source.unwrap_or_else(|| "without signing in".into());
            view! { <li><a href=to><code>{name}</code></a> <span class="muted">{source}</span></li> }
        })
        .collect_view();
    let typed_names = has_guesses.then(|| {
        view! {
            <div class="foot stack">
                <p class="muted">"Not in a list? Look it up by its name:"</p>
                <ul class="plain guesses">{links}</ul>
            </div>
        }
    });
    let title = if text.is_empty() { "Images".to_owned() } else { format!("{text}, Images") };
    let head = if text.is_empty() { "All repositories" } else { "Found" };
    let count = view! { <span class="muted" id="count">{text::repositories(found.total)}</span> }.into_any();
    let shown = u64::try_from(found.hits.len()).unwrap_or(0);
    let to = |from: &str| paths::images(&text, credential.as_ref(), &[("from", from), purpose.pair()]);
    let pages = pager(PAGE, offset, shown, found.total, to);
    let form = search_form(&text, credential.as_ref().map(ToString::to_string), &sources, purpose);
    let list = list(found, &typed, &text, purpose);
    Ok(Page::new(
        title,
        view! {
            <PageHead title="Images"/>
            {purpose.note()}
            {form}
            <Card title=head flush=true actions=count>{list}{pages}{typed_names}</Card>
            <Card title="Where images come from" id="sources" flush=true>{sources::table(sources)}</Card>
        },
    ))
}

/// A GET form, so that a search can be reloaded and shared.
fn search_form(text: &str, chosen: Option<String>, sources: &[Source], purpose: Purpose) -> impl IntoView + use<> {
    let chosen = chosen.unwrap_or_default();
    let options = sources
        .iter()
        .filter_map(|source| Some((source.credential.as_ref()?.to_string(), source)))
        .map(|(id, source)| {
            let selected = id == chosen;
            let words = format!("{} ({})", source.name, source.host);
            view! { <option value=id selected=selected>{words}</option> }
        })
        .collect_view();
    let purpose = purpose.is_service.then(|| view! { <input type="hidden" name="for" value="service"/> });
    view! {
        <form method="get" action=paths::IMAGES class="filter" role="search">
            {purpose}
            <div class="field grow">
                <label for="q">"Name"</label>
                <input class="input mono" type="search" id="q" name="q" value=text.to_owned() autocomplete="off" spellcheck="false"
                    autocapitalize="none" aria-describedby="q-hint"/>
                <p class="hint" id="q-hint">"A part of the name, or a whole reference like ghcr.io/acme/web:1.2."</p>
            </div>
            <div class="field">
                <label for="credential">"Source"</label>
                <select class="input" id="credential" name="credential"><option value="">"All"</option>{options}</select>
            </div>
            <Submit text="Search" class="primary" icon=Name::Search/>
        </form>
    }
}

/// Where a found or guessed place leads: to its tags, or straight to the tag that was typed.
fn onward(place: &Place, typed: &Typed, purpose: Purpose, name: String) -> (String, String) {
    match (typed.reference(), &typed.digest) {
        (Some(reference), Some(_)) => {
            let to = paths::image(place, &reference, &[purpose.pair()]);
            (to, format!("{name}@{reference}"))
        }
        (Some(tag), None) => (paths::image(place, &tag, &[purpose.pair()]), format!("{name}:{tag}")),
        (None, _) => (paths::repository(place, &[purpose.pair()]), name),
    }
}

fn list(found: Found, typed: &Typed, text: &str, purpose: Purpose) -> AnyView {
    if found.hits.is_empty() {
        let (title, why) = if text.is_empty() {
            (
                "No repositories known yet",
                "Lists are read in the background, credential by credential; their state is below.",
            )
        } else {
            ("No list has this name", "Only some registries can list. Whole names can be looked up.")
        };
        return view! { <Empty title=title why=why/> }.into_any();
    }
    let rows = found.hits.into_iter().map(|hit| row(hit, typed, purpose)).collect_view();
    let columns = vec![col("Repository"), wide("Source"), wide("Runs in")];
    view! { <Table name="Repositories" columns=columns>{rows}</Table> }.into_any()
}

fn row(hit: Hit, typed: &Typed, purpose: Purpose) -> impl IntoView + use<> {
    let Hit { credential, source, host, repository, about, runs_in } = hit;
    let name = format!("{host}/{repository}");
    let place = Place { credential, host, repository };
    let (to, _) = onward(&place, typed, purpose, String::new());
    view! {
        <tr>
            <td>
                <a href=to><code>{name}</code></a>
                {about.map(|about| view! { <span class="hint">{about}</span> })}
            </td>
            <td class="wide">{source}</td>
            <td class="wide">{runs_in_links(&runs_in)}</td>
        </tr>
    }
}
