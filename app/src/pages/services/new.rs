//! A new service.

use super::{form, no_registry};
use crate::api::services::CreateService;
use crate::pages::{Page, PageResult};
use crate::request;
use crate::ui::{Card, Form, PageHead};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let registries = backend.registries.list(&actor).await?;
    let projects = backend.services.projects(&actor).await?;
    Ok(Page::new(
        "New service",
        view! {
            <PageHead title="New service"/>
            {no_registry(&registries)}
            <Card title="A service from git">
                <Form to=CreateService::PATH>{form::fields(None, &registries, projects)}</Form>
            </Card>
        },
    ))
}
