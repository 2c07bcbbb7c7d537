//! A new credential.

use crate::api::credentials::CreateCredential;
use crate::pages::{Page, PageResult};
use crate::request;
use crate::ui::{Card, Form, PageHead};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    request::signed_in()?;
    Ok(Page::new(
        "New credential",
        view! {
            <PageHead title="New credential"/>
            <Card title="How to sign in at the registry">
                <p class="muted">"Slipway signs in there as you save, so that you know at once whether it works."</p>
                <Form to=CreateCredential::PATH>{super::fields(None)}</Form>
            </Card>
        },
    ))
}
