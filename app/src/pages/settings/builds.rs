//! The rules that hold for all builds.

use crate::api::settings::SetBuildRules;
use crate::model::build_rules::{BuildRules, CapsHold, RulesInForce, cores};
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Checkbox, Field, Form, Note, PageHead, Select, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let RulesInForce { rules, usual_parallel, caps } = backend.settings.build_rules(&actor).await?;
    Ok(Page::new(
        "Builds, Settings",
        view! {
            <PageHead title="Builds" under=(paths::SETTINGS.into(), "Settings".into())/>
            <Card title="Rules">{form(rules, usual_parallel, caps)}</Card>
        },
    ))
}

fn form(rules: BuildRules, usual_parallel: u32, caps: CapsHold) -> impl IntoView {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let (note, cap_hint) = match caps {
        CapsHold::By(by) => (
            None,
            format!(
                "Empty: all there is. Held by {by}, for commands of the Dockerfile that this engine runs; what Docker itself does for a build, such as pushing, isn't in it."
            ),
        ),
        CapsHold::No { why } => (
            Some(view! {
                <Note tone="warn" title="CPU and memory of builds can't be limited here">
                    <p>{why}</p>
                    <p>"What is set below takes effect only where that is different. Builders of their own have their limits with them."</p>
                </Note>
            }),
            "Empty: all there is. It doesn't hold here; the note above says why.".to_owned(),
        ),
    };
    let tries =
        [(1, "Never again"), (2, "Once again"), (3, "Twice again"), (4, "Three times again"), (5, "Four times again")]
            .map(|(tries, words): (u32, &str)| (tries.to_string(), words.to_owned()))
            .to_vec();
    let parallel_hint = format!(
        "Empty: {usual_parallel}, half as many as this machine has cores. A builder may have a limit of its own beside it."
    );
    view! {
        {note}
        <Form to=SetBuildRules::PATH>
            <Field field="parallel" label="Builds at once" inputmode="numeric" value=number(rules.parallel)
                placeholder=usual_parallel.to_string() hint=parallel_hint/>
            <Checkbox field="supersedes" label="Only the newest waits" checked=rules.supersedes
                hint="A build of a service's newest commit takes the place of the service's older ones that wait. Builds that run go on."/>
            <Field field="timeout" label="Longest build, in minutes" inputmode="numeric" value=rules.timeout.to_string()
                hint="A build that takes longer is ended."/>
            <Select field="push_tries" label="When a push fails for a moment, try it" options=tries value=rules.push_tries.to_string()
                hint="Only after the registry's own faults (5xx) and broken connections; what a registry refuses is never tried again. What is built is kept."/>
            <div class="pair">
                <Field field="cpus" label="Cores for one build" inputmode="decimal" value=rules.cpus.map(cores).unwrap_or_default() hint=cap_hint.clone()/>
                <Field field="memory" label="Memory for one build, in MiB" inputmode="numeric" value=number(rules.memory) hint=cap_hint/>
            </div>
            <Field field="static_image" label="Web server for static sites" mono=true
                value=rules.static_image.map(|server| server.to_string()).unwrap_or_default()
                hint="An image and the folder it serves from, like nginx:1.27 /usr/share/nginx/html. One that has to be started gets its command behind: busybox:1 /www httpd -f -p 8080 -h /www. Empty: no service can be a static site."/>
            <Submit text="Save rules" class="primary"/>
        </Form>
    }
}
