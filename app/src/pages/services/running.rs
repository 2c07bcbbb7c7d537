//! What can be done with what runs: another number of copies, a new start. And what is known about a watched tag.

use crate::api::services::{DeployImage, LookAtTag, RestartService, ScaleService};
use crate::model::service::{Deployment, Service};
use crate::model::tag_watch::{News, TagWatch, Waits, WatchMode};
use crate::paths;
use crate::ui::{Age, Card, Field, Form, Name, Note, ProblemBox, Submit};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Copies and restart, for a service of which something runs.
pub fn copies(service: &Service, deployments: &[Deployment]) -> Option<AnyView> {
    let current = deployments.iter().find(|deployment| deployment.is_current)?;
    let replicas = current.settings.replicas.to_string();
    let id = service.id.to_string();
    let again = vec![("service", id.clone())];
    let hidden = vec![("service", id)];
    Some(
        view! {
            <Card title="Copies">
                <Form to=ScaleService::PATH flat=true hidden=hidden>
                    <Field field="replicas" label="Number of copies" value=replicas inputmode="numeric"
                        hint="0 to 100; 0 stops it. Copies that stay go on as they are."/>
                    <Submit text="Scale"/>
                </Form>
                <Form to=RestartService::PATH class="row" flat=true hidden=again>
                    <Submit text="Restart"/>
                    <span class="hint">"Starts every copy anew, with the same image and settings."</span>
                </Form>
            </Card>
        }
        .into_any(),
    )
}

/// Says that the tag leads to a digest that doesn't run.
pub fn news(watch: &TagWatch) -> Option<AnyView> {
    let News { digest, waits } = watch.news.clone()?;
    let tag = watch.image.tag.as_ref().map(ToString::to_string).unwrap_or_default();
    let why = words(&waits);
    let hidden = vec![("service", watch.service.to_string())];
    Some(
        view! {
            <Note tone="info" title=format!("{tag} leads to a new digest, {}.", digest.brief())>
                <p>{why}</p>
                <Form to=DeployImage::PATH class="row" flat=true hidden=hidden>
                    <Submit text="Deploy the new digest"/>
                </Form>
            </Note>
        }
        .into_any(),
    )
}

/// Why it isn't deployed by itself.
pub fn words(waits: &Waits) -> String {
    match waits {
        Waits::Notify => "It is deployed when you say so.".into(),
        Waits::Paused => "New versions wait, because somebody went back to an earlier one.".into(),
        Waits::Failed { number } => {
            format!("Deployment {number} tried it and didn't come up, so it isn't tried again by itself.")
        }
    }
}

/// What is known about the tag, with a button to look now.
pub fn watched(watch: TagWatch) -> AnyView {
    let tag = watch.image.to_string();
    let mode = match watch.mode {
        WatchMode::Off => return ().into_any(),
        WatchMode::Notify => "A new digest is shown here and on the overview.",
        WatchMode::Deploy => "A new digest is deployed.",
    };
    let looked = match watch.looked {
        Some(looked) => view! { "Last looked " <Age seconds=looked/> "." }.into_any(),
        None => "Nobody has looked yet.".into_any(),
    };
    let seen = watch.seen.map(|seen| view! { " It led to " <code>{seen.brief()}</code> "." });
    let hidden = vec![("service", watch.service.to_string())];
    view! {
        <Card title="Watched tag">
            <p><code>{tag}</code> ": " {mode} " " <a href=paths::edit_service(&watch.service)>"Change"</a></p>
            <p class="hint">{looked}{seen}</p>
            {watch.problem.map(|problem| view! { <ProblemBox problem/> })}
            <Form to=LookAtTag::PATH class="row" flat=true hidden=hidden>
                <Submit text="Look now" icon=Name::Refresh/>
            </Form>
        </Card>
    }
    .into_any()
}
