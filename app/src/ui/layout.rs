//! What is around every page: navigation, banner about Docker, flash message, error summary.

use super::icon::{Icon, Name};
use super::note::{ErrorSummary, Note};
use super::{Form, Submit};
use crate::api::accounts::SignOut;
use crate::model::account::Actor;
use crate::model::settings::{DockerState, Host};
use crate::pages::Page;
use crate::request::{self, FormState};
use crate::{api::settings::SetTheme, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Looks to choose from: the cookie's value, and its name. Without the cookie, the system decides.
pub const THEMES: [(&str, &str); 2] = [("light", "Light"), ("dark", "Dark")];

const PLACES: [(&str, &str, Name); 6] = [
    (paths::OVERVIEW, "Overview", Name::Overview),
    (paths::SERVICES, "Services", Name::Service),
    (paths::BUILDS, "Builds", Name::Build),
    (paths::IMAGES, "Images", Name::Image),
    (paths::REGISTRIES, "Registries", Name::Registry),
    (paths::CREDENTIALS, "Credentials", Name::Credential),
];
const MACHINERY: [(&str, &str, Name); 3] = [
    (paths::JOBS, "Jobs", Name::Job),
    (paths::CLEANUP, "Clean-up", Name::Trash),
    (paths::SETTINGS, "Settings", Name::Settings),
];

/// Whether an address belongs to a place of the navigation.
fn is_current(place: &str, path: &str) -> bool {
    let section = match path.split('/').nth(1).unwrap_or_default() {
        "deployments" => "services",
        section => section,
    };
    place.trim_start_matches('/') == section
}

/// The frame of every page of somebody who is signed in.
#[component]
pub fn Layout(
    /// Who is signed in.
    actor: Actor,
    /// How Docker is.
    host: Host,
    /// A message from the form before.
    flash: Option<String>,
    /// A form that came back.
    form: FormState,
    /// The page.
    page: Page,
) -> impl IntoView {
    let path = request::uri().path().to_owned();
    let links = |places: &[(&'static str, &'static str, Name)]| {
        places
            .iter()
            .map(|&(href, text, icon)| {
                let current = is_current(href, &path).then_some("page");
                view! { <li><a href=href aria-current=current><Icon name=icon/>{text}</a></li> }
            })
            .collect_view()
    };
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="shell">
            <header class="topbar">
                <button class="button" type="button" popovertarget="nav"><Icon name=Name::Menu/>"Menu"</button>
                <Brand/>
            </header>
            <nav class="side" id="nav" popover="auto" aria-label="Main">
                <div class="side-head">
                    <Brand/>
                    <button class="button quiet narrow" type="button" popovertarget="nav" popovertargetaction="hide" aria-label="Close menu">
                        <Icon name=Name::Close/>
                    </button>
                </div>
                <ul class="plain">{links(&PLACES)}</ul>
                <ul class="plain">{links(&MACHINERY)}</ul>
                <div class="side-foot">
                    <Themes/>
                    <div class="row">
                        <p class="who"><Icon name=Name::User/>{actor.username}</p>
                        <Form to=SignOut::PATH class="row" flat=true><Submit text="Sign out" class="quiet" icon=Name::SignOut/></Form>
                    </div>
                </div>
            </nav>
            <main class="main" id="main" tabindex="-1">
                <DockerBanner docker=host.docker/>
                <Above flash form/>
                {page.body}
            </main>
        </div>
    }
}

/// The frame of sign-in, set-up, and of errors for strangers.
#[component]
pub fn Plain(
    /// A message from the form before.
    flash: Option<String>,
    /// A form that came back.
    form: FormState,
    /// The page.
    page: Page,
) -> impl IntoView {
    view! {
        <main class="alone" id="main">
            <Brand/>
            <Above flash form/>
            {page.body}
        </main>
    }
}

#[component]
fn Brand() -> impl IntoView {
    view! {
        <a class="brand" href=paths::OVERVIEW>
            <svg class="mark" aria-hidden="true" focusable="false" width="20" height="20" viewBox="0 0 20 20">
                <path d="M3 3v9l14 5V8z" fill="currentColor"></path>
                <path d="M3 15v2h6" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round"></path>
            </svg>
            "Slipway"
        </a>
    }
}

/// Three buttons that work without script; the choice is a cookie.
#[component]
fn Themes() -> impl IntoView {
    let chosen = request::cookie("theme").unwrap_or_default();
    let buttons = [("", "Auto")]
        .into_iter()
        .chain(THEMES)
        .map(|(value, text)| {
            let pressed = if value == chosen { "true" } else { "false" };
            view! { <button type="submit" name="theme" value=value aria-pressed=pressed>{text}</button> }
        })
        .collect_view();
    view! {
        <Form to=SetTheme::PATH class="segments" flat=true>
            <div role="group" aria-label="Theme">{buttons}</div>
        </Form>
    }
}

/// What the form before said, and what is wrong with a form that came back.
#[component]
fn Above(flash: Option<String>, form: FormState) -> impl IntoView {
    view! {
        <ErrorSummary form/>
        {flash.map(|message| view! { <p class="flash" role="status"><Icon name=Name::Check/>{message}</p> })}
    }
}

/// Why nothing can be built or deployed now, on every page.
#[component]
fn DockerBanner(docker: DockerState) -> impl IntoView {
    let link = || view! { <p><a href=paths::SETTINGS>"Open Settings"</a></p> };
    match docker {
        DockerState::Unknown | DockerState::Ready => None,
        DockerState::Unreachable { reason } => {
            Some(view! { <Note tone="bad" title="Docker can't be reached."><p>{reason}</p>{link()}</Note> }.into_any())
        }
        DockerState::NoSwarm { .. } => Some(
            view! {
                <Note tone="warn" title="Docker isn't in Swarm mode.">
                    <p>"Builds work, but nothing can be deployed until Swarm mode is on."</p>
                    <p><a href=format!("{}#swarm", paths::SETTINGS)>"Start Swarm mode in Settings"</a></p>
                </Note>
            }
            .into_any(),
        ),
        DockerState::NotManager => Some(
            view! {
                <Note tone="warn" title="This machine is a worker of its Swarm.">
                    <p>"Only a manager can deploy. Run Slipway on a manager, or promote this node there."</p>
                    {link()}
                </Note>
            }
            .into_any(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::is_current;

    #[test]
    fn a_page_belongs_to_one_place() {
        assert!(is_current("/", "/"));
        assert!(is_current("/services", "/deployments/dep_1"));
        assert!(is_current("/services", "/services/new"));
        assert!(!is_current("/", "/services"));
    }
}
