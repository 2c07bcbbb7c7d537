//! Deleting a credential: what uses it, and the button.

use crate::api::credentials::DeleteCredential;
use crate::error::{Blocker, Link};
use crate::model::id::CredentialId;
use crate::pages::{Page, PageResult};
use crate::ui::note::Blockers;
use crate::ui::{Card, Form, Name, Note, PageHead, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: CredentialId = request::id("credential")?;
    let credential = backend.credentials.get(&actor, &id).await?;
    let blockers: Vec<_> = backend
        .registries
        .list(&actor)
        .await?
        .into_iter()
        .filter(|registry| registry.credential == id)
        .map(|registry| Blocker {
            reason: format!("The registry {} signs in with it.", registry.name),
            link: Some(Link { href: paths::registry(&registry.id), text: format!("Open {}", registry.name) }),
        })
        .collect();
    let services = credential.services.iter().map(|(service, name)| Blocker {
        reason: format!("The service {name} pulls its image with it."),
        link: Some(Link { href: paths::service(service), text: format!("Open {name}") }),
    });
    let blockers: Vec<_> = blockers.into_iter().chain(services).collect();
    let title = format!("Delete {}", credential.name);
    let content = if let Some(owner) = &credential.owned_by {
        let owner = paths::registry(owner);
        view! {
            <Note tone="warn" title="It belongs to a registry that Slipway runs, and goes with it.">
                <p><a href=owner>"Open the registry"</a></p>
            </Note>
        }
        .into_any()
    } else if blockers.is_empty() {
        let page = paths::credential(&id);
        view! {
            <p>"The stored password is removed for good. The account at the registry stays as it is."</p>
            <Form to=DeleteCredential::PATH flat=true class="row" hidden=vec![("id", id.to_string())]>
                <Submit text="Delete credential" class="danger" icon=Name::Trash/>
                <a class="button" href=page>"Keep it"</a>
            </Form>
        }
        .into_any()
    } else {
        view! {
            <Note tone="warn" title="It can't be deleted while something uses it."><Blockers blockers/></Note>
            <p><a class="button" href=paths::credential(&id)>"Back to the credential"</a></p>
        }
        .into_any()
    };
    Ok(Page::new(
        format!("{title}, Credentials"),
        view! {
            <PageHead title=title under=(paths::credential(&id), credential.name.clone())/>
            <Card title="What will happen">{content}</Card>
        },
    ))
}
