//! The logins that were found: which to import, and what became of each. The passwords aren't on the page.

use crate::api::credentials::ImportLogins;
use crate::model::credential::{ImportLine, ImportState};
use crate::model::id::ImportId;
use crate::model::provider::Provider;
use crate::pages::{Page, PageResult};
use crate::ui::{Badge, Card, Form, PageHead, Submit, Tone};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ImportId = request::id("list of logins")?;
    let lines = backend.credentials.found_logins(&actor, &id).await?;
    let is_open = lines.iter().any(|line| line.state.is_open());
    let items = lines.into_iter().enumerate().map(|(index, line)| item(index, line)).collect_view();
    let end = if is_open {
        view! { <Submit text="Test and import" class="primary"/> }.into_any()
    } else {
        view! { <p><a class="button" href=paths::CREDENTIALS>"To the credentials"</a></p> }.into_any()
    };
    Ok(Page::new(
        "Import credentials",
        view! {
            <PageHead title="Import credentials" under=(paths::IMPORT_CREDENTIALS.into(), "Import".into())/>
            <Card title="Logins found">
                <p class="muted">
                    "Each one that is ticked is tested at its registry and kept if that accepts it. One that fails doesn't stop the \
                     others."
                </p>
                <Form to=ImportLogins::PATH class="form wide" hidden=vec![("id", id.to_string())]>
                    <ul class="imports">{items}</ul>
                    {end}
                </Form>
            </Card>
        },
    ))
}

fn item(index: usize, line: ImportLine) -> impl IntoView {
    let user = (!line.username.is_empty()).then(|| view! { <span class="hint">"as "{line.username.clone()}</span> });
    let (badge, words) = outcome(&line.state);
    let is_refused = matches!(line.state, ImportState::Refused(_));
    // A private authority, a sign-in service elsewhere: the form has more to say.
    let form = line.url.as_ref().filter(|_| is_refused).map(|url| {
        let href = paths::new_credential(Provider::of_host(&url.host));
        view! { <p><a href=href>"Use the form instead"</a></p> }
    });
    let choice = line.state.is_open().then(|| choice(index, &line));
    // Every line has a name field, so that the ones behind it keep their place.
    let placeholder = (!line.state.is_open()).then(|| {
        view! { <input type="hidden" name=format!("form[lines][{index}][name]") value=line.name.clone()/> }
    });
    view! {
        <li data-import=state_name(&line.state)>
            <div class="row"><code>{line.what}</code>{user}{badge}</div>
            {words}
            {form}
            {choice}
            {placeholder}
        </li>
    }
}

/// The ticks and the name of a line that can be imported.
fn choice(index: usize, line: &ImportLine) -> impl IntoView + use<> {
    let name = |field: &str| format!("form[lines][{index}][{field}]");
    let tick = |field: &'static str, words: String, checked: bool| {
        let id = format!("line-{index}-{field}");
        view! {
            <div class="check">
                <input type="checkbox" id=id.clone() name=name(field) value="on" checked=checked/>
                <label for=id>{words}</label>
            </div>
        }
    };
    let sure = line
        .looks_like
        .as_ref()
        .map(|known| tick("sure", format!("It looks like {known}, and isn't: this really is the host I mean"), false));
    let name_id = format!("line-{index}-name");
    view! {
        <div class="choice">
            {tick("pick", format!("Import {}", line.what), line.looks_like.is_none())}
            {sure}
            {tick("internal", format!("Internal network for {}", line.what), line.wants_internal)}
            <div class="field">
                <label for=name_id.clone()>"Name of the credential"</label>
                <input class="input" type="text" id=name_id name=name("name") value=line.name.clone() autocomplete="off" spellcheck="false"/>
            </div>
        </div>
    }
}

fn state_name(state: &ImportState) -> &'static str {
    match state {
        ImportState::Waiting => "waiting",
        ImportState::Refused(_) => "refused",
        ImportState::Imported(_) => "imported",
        ImportState::There(..) => "there",
        ImportState::Duplicate => "duplicate",
        ImportState::Skipped(_) => "skipped",
    }
}

/// What became of it, in a word and in a sentence.
fn outcome(state: &ImportState) -> (AnyView, AnyView) {
    let words = |text: String| view! { <p class="hint">{text}</p> }.into_any();
    match state {
        ImportState::Waiting => (().into_any(), ().into_any()),
        ImportState::Refused(why) => (
            view! { <Badge tone=Tone::Bad text="Refused"/> }.into_any(),
            view! { <p class="error">{why.clone()}</p> }.into_any(),
        ),
        ImportState::Imported(id) => (
            view! { <Badge tone=Tone::Ok text="Imported"/> }.into_any(),
            view! { <p><a href=paths::credential(id)>"Open the credential"</a></p> }.into_any(),
        ),
        ImportState::There(id, name) => (
            view! { <Badge tone=Tone::Idle text="Already there"/> }.into_any(),
            view! { <p class="hint">"The same host and user: "<a href=paths::credential(id)>{name.clone()}</a></p> }
                .into_any(),
        ),
        ImportState::Duplicate => (
            view! { <Badge tone=Tone::Idle text="Twice"/> }.into_any(),
            words("The same host and user stand above.".into()),
        ),
        ImportState::Skipped(why) => {
            (view! { <Badge tone=Tone::Warn text="Left out"/> }.into_any(), words(why.clone()))
        }
    }
}
