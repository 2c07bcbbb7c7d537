//! Deleting a registry: what will happen, what depends on it, who becomes the default, and for a managed one its name to
//! type. Whether something stands in the way is the use case's to say: the form comes back with reasons.

use crate::api::registries::DeleteRegistry;
use crate::model::id::RegistryId;
use crate::model::registry::{Managed, Phase, Registry, RegistryUser, Storage};
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Checkbox, Field, Form, Name, Note, PageHead, Select, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let users = backend.registries.users(&actor, &id).await?;
    let mut others = backend.registries.list(&actor).await?;
    others.retain(|other| other.id != id && other.managed.as_ref().is_none_or(|of| of.phase == Phase::Running));
    let title = format!("Delete {}", registry.name);
    let page = paths::registry(&id);
    let happens = match &registry.managed {
        Some(of) => managed(of),
        None => view! {
            <li>"Slipway forgets this registry. Its images, and the credential, stay as they are."</li>
        }
        .into_any(),
    };
    let hands_on = registry.is_default && !others.is_empty();
    let class = if hands_on || registry.managed.is_some() { "" } else { "row" };
    Ok(Page::new(
        format!("{title}, Registries"),
        view! {
            <PageHead title=title under=(page.clone(), registry.name.clone())/>
            {dependents(&users)}
            <Card title="What will happen">
                <ul>
                    {happens}
                    <li>"It is refused while a service was told to build to it, or runs from it. Services that only follow the default follow it to the next."</li>
                </ul>
                <Form to=DeleteRegistry::PATH class=class hidden=vec![("id", id.to_string())]>
                    // Inside the form, as fields look there for what was typed and what is wrong with it.
                    {hands_on.then(|| successor(&others))}
                    {registry.managed.as_ref().map(|of| confirm(&registry, of))}
                    <div class="row">
                        <Submit text="Delete registry" class="danger" icon=Name::Trash/>
                        <a class="button" href=page.clone()>"Keep it"</a>
                    </div>
                </Form>
            </Card>
        },
    ))
}

fn managed(of: &Managed) -> AnyView {
    let images = match &of.storage {
        Storage::Volume { .. } => {
            "Its images stay in the volume if you keep that, for a new registry to go on with. Otherwise they are gone for good."
        }
        Storage::S3(_) => "What is in the bucket stays there: Slipway deletes nothing in it.",
    };
    view! {
        <li>"The registry stops and is taken out of the Swarm: service, secrets, and its user and password."</li>
        <li>{images}</li>
        <li>"Builds that push to it fail. Nodes can't pull from it any more, also for tasks that move to another node."</li>
    }
    .into_any()
}

fn dependents(users: &[RegistryUser]) -> Option<impl IntoView + use<>> {
    let items: Vec<_> = users
        .iter()
        .map(|user| {
            let what = match (user.builds, user.runs) {
                (true, true) => " builds to it and runs from it",
                (true, false) => " builds to it",
                (false, _) => " runs from it",
            };
            view! { <li><a href=paths::service(&user.service)>{user.name.clone()}</a>{what}</li> }
        })
        .collect();
    (!items.is_empty()).then(|| {
        view! { <Note tone="warn" title="These services depend on it:"><ul>{items}</ul></Note> }
    })
}

fn successor(others: &[Registry]) -> impl IntoView + use<> {
    let mut options = vec![(String::new(), "Choose one".to_owned())];
    options.extend(others.iter().map(|other| (other.id.to_string(), format!("{} ({})", other.name, other.host))));
    view! {
        <Select field="successor" label="Becomes the default" options=options
            hint="This one is the default; another has to take over. Services that don't name a registry push there."/>
    }
}

fn confirm(registry: &Registry, of: &Managed) -> impl IntoView + use<> {
    let keep = matches!(of.storage, Storage::Volume { .. }).then(|| {
        view! {
            <Checkbox field="keep_data" label="Keep the data volume" checked=true
                hint="Without the tick, all images in it are deleted for good."/>
        }
    });
    view! {
        {keep}
        <Field field="name" label="Type the registry's name" required=true hint=format!("It is called {}.", registry.name)/>
    }
}
