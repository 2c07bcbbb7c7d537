//! One credential: what the last test found, who uses it, and its form.

use crate::api::credentials::{CheckCredential, UpdateCredential};
use crate::model::credential::CredentialState;
use crate::model::id::CredentialId;
use crate::pages::{Page, PageResult};
use crate::ui::{Age, Card, Fact, Facts, Form, Icon, Name, PageHead, ProblemBox, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: CredentialId = request::id("credential")?;
    let credential = backend.credentials.get(&actor, &id).await?;
    let registries = backend.registries.list(&actor).await?;
    let users: Vec<_> = registries.into_iter().filter(|registry| registry.credential == id).collect();
    let used_by = if users.is_empty() {
        view! { "No registry yet. " <a href=paths::NEW_REGISTRY>"Create a registry"</a> }.into_any()
    } else {
        let links = users
            .into_iter()
            .enumerate()
            .map(|(index, registry)| {
                view! { {(index > 0).then_some(", ")} <a href=paths::registry(&registry.id)>{registry.name}</a> }
            })
            .collect_view();
        links.into_any()
    };
    let problem = match &credential.state {
        CredentialState::Works => None,
        CredentialState::Fails(problem) => Some(problem.clone()),
    };
    let hidden = vec![("id", id.to_string()), ("version", credential.version.to_string())];
    let head = view! {
        <PageHead title=credential.name.clone() under=(paths::CREDENTIALS.into(), "Credentials".into()) badge=super::badge(&credential.state)>
            <Form to=CheckCredential::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                <Submit text="Test again" icon=Name::Refresh/>
            </Form>
            <a class="button" href=paths::delete_credential(&id)><Icon name=Name::Trash/>"Delete"</a>
        </PageHead>
    };
    let title = format!("{}, Credentials", credential.name);
    let edited = credential.clone();
    Ok(Page::new(
        title,
        view! {
            {head}
            {problem.map(|problem| view! { <ProblemBox problem/> })}
            <Card title="Facts">
                <Facts>
                    <Fact name="Registry address"><code>{credential.url.to_string()}</code></Fact>
                    <Fact name="User name">{credential.username.clone()}</Fact>
                    <Fact name="Password set"><Age seconds=credential.password_set_at/></Fact>
                    <Fact name="Tested"><Age seconds=credential.checked_at/></Fact>
                    <Fact name="Used by">{used_by}</Fact>
                </Facts>
            </Card>
            <Card title="Edit">
                <Form to=UpdateCredential::PATH hidden=hidden>{super::fields(Some(&edited))}</Form>
            </Card>
        },
    ))
}
