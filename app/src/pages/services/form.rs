//! The service form, for new services and for edits: one for those from git, one for images.

use super::how::how;
use super::push_name;
use crate::islands::picker::Picker;
use crate::model::build_options::Recipe;
use crate::model::credential::Credential;
use crate::model::git_access::{AccessKind, GitAccess};
use crate::model::push_name::Typed;
use crate::model::registry::Registry;
use crate::model::service::{CredentialChoice, GitSource, Service};
use crate::model::tag_watch::WatchMode;
use crate::paths;
use crate::request::{self, FormState};
use crate::ui::field::id_of;
use crate::ui::{Choice, Choices, Field, Name, Select, Submit, TextArea};
use leptos::prelude::*;

/// Fields of a service that is built. `of` is the service that is edited.
pub fn git(
    of: Option<&Service>,
    registries: &[Registry],
    accesses: &[GitAccess],
    projects: Vec<String>,
) -> impl IntoView + use<> {
    let source = of.and_then(|of| of.source.git());
    let text = |value: Option<String>| value.unwrap_or_default();
    let project = text(of.map(|of| of.project_name.clone()));
    let name = text(of.map(|of| of.name.clone()));
    let registry = text(source.and_then(|source| source.registry.as_ref()).map(ToString::to_string));
    let repository = text(source.map(|source| source.repository.to_string()));
    let base = text(source.and_then(|source| source.base_path.as_ref()).map(ToString::to_string));

    let came_back = use_context::<FormState>().unwrap_or_default();
    let typed = Typed {
        project: came_back.value("project").unwrap_or(project),
        name: came_back.value("name").unwrap_or(name),
        registry: came_back.value("registry").unwrap_or_else(|| registry.clone()),
        base_path: came_back.value("base_path").unwrap_or_else(|| base.clone()),
        repository: came_back.value("repository").unwrap_or_else(|| repository.clone()),
        service: of.map(|of| of.id.clone()),
    };
    let preview = push_name::in_form(&typed, registries);
    let options = std::iter::once((String::new(), "Default registry".to_owned()))
        .chain(
            registries
                .iter()
                .map(|registry| (registry.id.to_string(), format!("{} ({})", registry.name, registry.host))),
        )
        .collect();
    view! {
        {what(of, projects)}
        <fieldset>
            <legend>"Where it comes from"</legend>
            <Field field="repository" label="Repository" mono=true required=true inputmode="url"
                value=repository
                hint="https://host/path, ssh://user@host/path or user@host:path."/>
            {access(source, accesses)}
            <Field field="branch" label="Branch" mono=true required=true
                value=source.map_or_else(|| "main".to_owned(), |source| source.branch.to_string())/>
        </fieldset>
        {recipe(source)}
        <fieldset>
            <legend>"Where its images go"</legend>
            <div class="pair">
                <Select field="registry" label="Registry" options=options value=registry/>
                <Field field="base_path" label="Base path" mono=true value=base hint="Empty: the registry's own, or the git repository's path where both are one provider's."/>
            </div>
            {preview}
        </fieldset>
        {how(of)}
        <Submit text="Save service" class="primary"/>
    }
}

/// How the repository is read; those that fit the one there is come first.
fn access(source: Option<&GitSource>, accesses: &[GitAccess]) -> impl IntoView + use<> {
    let chosen = source.and_then(|source| source.access.as_ref());
    let mut accesses: Vec<_> = accesses.iter().collect();
    accesses.sort_by_key(|access| !source.is_some_and(|source| access.fits(&source.repository)));
    let options = std::iter::once((String::new(), "None: it is public, or this server may read it".to_owned()))
        .chain(accesses.into_iter().map(|access| {
            let how = match access.kind {
                AccessKind::Token => "token",
                AccessKind::Key => "deploy key",
            };
            (access.id.to_string(), format!("{} ({how} for {})", access.name, access.host))
        }))
        .collect();
    view! {
        <Select field="access" label="Access" options=options value=chosen.map(ToString::to_string).unwrap_or_default()
            hint="How a private repository is read. Make one under Settings → Git access."/>
    }
}

/// What its image is built by. All fields are sent; those of the other ways are hidden where the style sheet can, and count for
/// nothing.
fn recipe(source: Option<&GitSource>) -> impl IntoView + use<> {
    let recipe = source.map(|source| source.build.recipe.clone()).unwrap_or_default();
    let chosen = recipe.as_str();
    let typed = if let Recipe::Typed { text } = &recipe { text.clone() } else { String::new() };
    let folder = if let Recipe::Static { folder } = &recipe { folder.to_string() } else { String::new() };
    let ways = [
        ("repository", "Dockerfile in the repository", "Built as the repository says."),
        ("typed", "Dockerfile typed here", "For a repository that has none."),
        ("static", "Static site", "A folder, served by the web server that Settings name."),
    ];
    let ways = ways.into_iter().map(|(value, title, hint)| Choice { value, title, hint: hint.into() }).collect();
    view! {
        <fieldset>
            <legend>"How it is built"</legend>
            <Choices field="recipe" label="Built by" options=ways value=chosen/>
            <div class="of-repository">
                <Field field="dockerfile" label="Dockerfile" mono=true
                    value=source.map_or_else(|| "Dockerfile".to_owned(), |source| source.dockerfile.to_string())
                    hint="Path inside the repository."/>
            </div>
            <div class="of-typed">
                <TextArea field="dockerfile_text" label="Text of the Dockerfile" value=typed rows=8
                    hint="COPY takes files of the build context."/>
            </div>
            <div class="of-context">
                <Field field="context" label="Build context" mono=true
                    value=source.map(|source| source.context.to_string()).unwrap_or_default()
                    hint="A folder inside the repository; empty: the repository itself."/>
            </div>
            <div class="of-static">
                <Field field="static_folder" label="Folder of the site" mono=true value=folder
                    hint="Path inside the repository, like public; empty: the repository itself."/>
            </div>
        </fieldset>
    }
}

/// Fields of a service whose image is there already. A new one is filled in from the address: `image`, `credential`.
pub fn image(of: Option<&Service>, credentials: &[Credential], projects: Vec<String>) -> impl IntoView + use<> {
    let source = of.and_then(|of| of.source.image());
    let image = match source {
        Some(source) => source.image.to_string(),
        None => request::query("image").unwrap_or_default(),
    };
    let credential = match source {
        Some(source) => source.credential.as_ref().map_or_else(none, ToString::to_string),
        None => request::query("credential").unwrap_or_default(),
    };
    let options = [
        (String::new(), "Automatic: the one of its registry, if there is one".to_owned()),
        (none(), "None (public image)".to_owned()),
    ]
    .into_iter()
    .chain(
        credentials
            .iter()
            .map(|credential| (credential.id.to_string(), format!("{} ({})", credential.name, credential.url.host))),
    )
    .collect();
    let deploy = of.is_none().then(|| {
        view! { <Submit text="Create and deploy" class="primary" icon=Name::Play send=("deploy", "yes")/> }
    });
    let class = if of.is_none() { "" } else { "primary" };
    // The picker without script, which comes back here.
    let search = of.is_none().then(|| {
        let to = paths::images("", None, &[("for", "service")]);
        view! { <p class="hint"><a href=to>"Search images"</a>" in all your registries"</p> }
    });
    view! {
        <input type="hidden" name="form[kind]" value="image"/>
        {what(of, projects)}
        <fieldset>
            <legend>"Where it comes from"</legend>
            <Field field="image" label="Image" mono=true required=true value=image
                hint="Type a part of its name, or a whole reference like ghcr.io/acme/web:1.4. Each deployment runs the digest that the tag leads to then; with @sha256:… \
                      behind, always that one."/>
            <Picker field=id_of("image") credential=id_of("credential") rows=paths::IMAGE_OPTIONS.to_owned()/>
            {search}
            <Select field="credential" label="Credential" options=options value=credential
                hint="How nodes sign in to pull it."/>
            <Select field="watch" label="When the tag leads to a new digest" options=watch() value=of.map(|of| of.watch.as_str()).unwrap_or_default()
                hint="The registry is asked every five minutes. A digest that didn't come up isn't deployed again by itself."/>
        </fieldset>
        {how(of)}
        <div class="row">
            {deploy}
            <Submit text="Save service" class=class/>
        </div>
    }
}

/// What may happen when somebody pushed something new under the tag.
fn watch() -> Vec<(String, String)> {
    let words = |mode: WatchMode| match mode {
        WatchMode::Off => "Nothing: nobody looks",
        WatchMode::Notify => "Say so here and on the overview",
        WatchMode::Deploy => "Deploy it",
    };
    WatchMode::ALL.into_iter().map(|mode| (mode.as_str().to_owned(), words(mode).to_owned())).collect()
}

fn none() -> String {
    CredentialChoice::NONE.to_owned()
}

/// Project and name.
fn what(of: Option<&Service>, projects: Vec<String>) -> impl IntoView + use<> {
    let project = of.map(|of| of.project_name.clone()).unwrap_or_default();
    let name = of.map(|of| of.name.clone()).unwrap_or_default();
    view! {
        <fieldset>
            <legend>"What it is"</legend>
            <div class="pair">
                <Field field="project" label="Project" value=project required=true suggest=projects
                    hint="A new name makes a new project."/>
                <Field field="name" label="Name" value=name required=true hint="What you call it, like “web”."/>
            </div>
        </fieldset>
    }
}
