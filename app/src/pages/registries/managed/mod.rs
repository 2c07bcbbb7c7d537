//! The page of a registry that Slipway runs: how it is, what is wrong and what to do, what it did, and what is in it.
//!
//! Its parts with an id in [`PARTS`] are what the browser fetches anew every few seconds while somebody looks; the rest
//! changes with a job, after which the page is loaded again.

mod facts;
mod head;
mod health;
mod usage;

use super::users;
use crate::api::Backend;
use crate::api::registries::RotateRegistry;
use crate::error::AppError;
use crate::islands::refresh::Refresh;
use crate::model::account::Actor;
use crate::model::job::{Job, JobState, Step};
use crate::model::registry::{Managed, ManagedState, Phase, Registry, RegistryUser};
use crate::pages::{Page, PageResult};
use crate::ui::job::{Steps, follow};
use crate::ui::{Card, Form, Name, Submit};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Ids of the parts that follow what happens; the first says by `data-page` whether it is still the same page.
const PARTS: &str = "state power now uptime probe tasks usage";

/// The newest job about it, with its steps.
type Newest = Option<(Job, Vec<Step>)>;

/// The page.
pub(super) async fn page(
    actor: &Actor,
    backend: &Backend,
    registry: Registry,
    of: Managed,
    used_by: Vec<RegistryUser>,
) -> PageResult {
    let status = backend.registries.status(actor, &registry.id).await?;
    let newest: Newest = match &of.job {
        // Records of old jobs are cleared away.
        Some(id) => match backend.jobs.get(actor, id).await {
            Ok(found) => Some(found),
            Err(AppError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let under_way = newest.as_ref().filter(|(job, _)| !job.state.is_final());
    let follow = follow(actor, backend, under_way.map(|(job, _)| job.id.clone())).await?;
    let failed_steps = newest.as_ref().filter(|(job, _)| job.state == JobState::Failed);
    let steps = under_way.or(failed_steps).map(|(_, steps)| view! { <Steps steps=steps.clone()/> });
    let is_there = of.phase == Phase::Running && status.state != ManagedState::NotCreated;
    let title = format!("{}, Registries", registry.name);
    let live = view! { {follow} <Refresh parts=PARTS.to_owned()/> }.into_any();
    let head = head::head(&registry, &of, &status, newest.as_ref(), live);
    let now = head::now(&registry, &of, &status, newest.as_ref());
    let health = is_there.then(|| health::cards(&status));
    let usage = is_there.then(|| usage::card(&status, &of));
    let facts = facts::card(&registry, &of, newest.as_ref());
    let by_hand = is_there.then(|| facts::by_hand(&registry, &of));
    let users = users(&used_by);
    let rotate = (is_there && under_way.is_none()).then(|| rotate(&registry, used_by.len()));
    Ok(Page::new(
        title,
        view! {
            {head}
            {now}
            {steps}
            {health}
            {usage}
            {facts}
            {by_hand}
            <Card title="Used by" flush=true>{users}</Card>
            {rotate}
        },
    ))
}

/// A new password, and what that does.
fn rotate(registry: &Registry, users: usize) -> impl IntoView + use<> {
    let hidden = vec![("id", registry.id.to_string())];
    let reach = match users {
        0 => "Nothing uses it yet. What you signed in by hand has to sign in again.".to_owned(),
        1 => "The service that uses it gets the new one without being restarted. What you signed in by hand has to sign in again.".to_owned(),
        users => format!("The {users} services that use it get the new one without being restarted. What you signed in by hand has to sign in again."),
    };
    view! {
        <Card title="New password" id="rotate">
            <ul>
                <li>"A new password is made; the registry starts again with it. For a moment, pushes and pulls wait."</li>
                <li>{reach}</li>
                <li>"The old one is refused from then on. If the registry isn't well afterwards, the old one comes back."</li>
            </ul>
            <Form to=RotateRegistry::PATH class="row" flat=true hidden=hidden>
                <Submit text="Change the password" icon=Name::Refresh/>
            </Form>
        </Card>
    }
}
