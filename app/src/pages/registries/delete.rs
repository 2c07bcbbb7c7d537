//! Deleting a registry. Whether something stands in the way is the use case's to say: the form comes back with reasons.

use crate::api::registries::DeleteRegistry;
use crate::model::id::RegistryId;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Form, Name, PageHead, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let title = format!("Delete {}", registry.name);
    let page = paths::registry(&id);
    Ok(Page::new(
        format!("{title}, Registries"),
        view! {
            <PageHead title=title under=(page.clone(), registry.name.clone())/>
            <Card title="What will happen">
                <ul>
                    <li>"Slipway forgets this registry. Its images, and the credential, stay as they are."</li>
                    <li>"It is refused while a service pushes there, or while it is the default and there are others."</li>
                </ul>
                <Form to=DeleteRegistry::PATH flat=true class="row" hidden=vec![("id", id.to_string())]>
                    <Submit text="Delete registry" class="danger" icon=Name::Trash/>
                    <a class="button" href=page.clone()>"Keep it"</a>
                </Form>
            </Card>
        },
    ))
}
