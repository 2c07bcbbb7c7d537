//! A new registry.

use crate::api::registries::CreateRegistry;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Empty, Form, PageHead};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let credentials = backend.credentials.list(&actor).await?;
    let is_first = backend.registries.list(&actor).await?.is_empty();
    let content = if credentials.is_empty() {
        view! {
            <Card title="First a credential" flush=true>
                <Empty
                    title="No credentials yet"
                    why="A registry needs a credential: it says at which host to sign in, and how."
                    action=(paths::NEW_CREDENTIAL.into(), "Create a credential")
                />
            </Card>
        }
        .into_any()
    } else {
        view! {
            <Card title="Where images are pushed">
                <Form to=CreateRegistry::PATH>{super::fields(None, credentials, is_first)}</Form>
            </Card>
        }
        .into_any()
    };
    Ok(Page::new("New registry", view! { <PageHead title="New registry"/>{content} }))
}
