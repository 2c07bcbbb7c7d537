//! Going back to a deployment: what would change, and a choice of what comes back.

use super::standing::ready;
use crate::api::ways_back::{CheckReadiness, RollBack};
use crate::model::diff::Change;
use crate::model::id::DeploymentId;
use crate::model::job::JobState;
use crate::model::standing::{Back, Standing};
use crate::pages::{Page, PageResult};
use crate::ui::table::col;
use crate::ui::{Card, Choice, Choices, Form, Icon, Name, Note, PageHead, Submit, Table};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: DeploymentId = request::id("deployment")?;
    let deployment = backend.services.deployment(&actor, &id).await?;
    let service = backend.services.get(&actor, &deployment.service).await?;
    let standing = backend.services.standing(&actor, &service.id).await?;
    let all = backend.services.deployments(&actor, &service.id).await?;
    let current = all.into_iter().find(|other| other.is_current);

    let number = deployment.number;
    let title = format!("Roll back to deployment {number}");
    let is_red = standing.of(&id).is_some_and(|version| version.obstacle().is_some());
    let cannot = match (deployment.is_current, deployment.state) {
        (true, _) => Some(format!("Deployment {number} is the one that runs.")),
        (false, JobState::Succeeded) => None,
        (false, state) if !state.is_final() => Some(format!("Deployment {number} is on its way.")),
        (false, _) => Some(format!("Deployment {number} never ran well, so there is nothing to go back to.")),
    };
    let readiness = view! { <div class="row" id="readiness">{ready(&deployment, &standing)}</div> };
    let check = view! {
        <Form to=CheckReadiness::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
            <Submit text="Check again" class="quiet" icon=Name::Refresh/>
        </Form>
    }
    .into_any();
    let body = match (&cannot, current) {
        (Some(reason), _) => view! { <Note tone="info" title=reason.clone()/> }.into_any(),
        (None, None) => view! {
            <Card title="What changes"><p>"Nothing runs now; this brings deployment "{number}" up."</p></Card>
            {choice(&id, is_red, &standing, &paths::deployment(&id))}
        }
        .into_any(),
        (None, Some(current)) => {
            let now = current.number;
            let changed = backend.services.changes(&actor, &current.id, &id).await?;
            view! {
                <Card title=format!("What changes from deployment {now}, which runs now, to {number}") flush=true>
                    {table(changed, number)}
                </Card>
                {choice(&id, is_red, &standing, &paths::service(&service.id))}
            }
            .into_any()
        }
    };
    Ok(Page::new(
        format!("{title}, {}", service.name),
        view! {
            <PageHead title=title under=(paths::deployment(&id), format!("Deployment {number} of {}", service.name))/>
            <Card title="Can it come back?" actions=check>{readiness}</Card>
            {body}
        },
    ))
}

fn table(changes: Vec<Change>, number: i64) -> AnyView {
    if changes.is_empty() {
        return view! { <p class="body">{format!("Nothing: deployment {number} is the same image with the same settings.")}</p> }
            .into_any();
    }
    let none = || view! { <span class="muted">"None"</span> }.into_any();
    let value = move |value: Option<String>| value.map_or_else(none, |value| view! { <code>{value}</code> }.into_any());
    let rows = changes
        .into_iter()
        .map(|Change { what, before, after }| {
            view! { <tr><td>{what}</td><td>{value(before)}</td><td>{value(after)}</td></tr> }
        })
        .collect_view();
    let columns = vec![col("What"), col("Now"), col("Then")];
    view! { <Table name="What changes" columns=columns>{rows}</Table> }.into_any()
}

fn choice(id: &DeploymentId, is_red: bool, standing: &Standing, keep: &str) -> AnyView {
    let (id, keep) = (id.to_string(), keep.to_owned());
    let paused = if standing.pause.is_some() {
        "Automatic deployments stay paused until somebody resumes them."
    } else {
        "Automatic deployments pause then: pushes are still built, and deployed again when somebody resumes that."
    };
    let described_by = is_red.then_some("readiness");
    view! {
        <Card title="What comes back">
            <Form to=RollBack::PATH flat=true hidden=vec![("to", id)]>
                <Choices
                    field="what"
                    label="Roll back"
                    value=Back::All.as_str()
                    options=vec![
                        Choice {
                            value: Back::All.as_str(),
                            title: "Image and settings",
                            hint: "Everything as it ran then: all that the list above names.".into(),
                        },
                        Choice {
                            value: Back::Image.as_str(),
                            title: "Image only",
                            hint: "The image of then; ports, variables and all other settings stay as they are now.".into(),
                        },
                    ]
                />
                <p class="hint">{paused}</p>
                <div class="row">
                    <button class="button primary" type="submit" aria-disabled=is_red.then_some("true") aria-describedby=described_by>
                        <Icon name=Name::RollBack/>"Roll back"
                    </button>
                    <a class="button" href=keep>"Keep what runs"</a>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}
