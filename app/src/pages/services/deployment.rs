//! One deployment: what ran or runs, how it went, and the way back to it.

use super::show::origin;
use super::{changes, settings_facts, standing};
use crate::api::services::CancelDeployment;
use crate::islands::live::FACTS;
use crate::model::id::DeploymentId;
use crate::model::job::JobState;
use crate::model::service::Deployment;
use crate::model::standing::Standing;
use crate::pages::{Page, PageResult};
use crate::ui::job::{JobLog, LogLines, Steps};
use crate::ui::{
    Age, Badge, Card, Digest, Fact, Facts, Form, JobBadge, Name, PageHead, ProblemBox, Reference, Submit, Tone, time,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: DeploymentId = request::id("deployment")?;
    let deployment = backend.services.deployment(&actor, &id).await?;
    // A removed service keeps its history.
    let service = backend.services.get(&actor, &deployment.service).await.ok();
    let all = backend.services.deployments(&actor, &deployment.service).await?;
    let before = all.into_iter().filter(|other| other.number < deployment.number).max_by_key(|other| other.number);
    let changed = match before {
        Some(before) => {
            let found = backend.services.changes(&actor, &before.id, &id).await?;
            Some(changes::card(before.number, found))
        }
        None => None,
    };
    let (job, steps) = backend.jobs.get(&actor, &deployment.job).await?;
    let log = LogLines::of(&actor, &backend, &deployment.job, None).await?;

    let title = format!("Deployment {}", deployment.number);
    let name = service.as_ref().map_or_else(|| "removed service".to_owned(), |service| service.name.clone());
    let badge = view! {
        <JobBadge state=deployment.state of=deployment.job.to_string()/>
        {deployment.is_current.then(|| view! { <Badge tone=Tone::Ok text="Runs now"/> })}
    }
    .into_any();
    let cancel = (!deployment.state.is_final() && deployment.state != JobState::Cancelling).then(|| {
        view! {
            <Form to=CancelDeployment::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                <Submit text="Cancel deployment" icon=Name::Stop/>
            </Form>
        }
    });
    let mut tagged = deployment.image.clone();
    tagged.digest = None;
    let digest = deployment
        .image
        .digest
        .clone()
        .map(|digest| view! { <Fact name="Digest"><Digest digest=digest.to_string()/></Fact> });
    let standing = backend.services.standing(&actor, &deployment.service).await?;
    let version = standing.of(&id);
    let back = standing::roll_back(&deployment, &standing, false);
    // A service that is gone has nothing that waits or could be kept.
    let pause = service.as_ref().and_then(|_| standing::pause(&deployment.service, standing.pause.as_ref()));
    let put_back = version.and_then(|version| standing::put_back(&deployment, version));
    let pin = service.as_ref().map(|_| standing::pin_button(&id, version.is_some_and(|version| version.pin.is_some())));
    let kept = kept(&deployment, &standing);
    let service_page = paths::service(&deployment.service);
    let log = view! { <JobLog id=deployment.job.clone() state=deployment.state steps=steps.clone() log/> };
    let settings = settings_facts(&deployment.settings);
    let origin = origin(&deployment.origin);
    let commit = deployment.commit.map(|commit| {
        view! {
            <Fact name="Commit">
                <code>{commit.to_string()}</code>
                {deployment.commit_subject.map(|subject| view! { <br/>{subject} })}
            </Fact>
        }
    });
    let problem = deployment.problem.clone();
    Ok(Page::new(
        format!("{title}, {name}"),
        view! {
            <PageHead title=title under=(service_page, name) badge=badge>
                {cancel}
                {pin}
                {back}
            </PageHead>
            {pause}
            {put_back}
            {problem.map(|problem| view! { <ProblemBox problem/> })}
            <Card title="Facts" id=FACTS>
                <Facts>
                    <Fact name="Image"><Reference reference=tagged.to_string()/></Fact>
                    {digest}
                    {commit}
                    <Fact name="Origin">{origin}</Fact>
                    <Fact name="Asked by">{deployment.asked_by} ", " <Age millis=deployment.created/></Fact>
                    <Fact name="Took">{time::took(job.started, job.finished)}</Fact>
                    {kept}
                    {settings}
                </Facts>
            </Card>
            {changed}
            <Steps steps/>
            {log}
        },
    ))
}

/// What its image is kept for, and whether it could come up now.
fn kept(deployment: &Deployment, all: &Standing) -> AnyView {
    let version = all.of(&deployment.id);
    let need = version.and_then(|version| version.need).map(|need| standing::need(need, all.keep));
    let pinned = version.and_then(standing::pinned);
    let why = format!("why-{}", deployment.id);
    let ready = standing::ready(deployment, all);
    view! {
        <Fact name="Kept"><span class="row">{need.unwrap_or_else(|| "No.".into())} {pinned}</span></Fact>
        <Fact name="Can come back"><span class="row" id=why>{ready}</span></Fact>
    }
    .into_any()
}
