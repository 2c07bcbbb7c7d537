//! How a service's images are built: arguments, secrets, platforms, builder, cache, attestations.

use crate::api::services::ChangeBuild;
use crate::error::AppError;
use crate::model::build_form::secret_field;
use crate::model::build_options::{BuildOptions, CacheKind};
use crate::model::id::ServiceId;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Checkbox, Field, Form, PageHead, Select, Submit, TextArea};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// How many secrets can be added at once.
const NEW: usize = 2;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: ServiceId = request::id("service")?;
    let service = backend.services.get(&actor, &id).await?;
    // Nothing of an image that is there already is built.
    let options = service.source.git().map(|source| source.build.clone());
    let options = options.ok_or_else(|| AppError::NotFound("page".into()))?;
    let automatic = (String::new(), "Automatic: one that fits the platforms".to_owned());
    let added = backend.builders.list(&actor).await?.into_iter().filter_map(|builder| {
        let id = builder.which.id()?.to_string();
        Some((id, builder.name))
    });
    let builders = std::iter::once(automatic).chain(added).collect();
    let hidden = vec![("id", id.to_string()), ("version", service.version.to_string())];
    Ok(Page::new(
        format!("Build settings, {}, Services", service.name),
        view! {
            <PageHead title="Build settings" under=(paths::service(&id), service.name.clone())/>
            <Card title="Settings of the next build">
                <Form to=ChangeBuild::PATH hidden=hidden>{fields(options, builders)}</Form>
            </Card>
        },
    ))
}

fn fields(options: BuildOptions, builders: Vec<(String, String)>) -> impl IntoView {
    let args = options.args.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n");
    let platforms = options.platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let builder = options.builder.as_ref().map(ToString::to_string).unwrap_or_default();
    let caches = CacheKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.words().to_owned())).to_vec();
    view! {
        <fieldset>
            <legend>"Arguments"</legend>
            <TextArea field="args" label="Build arguments" value=args
                hint="One NAME=value a line, for ARG NAME in the Dockerfile. Everybody can read them in the image's history: what is \
                      secret belongs below."/>
        </fieldset>
        {secrets(&options.secrets)}
        <fieldset>
            <legend>"Where and for what"</legend>
            <Field field="platforms" label="Platforms" mono=true value=platforms
                hint="With commas, like linux/amd64, linux/arm64; empty: those of the registry."/>
            <div class="pair">
                <Select field="builder" label="Builder" options=builders value=builder/>
                <Select field="cache" label="Cache" options=caches value=options.cache.as_str()
                    hint="What a later build can use again."/>
            </div>
        </fieldset>
        <fieldset>
            <legend>"Pushed with the image"</legend>
            <Checkbox field="sbom" label="Bill of materials" checked=options.sbom
                hint="Which packages are inside (SBOM). Takes longer, and needs a scanner's image from Docker Hub."/>
            <Checkbox field="provenance" label="Record of how it was made" checked=options.provenance
                hint="Source, base images, arguments and steps (provenance). Names of secrets are in it, values aren't."/>
        </fieldset>
        <Submit text="Save build settings" class="primary"/>
    }
}

/// Values go in and never come out.
fn secrets(kept: &[String]) -> impl IntoView + use<> {
    let count = kept.len();
    let kept = kept
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let hidden = |part: &str| format!("form[{}]", secret_field(index, part));
            view! {
                <fieldset>
                    <legend>{name.clone()}</legend>
                    <input type="hidden" name=hidden("name") value=name.clone()/>
                    <input type="hidden" name=hidden("kept") value="yes"/>
                    <TextArea field=secret_field(index, "secret") label="New value" rows=2
                        hint="Leave empty to keep the one that is stored."/>
                    <Checkbox field=secret_field(index, "remove") label="Remove this secret"/>
                </fieldset>
            }
        })
        .collect_view();
    let new = (count..count + NEW)
        .map(|index| {
            let title = if index == count { "A new secret" } else { "Another one" };
            view! {
                <fieldset>
                    <legend>{title}</legend>
                    <Field field=secret_field(index, "name") label="Name" mono=true/>
                    <TextArea field=secret_field(index, "secret") label="Value" rows=2 hint="One line or many."/>
                </fieldset>
            }
        })
        .collect_view();
    view! {
        <fieldset>
            <legend>"Secrets"</legend>
            <p class="hint">
                "A command reads one as the file /run/secrets/NAME, with "
                <code>"RUN --mount=type=secret,id=NAME"</code>
                ". Values are stored encrypted and never shown; they are in no layer, history, cache or log."
            </p>
            {kept}
            {new}
            <p class="hint">"Save to add more."</p>
        </fieldset>
    }
}
