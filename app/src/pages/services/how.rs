//! The part of the service form that says how it runs: what most services need in sight, the rest folded away by headings.

use crate::model::build_form::secret_field;
use crate::model::service::{Resources, SecretFile, Service, Settings};
use crate::model::service_form::command_line;
use crate::model::service_settings::{cores_text, memory_text};
use crate::request::FormState;
use crate::ui::{Checkbox, Field, More, TextArea};
use leptos::prelude::*;

/// How many secrets can be added at once.
const NEW: usize = 2;

/// Variables, ports, copies, health check; then programs, secrets, resources, places, data, networks.
pub(super) fn how(of: Option<&Service>) -> impl IntoView + use<> {
    let settings = of.map(|of| of.settings.clone()).unwrap_or_else(|| Settings { replicas: 1, ..Settings::default() });
    let env = settings.env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n");
    let came_back = use_context::<FormState>().is_some_and(|state| !state.action.is_empty());
    let env_hint = if came_back {
        "One NAME=value a line. Variables are not kept when a form comes back, because they may be secrets: check them."
    } else {
        "One NAME=value a line. They are part of each deployment, so a roll-back restores them."
    };
    view! {
        <fieldset>
            <legend>"How it runs"</legend>
            <TextArea field="env" label="Environment variables" value=env hint=env_hint rows=4/>
            <div class="pair">
                <TextArea field="ports" label="Ports" value=lines(&settings.ports) rows=2 hint="One published:target a line, like 8080:80; /udp behind where needed."/>
                <Field field="replicas" label="Replicas" value=settings.replicas.to_string() inputmode="numeric" hint="0 to 100."/>
            </div>
            {health(&settings)}
            {secrets(&settings.secrets)}
            {programs(&settings)}
            {resources(&settings.resources)}
            {data(&settings)}
        </fieldset>
    }
}

/// One a line.
fn lines<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn health(settings: &Settings) -> impl IntoView + use<> {
    let check = settings.health.as_ref();
    let command = check.map(|check| command_line(&check.command)).unwrap_or_default();
    let number = |value: Option<u32>, usual: u32| value.filter(|value| *value != usual).map(|value| value.to_string());
    let interval = number(check.map(|check| check.interval), 5).unwrap_or_default();
    let timeout = number(check.map(|check| check.timeout), 5).unwrap_or_default();
    let retries = number(check.map(|check| check.retries), 3).unwrap_or_default();
    let start = number(check.map(|check| check.start_period), 10).unwrap_or_default();
    let open = [&interval, &timeout, &retries, &start].iter().any(|text| !text.is_empty());
    view! {
        <Field field="health_command" label="Health check command" mono=true value=command
            hint="Run inside the container, without a shell; empty: none. A deployment counts as done when it succeeds."/>
        <More title="Times of the health check" open=open
            fields=&["health_interval", "health_timeout", "health_retries", "health_start_period"]>
            <div class="pair">
                <Field field="health_interval" label="Seconds between checks" value=interval inputmode="numeric" hint="Empty: 5."/>
                <Field field="health_timeout" label="Seconds that a check may take" value=timeout inputmode="numeric" hint="Empty: 5."/>
            </div>
            <div class="pair">
                <Field field="health_retries" label="Failures in a row" value=retries inputmode="numeric"
                    hint="So many make a container unhealthy. Empty: 3."/>
                <Field field="health_start_period" label="Seconds to start" value=start inputmode="numeric"
                    hint="Failures don't count so long. Empty: 10."/>
            </div>
        </More>
    }
}

/// Values go in and never come out.
fn secrets(kept: &[SecretFile]) -> impl IntoView + use<> {
    let (open, count) = (!kept.is_empty(), kept.len());
    let kept: Vec<String> = kept.iter().map(|file| file.name.clone()).collect();
    view! {
        <More title="Secrets" open=open
            fields=&["sealed][0][name", "sealed][0][secret", "sealed][1][name", "sealed][1][secret", "sealed][2][name",
                "sealed][2][secret", "sealed][3][name", "sealed][3][secret"]>
            <p class="hint">
                "The program reads one as the file " <code>"/run/secrets/NAME"</code>
                ". Values are stored encrypted and never shown. They are part of each deployment, so a roll-back restores them."
            </p>
            {kept.into_iter().enumerate().map(|(index, name)| {
                let hidden = |part: &str| format!("form[{}]", secret_field(index, part));
                view! {
                    <fieldset>
                        <legend>{name.clone()}</legend>
                        <input type="hidden" name=hidden("name") value=name/>
                        <input type="hidden" name=hidden("kept") value="yes"/>
                        <TextArea field=secret_field(index, "secret") label="New value" rows=2
                            hint="Leave empty to keep the one that is stored."/>
                        <Checkbox field=secret_field(index, "remove") label="Remove this secret"/>
                    </fieldset>
                }
            }).collect_view()}
            {(count..count + NEW).map(|index| {
                let title = if index == count { "A new secret" } else { "Another one" };
                view! {
                    <fieldset>
                        <legend>{title}</legend>
                        <Field field=secret_field(index, "name") label="File name" mono=true/>
                        <TextArea field=secret_field(index, "secret") label="Value" rows=2 hint="One line or many."/>
                    </fieldset>
                }
            }).collect_view()}
            <p class="hint">"Save to add more."</p>
        </More>
    }
}

fn programs(settings: &Settings) -> impl IntoView + use<> {
    let (command, args) = (command_line(&settings.command), command_line(&settings.args));
    let open = !command.is_empty() || !args.is_empty();
    view! {
        <More title="Command" open=open fields=&["command", "args"]>
            <Field field="command" label="Command" mono=true value=command
                hint="Instead of the image's entry point; run without a shell. Empty: as the image says."/>
            <Field field="args" label="Arguments" mono=true value=args
                hint="Instead of the image's own. Quotes hold words together."/>
        </More>
    }
}

fn resources(of: &Resources) -> impl IntoView + use<> {
    let (memory, memory_reserved) = (of.memory.map(memory_text), of.memory_reserved.map(memory_text));
    let (cpus, cpus_reserved) = (of.millicpus.map(cores_text), of.millicpus_reserved.map(cores_text));
    let open = *of != Resources::default();
    view! {
        <More title="Memory and processor" open=open fields=&["memory", "cpus", "memory_reserved", "cpus_reserved"]>
            <div class="pair">
                <Field field="memory" label="Memory at most" value=memory.unwrap_or_default()
                    hint="For each copy, like 512 MB. A program that takes more is ended. Empty: no limit."/>
                <Field field="cpus" label="Cores at most" value=cpus.unwrap_or_default() inputmode="decimal"
                    hint="For each copy, like 0.5. Empty: no limit."/>
            </div>
            <div class="pair">
                <Field field="memory_reserved" label="Memory reserved" value=memory_reserved.unwrap_or_default()
                    hint="A copy goes only where so much isn't reserved yet."/>
                <Field field="cpus_reserved" label="Cores reserved" value=cpus_reserved.unwrap_or_default() inputmode="decimal"
                    hint="A copy goes only where so many aren't reserved yet."/>
            </div>
        </More>
    }
}

fn data(settings: &Settings) -> impl IntoView + use<> {
    let (mounts, networks) = (lines(&settings.mounts), lines(&settings.networks));
    let constraints = lines(&settings.constraints);
    let open = [&mounts, &networks, &constraints].iter().any(|text| !text.is_empty());
    view! {
        <More title="Data, places and networks" open=open fields=&["mounts", "constraints", "networks"]>
            <TextArea field="mounts" label="Mounts" value=mounts rows=2
                hint="One volume:/path or /folder:/path a line, like data:/var/lib/app; :ro behind where nothing may be written. \
                      A volume or folder is that of the node where a copy runs."/>
            <TextArea field="constraints" label="Placement" value=constraints rows=2
                hint="Nodes where it may run, one rule a line: node.labels.disk==ssd, node.role==worker, node.hostname==name."/>
            <TextArea field="networks" label="More networks" value=networks rows=2
                hint="Names of overlay networks that exist, one a line. The network of its project is always there."/>
        </More>
    }
}
