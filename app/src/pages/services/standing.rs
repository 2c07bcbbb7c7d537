//! What pages say beside a version: its lamp, its pin, what was put back for it, and that pushes wait.

use crate::api::ways_back::{Pin as PinIt, Resume, RollBack, SetKeep};
use crate::model::id::{DeploymentId, ServiceId};
use crate::model::job::JobState;
use crate::model::report::Lamp;
use crate::model::retention::Need;
use crate::model::service::Deployment;
use crate::model::standing::{Pause, Readiness, Standing, Version};
use crate::paths;
use crate::ui::{Age, Badge, Card, Field, Form, Icon, Name, Note, Submit, Tone};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

fn why(id: &DeploymentId) -> String {
    format!("why-{id}")
}

/// A lamp with its reason and how old that is.
pub fn lamp(readiness: &Readiness) -> AnyView {
    let tone = match readiness.lamp {
        Lamp::Green => Tone::Ok,
        Lamp::Amber => Tone::Warn,
        Lamp::Red => Tone::Bad,
        Lamp::Dark => Tone::Idle,
    };
    let link = readiness.link.clone();
    view! {
        <Badge tone text=readiness.word()/>
        <span>
            {readiness.reason.clone()}
            {link.map(|link| view! { " " <a href=link.href>{link.text}</a> })}
        </span>
        <span>"Checked " <Age seconds=readiness.at/></span>
    }
    .into_any()
}

/// Whether one could go back to a deployment, as a line.
pub fn ready(deployment: &Deployment, standing: &Standing) -> AnyView {
    let found = standing.of(&deployment.id);
    match (standing.unchecked(deployment), found.and_then(|version| version.readiness.as_ref())) {
        (Some(unchecked), _) => view! { <span>{unchecked}</span> }.into_any(),
        (None, Some(readiness)) => lamp(readiness),
        (None, None) => view! { <span>"Not checked yet; that happens within a minute."</span> }.into_any(),
    }
}

/// The same in a list, for what can come back or ran before.
pub fn line(deployment: &Deployment, standing: &Standing) -> Option<AnyView> {
    let is_wanted = deployment.state == JobState::Succeeded;
    is_wanted.then(|| {
        let id = why(&deployment.id);
        view! { <span class="hint row" id=id>{ready(deployment, standing)}</span> }.into_any()
    })
}

/// The button that goes back, for a deployment that once worked and doesn't run now. Where it is known that it can't, it says
/// why.
pub fn roll_back(deployment: &Deployment, standing: &Standing, short: bool) -> Option<AnyView> {
    (deployment.state == JobState::Succeeded && !deployment.is_current).then(|| {
        let to = vec![("to", deployment.id.to_string())];
        let tail = format!(" to deployment {}", deployment.number);
        let hidden = if short { "visually-hidden" } else { "" };
        let is_red = standing.of(&deployment.id).is_some_and(|version| version.obstacle().is_some());
        let described_by = is_red.then(|| why(&deployment.id));
        let page = paths::roll_back(&deployment.id);
        let of = format!(" of deployment {}", deployment.number);
        view! {
            <div class="row none">
                <Form to=RollBack::PATH class="row" flat=true hidden=to>
                    <button class="button" type="submit" aria-disabled=is_red.then_some("true") aria-describedby=described_by>
                        <Icon name=Name::RollBack/>
                        <span>"Roll back"<span class=hidden>{tail}</span></span>
                    </button>
                </Form>
                <a class="button quiet" href=page>
                    <span>{if is_red { "Why not" } else { "Choose what" }}<span class="visually-hidden">{of}</span></span>
                </a>
            </div>
        }
        .into_any()
    })
}

/// What an image is kept for, in words.
pub fn need(need: Need, keep: u32) -> String {
    match need {
        Need::Runs => "It runs.".into(),
        Need::UnderWay => "It is on its way.".into(),
        Need::Pinned => "It is pinned.".into(),
        Need::Window => format!("It is among the last {keep} that ran well."),
    }
}

/// Who pinned it.
pub fn pinned(version: &Version) -> Option<AnyView> {
    let pin = version.pin.clone()?;
    Some(view! { <span>"Pinned by " {pin.by} ", " <Age seconds=pin.at/></span> }.into_any())
}

/// The button that pins or unpins.
pub fn pin_button(id: &DeploymentId, is_pinned: bool) -> AnyView {
    let on = if is_pinned { "" } else { "yes" };
    view! {
        <Form to=PinIt::PATH class="row" flat=true hidden=vec![("id", id.to_string()), ("on", on.to_owned())]>
            <Submit text=if is_pinned { "Unpin" } else { "Pin" } class="quiet" icon=Name::Star/>
        </Form>
    }
    .into_any()
}

/// Says what runs again after the deployment failed.
pub fn put_back(deployment: &Deployment, version: &Version) -> Option<AnyView> {
    let back = version.put_back.clone()?;
    let by_itself = if deployment.state == JobState::Cancelled { "" } else { " automatically" };
    let title = match (back.at, deployment.state.is_final()) {
        (None, false) => format!("Deployment {} is being put back.", back.number),
        (None, true) => format!("Deployment {} couldn't be put back. Roll back by hand.", back.number),
        (Some(_), _) => format!("Deployment {} was put back{by_itself}.", back.number),
    };
    let tone = if back.at.is_none() && deployment.state.is_final() { "bad" } else { "warn" };
    let how = match deployment.state {
        JobState::Cancelled => "was cancelled",
        _ => "failed",
    };
    let (number, at) = (deployment.number, back.at);
    let (failed, restored) = (paths::deployment(&deployment.id), paths::deployment(&back.id));
    Some(
        view! {
            <Note tone title=title>
                <p>
                    {format!("Deployment {number} {how}, so what ran before runs again")}
                    {at.map(|at| view! { ", since " <Age seconds=at/> })} ". "
                    <a href=failed>{format!("Open deployment {number}")}</a>" "
                    <a href=restored>{format!("Open deployment {}", back.number)}</a>
                </p>
            </Note>
        }
        .into_any(),
    )
}

/// Says that pushes wait, why, and how to go on.
pub fn pause(service: &ServiceId, pause: Option<&Pause>) -> Option<AnyView> {
    let pause = pause?.clone();
    let who = if pause.by.is_empty() { "somebody".to_owned() } else { pause.by };
    let to = pause.to.map(|(id, number)| {
        view! { " to " <a href=paths::deployment(&id)>{format!("deployment {number}")}</a> }
    });
    let hidden = vec![("service", service.to_string())];
    let next = match pause.next {
        Some(held) => {
            let subject = held.subject.map(|subject| format!(" ({subject})")).unwrap_or_default();
            view! {
                <p>
                    <a href=paths::build(&held.build)>{format!("Build {}", held.number)}</a>
                    {format!("{subject} is the newest that waits. Resume alone doesn't deploy it; the next push does.")}
                </p>
                <Form to=Resume::PATH class="row" flat=true hidden=hidden>
                    <Submit text="Resume"/>
                    <Submit text=format!("Resume and deploy build {}", held.number) send=("deploy", "yes")/>
                </Form>
            }
            .into_any()
        }
        None => view! {
            <p>"Nothing waits: resuming deploys nothing now."</p>
            <Form to=Resume::PATH class="row" flat=true hidden=hidden>
                <Submit text="Resume"/>
            </Form>
        }
        .into_any(),
    };
    Some(
        view! {
            <Note tone="warn" title="Automatic deployments are paused.">
                <p>
                    "Since " <Age seconds=pause.since/> ", because " {who} " rolled back"{to}
                    ". Pushes, the deploy hook and new digests change nothing that runs until somebody resumes; what a person \
                     builds or deploys by hand still comes up."
                </p>
                {next}
            </Note>
        }
        .into_any(),
    )
}

/// How far back one can go.
pub fn window(service: &ServiceId, keep: u32) -> AnyView {
    let hidden = vec![("service", service.to_string())];
    view! {
        <Card title="How far back" id="keep">
            <Form to=SetKeep::PATH flat=true hidden=hidden>
                <Field field="keep" label="Deployments that stay ready" value=keep.to_string() inputmode="numeric" required=true
                    hint="From 1 to 100: so many of the newest that ran well are checked all the time, and their images are never cleaned up. Pinned ones stay beside them."/>
                <div class="row"><Submit text="Save number"/></div>
            </Form>
        </Card>
    }
    .into_any()
}
