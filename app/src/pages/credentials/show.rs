//! One credential: what the doctor found, who uses it, and its form.

use super::{fields, lights};
use crate::api::credentials::{CheckCredential, UpdateCredential};
use crate::model::credential::{Credential, CredentialState};
use crate::model::id::{CredentialId, RegistryId};
use crate::model::registry::Registry;
use crate::pages::{Page, PageResult};
use crate::ui::{Age, Card, Fact, Facts, Form, Icon, Name, Note, PageHead, ProblemBox, Submit};
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
    // The lights say it too, where there are any.
    let problem = match (&credential.state, &credential.report) {
        (CredentialState::Fails(problem), None) => Some(problem.clone()),
        _ => None,
    };
    let ending = super::ending(&credential).map(|words| {
        view! {
            <Note tone="warn" title=words>
                <p>"Make a new token at the registry, and save it below with its new date."</p>
            </Note>
        }
    });
    let hidden = vec![("id", id.to_string()), ("version", credential.version.to_string())];
    let title = format!("{}, Credentials", credential.name);
    let owner = credential.owned_by.as_ref().map(|id| owner(id, &users));
    let (facts, used_by) = (facts(&credential), used_by(users, &credential));
    let lights = lights::card(credential.report.as_ref());
    let head = head(&credential);
    let edit = credential.owned_by.is_none().then(|| {
        view! {
            <Card title="Edit">
                <Form to=UpdateCredential::PATH hidden=hidden>{fields::of(&credential)}</Form>
            </Card>
        }
    });
    Ok(Page::new(
        title,
        view! {
            {head}
            {owner}
            {ending}
            {problem.map(|problem| view! { <ProblemBox problem/> })}
            {lights}
            <Card title="Facts">{facts}</Card>
            <Card title="Used by">{used_by}</Card>
            {edit}
        },
    ))
}

/// Whose it is, for one that Slipway made for a registry.
fn owner(id: &RegistryId, registries: &[Registry]) -> impl IntoView + use<> {
    let name = registries.iter().find(|registry| registry.id == *id).map(|registry| registry.name.clone());
    let title = format!("Belongs to the registry {}.", name.unwrap_or_else(|| id.to_string()));
    let page = paths::registry(id);
    view! {
        <Note tone="info" title=title>
            <p>"Slipway made it, changes its password there, and deletes it with the registry. "<a href=page>"Open the registry"</a></p>
        </Note>
    }
}

fn head(credential: &Credential) -> impl IntoView + use<> {
    let id = credential.id.clone();
    let hidden = vec![("id", id.to_string())];
    let images = paths::images("", Some(&id), &[]);
    let delete = credential.owned_by.is_none().then(|| {
        view! { <a class="button" href=paths::delete_credential(&id)><Icon name=Name::Trash/>"Delete"</a> }
    });
    view! {
        <PageHead title=credential.name.clone() under=(paths::CREDENTIALS.into(), "Credentials".into()) badge=super::badge(credential)>
            <a class="button quiet" href=images><Icon name=Name::Image/>"Browse images"</a>
            <Form to=CheckCredential::PATH class="row" flat=true hidden=hidden>
                <Submit text="Test again" icon=Name::Refresh/>
            </Form>
            {delete}
        </PageHead>
    }
}

fn facts(credential: &Credential) -> impl IntoView + use<> {
    let Credential { provider, url, username, trust, password_set_at, checked_at, .. } = credential.clone();
    let mut allowed = Vec::new();
    if trust.internal {
        allowed.push("internal network".to_owned());
    }
    if trust.ca.is_some() {
        allowed.push("a private authority".to_owned());
    }
    if let Some(realm) = trust.realm {
        allowed.push(format!("sign-in at {realm}"));
    }
    let allowed = (!allowed.is_empty()).then(|| view! { <Fact name="Trusted">{allowed.join(", ")}</Fact> });
    let listed = (!credential.namespaces.is_empty())
        .then(|| credential.namespaces.join(", "))
        .map(|names| view! { <Fact name="Lists">{names}</Fact> });
    let ends = credential.expires_on.map(|day| view! { <Fact name="Expires on">{day.to_string()}</Fact> });
    view! {
        <Facts>
            <Fact name="Provider">{provider.name()}</Fact>
            <Fact name="Registry address"><code>{url.to_string()}</code></Fact>
            <Fact name="User name">{username}</Fact>
            {listed}
            {allowed}
            <Fact name="Password set"><Age seconds=password_set_at/></Fact>
            {ends}
            <Fact name="Tested"><Age seconds=checked_at/></Fact>
        </Facts>
    }
}

fn used_by(registries: Vec<Registry>, credential: &Credential) -> impl IntoView + use<> {
    if registries.is_empty() && credential.services.is_empty() {
        return view! { <p class="muted">"Nothing yet. "<a href=paths::NEW_REGISTRY>"Create a registry"</a></p> }
            .into_any();
    }
    let registries = registries
        .into_iter()
        .map(|registry| view! { <li>"Registry "<a href=paths::registry(&registry.id)>{registry.name}</a></li> })
        .collect_view();
    let services = credential
        .services
        .iter()
        .map(|(id, name)| view! { <li>"Service "<a href=paths::service(id)>{name.clone()}</a></li> })
        .collect_view();
    view! {
        <ul class="users">{registries}{services}</ul>
        <p class="hint">"A new password reaches the running services by itself. The credential can't be deleted while something uses it."</p>
    }
    .into_any()
}
