//! Changing a service; takes effect with the next build and deployment.

use super::{form, no_registry};
use crate::api::services::UpdateService;
use crate::model::id::ServiceId;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Form, PageHead};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ServiceId = request::id("service")?;
    let service = backend.services.get(&actor, &id).await?;
    let registries = backend.registries.list(&actor).await?;
    let projects = backend.services.projects(&actor).await?;
    let hidden = vec![("id", id.to_string()), ("version", service.version.to_string())];
    let title = format!("Edit {}", service.name);
    Ok(Page::new(
        format!("{title}, Services"),
        view! {
            <PageHead title=title under=(paths::service(&id), service.name.clone())/>
            {no_registry(&registries)}
            <Card title="Settings of the next deployment">
                <Form to=UpdateService::PATH hidden=hidden>{form::fields(Some(&service), &registries, projects)}</Form>
            </Card>
        },
    ))
}
