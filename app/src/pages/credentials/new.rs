//! A new credential: first whose registry it is for, then the form as that provider words it.

use super::fields;
use crate::api::credentials::CreateCredential;
use crate::model::preset::Preset;
use crate::model::provider::Provider;
use crate::pages::{Page, PageResult};
use crate::request::FormState;
use crate::ui::{Card, Form, PageHead};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    request::signed_in()?;
    // A form that came back is shown as what it was, whatever the address says.
    let form = use_context::<FormState>().filter(|form| form.action == CreateCredential::PATH);
    let typed = form.as_ref().and_then(|form| form.value("provider"));
    let provider = typed.or_else(|| request::query("provider")).and_then(|text| text.parse().ok());
    Ok(match provider.or_else(|| form.map(|_| Provider::Generic)) {
        Some(provider) => form_page(provider),
        None => tiles(),
    })
}

fn form_page(provider: Provider) -> Page {
    let title = match provider {
        Provider::Generic => "How to sign in at the registry".to_owned(),
        provider => format!("How to sign in at {}", provider.name()),
    };
    let hidden = vec![("form[provider]", provider.as_str().to_owned())];
    Page::new(
        "New credential",
        view! {
            <PageHead title="New credential" under=(paths::NEW_CREDENTIAL.into(), "All providers".into())/>
            <Card title=title>
                <p class="muted">"Slipway signs in there as you save, so that you know at once whether it works."</p>
                <Form to=CreateCredential::PATH hidden=hidden>{fields::new(provider)}</Form>
            </Card>
        },
    )
}

fn tiles() -> Page {
    let tiles = Provider::ALL
        .into_iter()
        .map(|provider| {
            view! {
                <li>
                    <a class="tile" href=paths::new_credential(provider)>
                        <span class="name">{provider.name()}</span>
                        <span class="hint">{Preset::of(provider).about}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    Page::new(
        "New credential",
        view! {
            <PageHead title="New credential" under=(paths::CREDENTIALS.into(), "Credentials".into())>
                <a class="button" href=paths::IMPORT_CREDENTIALS>"Import from Docker"</a>
            </PageHead>
            <Card title="Whose registry is it for?"><ul class="tiles">{tiles}</ul></Card>
        },
    )
}
