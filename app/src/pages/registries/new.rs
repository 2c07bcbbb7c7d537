//! A new registry: who runs it, then the form for that.

use super::{external, managed_fields};
use crate::api::registries::{CreateManagedRegistry, CreateRegistry};
use crate::pages::{Page, PageResult};
use crate::request::FormState;
use crate::ui::{Badge, Card, Empty, Form, PageHead, Tone};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let is_first = backend.registries.list(&actor).await?.is_empty();
    // A form that came back is shown as what it was, whatever the address says.
    let is_external = match use_context::<FormState>().map(|form| form.action) {
        Some(action) if action == CreateRegistry::PATH => true,
        Some(action) if action == CreateManagedRegistry::PATH => false,
        _ => request::query("kind").as_deref() == Some("external"),
    };
    let content = if is_external {
        let credentials = backend.credentials.list(&actor).await?;
        if credentials.iter().all(|credential| credential.owned_by.is_some()) {
            no_credentials()
        } else {
            view! {
                <Card title="Where images are pushed">
                    <Form to=CreateRegistry::PATH>{external::fields(None, credentials, is_first)}</Form>
                </Card>
            }
            .into_any()
        }
    } else {
        let suggestions = backend.registries.suggestions(&actor).await?;
        view! {
            <Card title="A registry that Slipway runs">
                <Form to=CreateManagedRegistry::PATH>{managed_fields::new(suggestions, is_first)}</Form>
            </Card>
        }
        .into_any()
    };
    Ok(Page::new(
        "New registry",
        view! {
            <PageHead title="New registry" under=(paths::REGISTRIES.into(), "Registries".into())/>
            {tiles(is_external)}
            {content}
        },
    ))
}

fn tiles(is_external: bool) -> impl IntoView {
    let current = |chosen: bool| chosen.then_some("page");
    view! {
        <nav aria-label="Who runs it">
            <ul class="tiles two">
                <li>
                    <a class="tile" href=paths::new_registry("managed") aria-current=current(!is_external)>
                        <span class="name row">"Slipway runs it"<Badge tone=Tone::Ok text="Recommended"/></span>
                        <span class="hint">"A registry of your own in this Swarm, in one step: created, watched, and repaired. Images stay with you."</span>
                    </a>
                </li>
                <li>
                    <a class="tile" href=paths::new_registry("external") aria-current=current(is_external)>
                        <span class="name">"Somebody else runs it"</span>
                        <span class="hint">"Docker Hub, GHCR, GitLab, a cloud's registry, or one of yours. Needs a credential."</span>
                    </a>
                </li>
            </ul>
        </nav>
    }
}

fn no_credentials() -> AnyView {
    view! {
        <Card title="First a credential" flush=true>
            <Empty
                title="No credentials yet"
                why="A registry that somebody else runs needs a credential: it says at which host to sign in, and how."
                action=(paths::NEW_CREDENTIAL.into(), "Create a credential")
            />
        </Card>
    }
    .into_any()
}
