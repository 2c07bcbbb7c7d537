//! A new service: from git, or of an image that is there already.

use super::{form, no_registry};
use crate::api::builds::CheckForm;
use crate::api::services::CreateService;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Form, PageHead};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let projects = backend.services.projects(&actor).await?;
    let is_image = request::query("kind").is_some_and(|kind| kind == "image");
    let card = if is_image {
        let credentials = backend.credentials.list(&actor).await?;
        view! {
            <Card title="A service of an image">
                <Form to=CreateService::PATH>{form::image(None, &credentials, projects)}</Form>
            </Card>
        }
        .into_any()
    } else {
        let registries = backend.registries.list(&actor).await?;
        let accesses = backend.git_accesses.list(&actor).await?;
        view! {
            {no_registry(&registries)}
            <Card title="A service from git">
                <Form to=CreateService::PATH also=CheckForm::PATH>
                    {form::git(None, &registries, &accesses, projects)}
                </Form>
            </Card>
        }
        .into_any()
    };
    let kind = |href: &'static str, text: &'static str, is_here: bool| {
        view! { <a class="button" href=href aria-current=is_here.then_some("page")>{text}</a> }
    };
    Ok(Page::new(
        "New service",
        view! {
            <PageHead title="New service"/>
            <nav class="row" aria-label="Where it comes from">
                {kind(paths::NEW_SERVICE, "From git", !is_image)}
                {kind(paths::NEW_IMAGE_SERVICE, "From an image", is_image)}
            </nav>
            {card}
        },
    ))
}
