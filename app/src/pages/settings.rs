//! Settings: what was found about this machine, Swarm mode, the configuration in force, and the own account.

pub mod builders;
pub mod builds;
pub mod git;
pub mod tokens;

use super::{Page, PageResult};
use crate::api::accounts::{ChangePassword, SignOutEverywhere};
use crate::api::settings::StartSwarm;
use crate::model::account::{PASSWORD_MIN, SessionInfo};
use crate::model::settings::{DockerState, Host};
use crate::ui::table::col;
use crate::ui::{Age, Badge, Card, Fact, Facts, Field, Form, PageHead, SecretField, Submit, Table, Tone};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let host = backend.settings.host().await;
    let configuration = backend.settings.configuration(&actor).await?;
    let session = request::session_id().unwrap_or_default();
    let sessions = backend.accounts.sessions(&actor, &session).await?;
    Ok(Page::new(
        "Settings",
        view! {
            <PageHead title="Settings"/>
            {docker(&host)}
            {swarm(&host)}
            {builders_card()}
            {configuration_card(configuration)}
            {password(&actor.username)}
            {sessions_card(sessions)}
            {builds_card()}
            {tokens_card()}
            {git_card()}
        },
    ))
}

/// A fact with a light, and what to do where it isn't as it should be.
fn light(tone: Tone, word: &'static str, remedy: Option<AnyView>) -> AnyView {
    view! { <Badge tone text=word/>{remedy.map(|remedy| view! { <div class="hint">{remedy}</div> })} }.into_any()
}

fn docker(host: &Host) -> impl IntoView + use<> {
    let state = match &host.docker {
        DockerState::Unknown => light(Tone::Idle, "Not looked yet", None),
        DockerState::Unreachable { reason } => light(Tone::Bad, "Can't be reached", Some(reason.clone().into_any())),
        _ => light(
            Tone::Ok,
            "Answers",
            host.docker_version.clone().map(|version| format!("Version {version}").into_any()),
        ),
    };
    let buildx = match &host.buildx {
        Ok(version) => light(Tone::Ok, "Present", Some(version.clone().into_any())),
        Err(why) => light(
            Tone::Bad,
            "Missing",
            Some(view! { {why.clone()} " Builds need it: install the package " <code>"docker-buildx"</code> " (or " <code>"docker-buildx-plugin"</code> ") on this machine." }.into_any()),
        ),
    };
    let store = if host.containerd_store {
        light(Tone::Ok, "In use", Some("Images for several platforms can be built.".into_any()))
    } else {
        light(
            Tone::Warn,
            "Not in use",
            Some(
                view! {
                    "Builds work for this machine's platform only. To change that, put "
                    <code>"{\"features\": {\"containerd-snapshotter\": true}}"</code>
                    " into " <code>"/etc/docker/daemon.json"</code> " and restart Docker."
                }
                .into_any(),
            ),
        )
    };
    let network = if host.has_ipvs {
        light(
            Tone::Ok,
            "Virtual IPs and routing mesh",
            Some("The kernel has IP_VS: every node answers on a service's published ports.".into_any()),
        )
    } else {
        light(
            Tone::Warn,
            "dnsrr and host-mode ports",
            Some("The kernel has no IP_VS, so virtual IPs and the routing mesh don't work here. Services find each other by name, and a published port answers on the node that runs the task; updates of services with ports stop the old task first.".into_any()),
        )
    };
    let (platform, looked_at) = (host.platform.clone(), host.looked_at);
    view! {
        <Card title="This machine">
            <Facts>
                <Fact name="Docker">{state}</Fact>
                {platform.map(|platform| view! { <Fact name="Platform"><code>{platform}</code></Fact> })}
                <Fact name="buildx">{buildx}</Fact>
                <Fact name="containerd image store">{store}</Fact>
                <Fact name="Service network">{network}</Fact>
                {(looked_at > 0).then(|| view! { <Fact name="Looked"><Age seconds=looked_at/></Fact> })}
            </Facts>
        </Card>
    }
}

fn swarm(host: &Host) -> impl IntoView + use<> {
    let content = match &host.docker {
        DockerState::Ready => {
            let nodes = crate::model::text::count(host.nodes, "node");
            light(Tone::Ok, "On", Some(format!("This machine is a manager of a Swarm with {nodes}.").into_any()))
        }
        DockerState::NotManager => light(
            Tone::Warn,
            "Worker",
            Some("This machine is in a Swarm, but not as a manager. Run Slipway on a manager, or promote this node there.".into_any()),
        ),
        DockerState::NoSwarm { suggested_address } => {
            let address = suggested_address.clone();
            view! {
            <p>"Swarm mode is off. Slipway runs services in a Swarm; one machine alone is enough for one."</p>
            <Form to=StartSwarm::PATH flat=true>
                <Field field="advertise_address" label="Advertise address" mono=true required=true value=address
                    hint="The address under which other nodes would reach this machine. Nothing leaves the machine until others join."/>
                <Submit text="Start Swarm mode" class="primary"/>
            </Form>
        }
        .into_any()
        }
        DockerState::Unknown | DockerState::Unreachable { .. } => {
            view! { <p class="muted">"Unknown, because Docker can't be asked."</p> }.into_any()
        }
    };
    view! { <Card title="Swarm" id="swarm">{content}</Card> }
}

fn configuration_card(configuration: Vec<(String, String)>) -> impl IntoView + use<> {
    let rows = configuration
        .into_iter()
        .map(|(name, value)| view! { <tr><th scope="row"><code>{name}</code></th><td class="key"><code>{value}</code></td></tr> })
        .collect_view();
    view! {
        <Card title="Configuration" flush=true>
            <Table name="Configuration" columns=vec![col("Setting"), col("Value")]>{rows}</Table>
            <p class="foot hint">"Set by file, environment or flags; " <code>"slipway serve --help"</code> " explains each. Changes take effect with the next start."</p>
        </Card>
    }
}

fn password(username: &str) -> impl IntoView + use<> {
    let rule = format!("At least {PASSWORD_MIN} characters; a few random words are good.");
    let username = username.to_owned();
    view! {
        <Card title="Change password" id="password">
            <Form to=ChangePassword::PATH>
                // For password managers, so that they know whose password it is.
                <input type="text" name="username" value=username autocomplete="username" hidden/>
                <SecretField field="current" label="Current password" autocomplete="current-password" required=true/>
                <SecretField field="password" label="New password" autocomplete="new-password" required=true hint=rule/>
                <SecretField field="repeat" label="Repeat new password" autocomplete="new-password" required=true/>
                <Submit text="Change password"/>
            </Form>
        </Card>
    }
}

fn builds_card() -> impl IntoView {
    view! {
        <Card title="Builds" id="builds">
            <p>"How many builds run at once, how long and with how much of this machine, and what serves static sites."</p>
            <p><a class="button" href=paths::BUILD_RULES>"Rules of builds"</a></p>
        </Card>
    }
}

fn builders_card() -> impl IntoView {
    view! {
        <Card title="Builders" id="builders">
            <p>"Builds run on this engine, in containers of their own, or on machines elsewhere."</p>
            <p><a class="button" href=paths::BUILDERS>"Manage builders"</a></p>
        </Card>
    }
}

fn tokens_card() -> impl IntoView {
    view! {
        <Card title="API tokens" id="tokens">
            <p>"Programs use Slipway's API with a token of yours instead of your password."</p>
            <p><a class="button" href=paths::TOKENS>"Manage API tokens"</a></p>
        </Card>
    }
}

fn git_card() -> impl IntoView {
    view! {
        <Card title="Git access" id="git">
            <p>"Private repositories are read with a token, or with a deploy key that Slipway makes."</p>
            <p><a class="button" href=paths::GIT_ACCESSES>"Manage git access"</a></p>
        </Card>
    }
}

fn sessions_card(sessions: Vec<SessionInfo>) -> impl IntoView + use<> {
    let rows = sessions
        .into_iter()
        .map(|session| {
            let name = if session.is_this { "This browser" } else { "Another browser" };
            view! { <tr><td>{name}</td><td><Age seconds=session.since/></td><td><Age seconds=session.seen/></td></tr> }
        })
        .collect_view();
    let sign_out = view! {
        <Form to=SignOutEverywhere::PATH flat=true class="row"><Submit text="Sign out everywhere"/></Form>
    }
    .into_any();
    view! {
        <Card title="Sessions" flush=true actions=sign_out>
            <Table name="Sessions" columns=vec![col("Session"), col("Signed in"), col("Last seen")]>{rows}</Table>
        </Card>
    }
}
