//! Deleting a service: what will happen, and its name to type.

use crate::api::services::DeleteService;
use crate::model::id::ServiceId;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Field, Form, Name, PageHead, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ServiceId = request::id("service")?;
    let service = backend.services.get(&actor, &id).await?;
    let title = format!("Delete {}", service.name);
    let page = paths::service(&id);
    let hint = format!("It is called {}.", service.name);
    Ok(Page::new(
        format!("{title}, Services"),
        view! {
            <PageHead title=title under=(page.clone(), service.name.clone())/>
            <Card title="What will happen">
                <ul>
                    <li>"Its Swarm service is removed: its tasks stop, its ports no longer answer."</li>
                    <li>"Volumes, and the images in the registry, stay."</li>
                    <li>"The history of its builds and deployments is kept."</li>
                </ul>
                <Form to=DeleteService::PATH flat=true hidden=vec![("id", id.to_string())]>
                    <Field field="confirm" label="Type the service's name" required=true hint=hint/>
                    <div class="row">
                        <Submit text="Delete service" class="danger" icon=Name::Trash/>
                        <a class="button" href=page.clone()>"Keep it"</a>
                    </div>
                </Form>
            </Card>
        },
    ))
}
