//! What a push will be called, or which rule forbids it; and the button that tries the right to push there.
//!
//! The form has it for what is typed: the piece that its island asks for is rendered here too. Registries are asked when
//! somebody presses the button, never to show a page.

use crate::api::builds::{CheckForm, CheckPush, may_push};
use crate::error::AppError;
use crate::islands::push_preview::PushPreview;
use crate::model::push_name::{NameProblem, Named, Typed};
use crate::model::registry::Registry;
use crate::model::service::{GitSource, Service};
use crate::ui::{Form, Note, Submit, note};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The words on the button.
const CHECK: &str = "Check the right to push";

/// The piece: the name for what the query says, and with `check` whether it may be pushed. It asks its registry then, by a
/// GET as all pieces: our own pages alone get them, and an upload session that is cancelled leaves nothing.
pub async fn show() -> Result<AnyView, AppError> {
    let (actor, backend) = request::signed_in()?;
    let asked = |name: &str| request::query(name).unwrap_or_default();
    let typed = Typed {
        project: asked("project"),
        name: asked("name"),
        registry: asked("registry"),
        base_path: asked("base_path"),
        repository: asked("repository"),
        service: asked("service").parse().ok(),
    };
    let is_check = request::query("check").is_some();
    let named = typed.named(&backend.registries.list(&actor).await?);
    let outcome = match &named {
        Ok(_) if is_check => Some(match backend.builds.check_push(&actor, &typed).await {
            Ok(named) => view! { <Note tone="info" title=may_push(&named)/> }.into_any(),
            Err(error) => note::explain(&error),
        }),
        _ => None,
    };
    Ok(view! { {line(&named)}{outcome} }.into_any())
}

/// The name in the form, kept up to date where there is script, and the button.
pub fn in_form(typed: &Typed, registries: &[Registry]) -> AnyView {
    let service = typed.service.as_ref().map(ToString::to_string).unwrap_or_default();
    let address = format!("{}?service={service}", paths::PUSH_NAME);
    // In the order of the island's fields.
    let values = [&typed.project, &typed.name, &typed.registry, &typed.base_path, &typed.repository]
        .map(String::as_str)
        .join("\n");
    view! {
        <div class="preview" id="push-name" role="status" data-typed=values>{line(&typed.named(registries))}</div>
        <div class="row">
            <button class="button" id="push-check" type="submit" formaction=CheckForm::PATH>{CHECK}</button>
            <span class="hint">"Opens an upload at the registry, and cancels it. Nothing is saved or built."</span>
        </div>
        <PushPreview address/>
    }
    .into_any()
}

/// The name of a saved service, and the button.
pub fn of_service(service: &Service, source: &GitSource, registries: &[Registry]) -> AnyView {
    let named = Typed::of(service, source).named(registries);
    let name = match &named {
        Ok(named) => view! { <code id="push-preview">{named.shown()}</code>{requirement(named)} }.into_any(),
        Err(problem) => broken(problem),
    };
    let check = named.is_ok().then(|| {
        view! {
            <Form to=CheckPush::PATH class="row" flat=true hidden=vec![("service", service.id.to_string())]>
                <Submit text=CHECK/>
            </Form>
        }
    });
    view! { <div class="named">{name}{check}</div> }.into_any()
}

fn line(named: &Result<Named, NameProblem>) -> AnyView {
    match named {
        Ok(named) => view! {
            <p>"Pushed as "<code id="push-preview">{named.shown()}</code></p>
            {requirement(named)}
        }
        .into_any(),
        Err(problem) => broken(problem),
    }
}

fn requirement(named: &Named) -> Option<AnyView> {
    named.requirement.clone().map(|words| view! { <p class="hint">{words}</p> }.into_any())
}

/// Which rule; what is merely missing yet is no reproach.
fn broken(problem: &NameProblem) -> AnyView {
    let NameProblem { rule, cause, remedy } = problem.clone();
    if matches!(rule.as_str(), "missing" | "registry.none") {
        return view! { <p class="muted">{cause}" "{remedy}</p> }.into_any();
    }
    view! { <p data-rule=rule><b>{cause}</b>" "{remedy}</p> }.into_any()
}
