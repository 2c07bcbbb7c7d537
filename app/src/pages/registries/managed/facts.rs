//! What doesn't change by itself: where it is, how it is reached, what keeps its images, and how to sign in by hand.

use super::super::{place, platforms};
use crate::islands::copy::Copy;
use crate::model::job::{Job, Step};
use crate::model::registry::{Managed, Reach, Registry, S3Place, Storage};
use crate::pages::jobs::kind_words;
use crate::paths;
use crate::ui::icon::{self, Name};
use crate::ui::{Age, Card, Fact, Facts, Icon, JobBadge, Reference};
use leptos::prelude::*;

/// How nodes reach it, in words.
fn reach_words(reach: Reach, port: u16) -> String {
    match reach {
        Reach::Host => format!("Port {port} is published on the one node of this Swarm."),
        Reach::Mesh => format!("The routing mesh answers at port {port} on every node."),
        Reach::Proxy => {
            format!(
                "A small proxy on every node listens at port {port} and passes on to it, because this kernel has no IP_VS for the routing mesh."
            )
        }
    }
}

/// The card.
pub(super) fn card(registry: &Registry, of: &Managed, newest: Option<&(Job, Vec<Step>)>) -> impl IntoView + use<> {
    let credential = paths::credential(&registry.credential);
    let placement = match &of.node {
        Some((_, name)) => format!("On {name}, where its volume is. When that node is away, so is the registry."),
        None => "On any node; the bucket is reached from everywhere.".to_owned(),
    };
    let job = newest.map(|(job, _)| {
        let (id, kind, state, created) = (job.id.clone(), kind_words(&job.kind), job.state, job.created);
        view! {
            <Fact name="Last job">
                <span class="row"><a href=paths::job(&id)>{kind}</a><JobBadge state=state of=id.to_string()/><Age millis=created/></span>
            </Fact>
        }
    });
    let name = format!("{}/<project>/<service>:<commit>", place(registry));
    let storage = match &of.storage {
        Storage::Volume { name } => view! { "Volume "<code>{name.clone()}</code> }.into_any(),
        Storage::S3(place) => bucket(place),
    };
    let (address, created, owned) = (registry.host.to_string(), registry.created_at, registry.credential_name.clone());
    let (reach, platforms, image) = (reach_words(of.reach, of.port), platforms(registry), of.image.clone());
    view! {
        <Card title="Facts">
            <Facts>
                <Fact name="Address"><code>{address}</code></Fact>
                <Fact name="Images are called"><code>{name}</code></Fact>
                <Fact name="Reached">{reach}</Fact>
                <Fact name="Runs">{placement}</Fact>
                <Fact name="Kept in">{storage}</Fact>
                <Fact name="Platforms">{platforms}</Fact>
                <Fact name="Registry image"><Reference reference=image/></Fact>
                <Fact name="Credential"><a href=credential>{owned}</a></Fact>
                {job}
                <Fact name="Created"><Age seconds=created/></Fact>
            </Facts>
        </Card>
    }
}

fn bucket(place: &S3Place) -> AnyView {
    let at = place.endpoint.clone().unwrap_or_else(|| format!("Amazon S3 in {}", place.region));
    let prefix = (!place.prefix.is_empty()).then(|| view! { ", under "<code>{place.prefix.clone()}</code> });
    let encrypted = place.encrypt.then_some(", encrypted there");
    view! { "Bucket "<code>{place.bucket.clone()}</code>" at "{at}{prefix}{encrypted} }.into_any()
}

/// How people and other machines sign in.
pub(super) fn by_hand(registry: &Registry, of: &Managed) -> impl IntoView + use<> {
    let on_node = format!("docker login {} --username {}", registry.host, of.username);
    let elsewhere = of.domain.as_ref().map(|domain| {
        let login = format!("docker login {domain} --username {}", of.username);
        let proxy = format!("http://127.0.0.1:{}", of.port);
        view! {
            <h3>"From elsewhere"</h3>
            <p>"Your reverse proxy shows it as "<code>{domain.to_string()}</code>" when it passes that name on to "<code>{proxy}</code>", over https and without a limit on the size of a body."</p>
            <Command text=login/>
        }
    });
    let password = paths::registry_password(&registry.id);
    view! {
        <Card title="Sign in by hand">
            <p>"On a node of this Swarm. Slipway's own builds and services sign in by themselves."</p>
            <Command text=on_node/>
            {elsewhere}
            <p class="row">
                <a class="button" href=password><Icon name=Name::Credential/>"Show password"</a>
                <span class="hint">"It is put on record who looked."</span>
            </p>
        </Card>
    }
}

/// A command to copy.
#[component]
fn Command(text: String) -> impl IntoView {
    view! {
        <p class="long command"><code>{text.clone()}</code><Copy text=text name="Copy the command".to_owned() icon=icon::href(Name::Copy)/></p>
    }
}
