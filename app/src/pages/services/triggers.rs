//! What starts a service's builds and deployments from outside: its address, its secret (once), what it reacts to, and what
//! came.

use crate::api::triggers::{DeleteTrigger, RenewTrigger, SaveTrigger};
use crate::islands::copy::Copy;
use crate::model::id::ServiceId;
use crate::model::secret::Secret;
use crate::model::service::{Service, Source};
use crate::model::trigger::{Delivery, Outcome, SIGNATURE, Trigger};
use crate::pages::{Page, PageResult};
use crate::ui::table::{col, wide};
use crate::ui::{
    Age, Badge, Card, Checkbox, Empty, Fact, Facts, Form, Name, Note, PageHead, Submit, Table, TextArea, Tone, icon,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ServiceId = request::id("service")?;
    let service = backend.services.get(&actor, &id).await?;
    let trigger = backend.triggers.of_service(&actor, &id).await?;
    let (title, page) = (format!("Triggers of {}", service.name), paths::service(&id));
    let Some(trigger) = trigger else {
        let name = service.name.clone();
        return Ok(Page::new(
            format!("{title}, Services"),
            view! {
                <PageHead title="Triggers" under=(page, name)/>
                <Card title="No trigger yet">
                    <p>"A trigger is an address that a git host tells of pushes, and that a pipeline can ask for a deployment. Who sends has to know its secret."</p>
                    {form(&service, None)}
                </Card>
            },
        ));
    };
    let deliveries = backend.triggers.deliveries(&actor, &trigger.id).await?;
    let secret = backend.triggers.take_shown(&actor, &id).await;
    let base = backend.triggers.public_url().unwrap_or_else(|| match request::host() {
        Some(host) => format!("http://{host}"),
        None => "https://slipway.example".into(),
    });
    let state = if trigger.enabled {
        view! { <Badge tone=Tone::Ok text="On"/> }.into_any()
    } else {
        view! { <Badge tone=Tone::Idle text="Off"/> }.into_any()
    };
    let address = address(&service, &trigger, &base);
    let hook = deploy_hook(&service, &trigger, &base);
    let (name, secret_card) = (service.name.clone(), secret_card(&id));
    Ok(Page::new(
        format!("{title}, Services"),
        view! {
            <PageHead title="Triggers" under=(page, name) badge=state/>
            {secret.map(new_secret)}
            {address}
            <Card title="What it does" id="settings">{form(&service, Some(&trigger))}</Card>
            <Card title="What came" flush=true id="deliveries">{list(deliveries)}</Card>
            {hook}
            {secret_card}
        },
    ))
}

/// The only place that ever shows a secret.
fn new_secret(secret: Secret) -> impl IntoView {
    let text = secret.expose("its maker sees it once").to_owned();
    view! {
        <Note tone="info" title="The secret">
            <p class="long">
                <code id="new-secret">{text.clone()}</code>
                <Copy text name="Copy the secret".to_owned() icon=icon::href(icon::Name::Copy)/>
            </p>
            <p>"Copy it now: it is shown this once. Give it to the git host, or to whoever calls the deploy hook."</p>
        </Note>
    }
}

fn long(text: String, what: &'static str, id: &'static str) -> impl IntoView {
    view! {
        <span class="long">
            <code id=id>{text.clone()}</code>
            <Copy text name=what.to_owned() icon=icon::href(icon::Name::Copy)/>
        </span>
    }
}

fn address(service: &Service, trigger: &Trigger, base: &str) -> impl IntoView + use<> {
    let address = format!("{base}{}", paths::hook(&trigger.id));
    let refused = trigger.refused.map(|(count, at)| {
        let words = if count == 1 { "1 request".to_owned() } else { format!("{count} requests") };
        view! { <Fact name="Refused">{words}" with a wrong signature, the last "<Age seconds=at/></Fact> }
    });
    let hosts = service.source.git().is_some().then(|| {
        let steps = [
            ("GitHub", "Settings → Webhooks: the address as payload URL, content type application/json, the secret, just the push event."),
            ("GitLab", "Settings → Webhooks: the address as URL, the secret as secret token, push events."),
            ("Gitea, Forgejo", "Settings → Webhooks: the address as target URL, the secret, push events."),
            ("Bitbucket", "Repository settings → Webhooks: the address as URL, the secret, repository push."),
        ];
        let steps = steps.map(|(host, words)| view! { <Fact name=host>{words}</Fact> });
        view! {
            <details class="options">
                <summary>"How to set it up at your git host"</summary>
                <Facts>{steps.into_iter().collect_view()}</Facts>
            </details>
        }
    });
    view! {
        <Card title="Address">
            <Facts>
                <Fact name="Webhook">{long(address, "Copy the address", "hook-address")}</Fact>
                {refused}
            </Facts>
            {hosts}
        </Card>
    }
}

fn form(service: &Service, of: Option<&Trigger>) -> AnyView {
    let lines = |lines: &[String]| lines.join("\n");
    let (branches, paths_of) = of.map(|of| (lines(&of.branches), lines(&of.paths))).unwrap_or_default();
    let enabled = of.is_none_or(|of| of.enabled);
    let deploys = of.is_none_or(|of| of.deploys);
    let hidden = vec![("service", service.id.to_string())];
    let send = if of.is_some() { "Save trigger" } else { "Create trigger" };
    let Source::Git(source) = &service.source else {
        return view! {
            <Form to=SaveTrigger::PATH hidden>
                <input type="hidden" name="form[deploys]" value="on"/>
                <Checkbox field="enabled" label="On" checked=enabled hint="Off, its address answers as if it weren't there."/>
                <Submit text=send class="primary"/>
            </Form>
        }
        .into_any();
    };
    let hint = format!("One a line, like release/*. Empty: the service's branch, {}.", source.branch);
    view! {
        <Form to=SaveTrigger::PATH hidden>
            <Checkbox field="enabled" label="On" checked=enabled hint="Off, its address answers as if it weren't there."/>
            <Checkbox field="deploys" label="Deploy what is built" checked=deploys/>
            <div class="pair">
                <TextArea field="branches" label="Branches" value=branches rows=3 hint=hint/>
                <TextArea field="paths" label="Watched paths" value=paths_of rows=3
                    hint="One a line, like api/ or **/*.rs. Only pushes that change one are built; a push whose paths aren't all known always is. Empty: every push."/>
            </div>
            <Submit text=send class="primary"/>
        </Form>
    }
    .into_any()
}

fn list(deliveries: Vec<Delivery>) -> AnyView {
    if deliveries.is_empty() {
        return view! { <Empty title="Nothing came yet" why="Signed deliveries are listed here, with what became of them."/> }
            .into_any();
    }
    let rows = deliveries
        .into_iter()
        .map(|delivery| {
            let (tone, word) = match delivery.outcome {
                Outcome::Started => (Tone::Ok, "Started"),
                Outcome::Ignored => (Tone::Idle, "Ignored"),
                Outcome::Failed => (Tone::Bad, "Failed"),
            };
            let build = delivery.build.map(|(id, number)| {
                view! { " " <a href=paths::build(&id)>{format!("Build {number}")}</a> }
            });
            let deployment = delivery.deployment.map(|(id, number)| {
                view! { " " <a href=paths::deployment(&id)>{format!("Deployment {number}")}</a> }
            });
            view! {
                <tr data-outcome=delivery.outcome.as_str()>
                    <td><Age millis=delivery.at/></td>
                    <td class="wide">{delivery.host}</td>
                    <td class="wide"><code>{delivery.event}</code></td>
                    <td><Badge tone text=word/></td>
                    <td class="text">{delivery.reason}{build}{deployment}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("When"), wide("From"), wide("Event"), col("Outcome"), col("What happened")];
    view! { <Table name="Deliveries" columns>{rows}</Table> }.into_any()
}

fn deploy_hook(service: &Service, trigger: &Trigger, base: &str) -> impl IntoView + use<> {
    let address = format!("{base}{}", paths::deploy_hook(&trigger.id));
    let (body, about) = match &service.source {
        Source::Git(_) => (
            r#"{"commit":"0123456789abcdef0123456789abcdef01234567"}"#,
            "A pipeline asks for a build of a commit with it. ",
        ),
        Source::Image(_) => (
            r#"{"tag":"1.4.2"}"#,
            "A pipeline has another tag or digest of the service's image deployed with it ({\"digest\":\"sha256:…\"}). The service \
             itself keeps the image it names. ",
        ),
    };
    let example = format!(
        "body='{body}'\n\
         time=$(date +%s)\n\
         mac=$(printf '%s.%s' \"$time\" \"$body\" | openssl dgst -sha256 -hmac \"$SLIPWAY_HOOK_SECRET\" -r | cut -d' ' -f1)\n\
         curl --fail-with-body --data \"$body\" --header 'Content-Type: application/json' \\\n  \
         --header \"{SIGNATURE}: t=$time,v1=$mac\" \\\n  {address}\n"
    );
    view! {
        <Card title="Deploy hook" id="deploy-hook">
            <p>{about}"A signature is good for five minutes and for one use."</p>
            <p>{long(address, "Copy the address of the deploy hook", "deploy-address")}</p>
            <pre class="details" tabindex="0" id="example">{example.clone()}</pre>
            <p><Copy text=example name="Copy the example".to_owned() icon=icon::href(icon::Name::Copy)/></p>
        </Card>
    }
}

fn secret_card(id: &ServiceId) -> impl IntoView + use<> {
    let [renew, delete] = [(); 2].map(|()| vec![("service", id.to_string())]);
    view! {
        <Card title="Secret and deletion">
            <p>"A new secret takes the place of the old one at once. Without the trigger, its address answers no more."</p>
            <div class="row">
                <Form to=RenewTrigger::PATH flat=true class="row" hidden=renew><Submit text="Make a new secret" icon=Name::Refresh/></Form>
                <Form to=DeleteTrigger::PATH flat=true class="row" hidden=delete><Submit text="Delete trigger" class="danger" icon=Name::Trash/></Form>
            </div>
        </Card>
    }
}
