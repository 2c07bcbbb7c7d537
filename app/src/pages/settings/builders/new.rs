//! A new builder: first what kind, then its form.

use super::fields;
use crate::api::builders::CreateBuilder;
use crate::model::builder::BuilderKind;
use crate::pages::{Page, PageResult};
use crate::request::FormState;
use crate::ui::{Card, Form, PageHead, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    request::signed_in()?;
    // A form that came back is shown as what it was, whatever the address says.
    let form = use_context::<FormState>().filter(|form| form.action == CreateBuilder::PATH);
    let typed = form.and_then(|form| form.value("kind"));
    let kind = typed.or_else(|| request::query("kind")).and_then(|text| text.parse().ok());
    Ok(match kind {
        Some(kind @ (BuilderKind::Container | BuilderKind::Remote)) => form_page(kind),
        _ => tiles(),
    })
}

fn form_page(kind: BuilderKind) -> Page {
    let (title, about) = match kind {
        BuilderKind::Remote => (
            "Machines elsewhere",
            "Each platform is built on a machine that runs it natively. This is the first one; add more on the builder's page.",
        ),
        _ => (
            "A container on this engine",
            "BuildKit in a container of its own, with its own cache and caps. It makes images for several platforms, whatever this engine's image store is.",
        ),
    };
    let hidden = vec![("form[kind]", kind.as_str().to_owned())];
    Page::new(
        "New builder, Settings",
        view! {
            <PageHead title="New builder" under=(paths::NEW_BUILDER.into(), "All kinds".into())/>
            <Card title=title>
                <p class="muted">{about}</p>
                <Form to=CreateBuilder::PATH hidden=hidden>
                    {fields::builder(kind, None)}
                    {(kind == BuilderKind::Remote).then(fields::machine)}
                    <Submit text="Save builder" class="primary"/>
                </Form>
            </Card>
        },
    )
}

fn tiles() -> Page {
    let tile = |kind: BuilderKind, name: &'static str, about: &'static str| {
        view! {
            <li>
                <a class="tile" href=paths::new_builder(kind)>
                    <span class="name">{name}</span>
                    <span class="hint">{about}</span>
                </a>
            </li>
        }
    };
    Page::new(
        "New builder, Settings",
        view! {
            <PageHead title="New builder" under=(paths::BUILDERS.into(), "Builders".into())/>
            <Card title="Where does it build?">
                <ul class="tiles">
                    {tile(BuilderKind::Container, "A container on this engine", "With caps for processor and memory, and a cache of its own.")}
                    {tile(BuilderKind::Remote, "Machines elsewhere", "By SSH or TCP with TLS; one for each platform, so that nothing has to be emulated.")}
                </ul>
            </Card>
        },
    )
}
