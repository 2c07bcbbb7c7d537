//! Changing a service; takes effect with the next deployment that isn't a way back.

use super::{form, no_registry};
use crate::api::builds::CheckForm;
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
    let projects = backend.services.projects(&actor).await?;
    let hidden = vec![("id", id.to_string()), ("version", service.version.to_string())];
    let title = format!("Edit {}", service.name);
    let content = if service.source.image().is_some() {
        let credentials = backend.credentials.list(&actor).await?;
        let of = service.clone();
        view! { <Form to=UpdateService::PATH hidden=hidden>{form::image(Some(&of), &credentials, projects)}</Form> }
            .into_any()
    } else {
        let registries = backend.registries.list(&actor).await?;
        let accesses = backend.git_accesses.list(&actor).await?;
        let of = service.clone();
        view! {
            {no_registry(&registries)}
            <p>
                "Arguments, secrets, platforms and cache are in the "
                <a href=paths::build_settings(&id)>"build settings"</a>"."
            </p>
            <Form to=UpdateService::PATH also=CheckForm::PATH hidden=hidden>
                {form::git(Some(&of), &registries, &accesses, projects)}
            </Form>
        }
        .into_any()
    };
    Ok(Page::new(
        format!("{title}, Services"),
        view! {
            <PageHead title=title under=(paths::service(&id), service.name.clone())/>
            <Card title="Settings of the next deployment">{content}</Card>
        },
    ))
}
