//! What is known of a build in words.

use crate::islands::live::FACTS;
use crate::model::build::Build;
use crate::model::build_record::{RecipeKind, Trigger};
use crate::paths;
use crate::ui::{Age, Card, Digest, Fact, Facts, Reference, time};
use leptos::prelude::*;

/// The card; what becomes known while the job runs is fetched anew by its id. `branch` is the one of the service, for a
/// build that hasn't looked yet.
pub fn card(build: &Build, branch: Option<String>, registry: Option<String>) -> impl IntoView + use<> {
    let trigger = trigger(&build.trigger);
    let builder = build.builder.clone();
    let muted = |text: &'static str| view! { <span class="muted">{text}</span> }.into_any();
    let commit = match &build.commit {
        Some(commit) => view! {
            <code>{commit.to_string()}</code>
            {build.commit_subject.clone().map(|subject| view! { <br/>{subject} })}
            {build.commit_author.clone().map(|author| view! { <span class="muted">" by " {author}</span> })}
        }
        .into_any(),
        None => muted("Known once the branch was looked up."),
    };
    let branch = build.branch.as_ref().map(ToString::to_string).or(branch);
    let reference = match &build.reference {
        Some(reference) => view! { <Reference reference=reference.to_string()/> }.into_any(),
        None => muted("Known with the commit."),
    };
    let digest = match &build.digest {
        Some(digest) => view! { <Digest digest=digest.to_string()/> }.into_any(),
        None if build.state.is_final() => muted("Nothing was pushed."),
        None => muted("Known after the push."),
    };
    let registry_page = paths::registry(&build.registry);
    let registry = match registry {
        Some(name) => view! { <a href=registry_page>{name}</a> }.into_any(),
        None => muted("Deleted since."),
    };
    let record = build.record.clone().unwrap_or_default();
    let recipe = match record.recipe {
        RecipeKind::Repository => None,
        RecipeKind::Typed => Some("Typed into the service's form, not the repository's"),
        RecipeKind::Static => Some("A web server with a folder of the repository"),
    };
    let emulated: Vec<String> = record.emulated.iter().map(ToString::to_string).collect();
    let emulated = (!emulated.is_empty()).then(|| emulated.join(", "));
    let cache = if build.no_cache { Some("Not used, as asked for.".to_owned()) } else { record.cache_words() };
    let (asked_by, created, took) = (build.asked_by.clone(), build.created, time::took(build.started, build.finished));
    let then = if build.deploys { "Deploy it" } else { "Nothing: build only" };
    view! {
        <Card title="Facts" id=FACTS>
            <Facts>
                <Fact name="Commit">{commit}</Fact>
                {branch.map(|branch| view! { <Fact name="Branch"><code>{branch}</code></Fact> })}
                <Fact name="Why">{trigger}</Fact>
                {recipe.map(|recipe| view! { <Fact name="Dockerfile">{recipe}</Fact> })}
                {builder.map(|builder| view! { <Fact name="Builder">{builder}</Fact> })}
                {emulated.map(|platforms| view! { <Fact name="By emulation">{platforms} " (slower than on a machine of its own kind)"</Fact> })}
                <Fact name="Registry">{registry}</Fact>
                <Fact name="Pushed as">{reference}</Fact>
                <Fact name="Digest">{digest}</Fact>
                {cache.map(|cache| view! { <Fact name="Cache">{cache}</Fact> })}
                <Fact name="Afterwards">{then}</Fact>
                <Fact name="Asked by">{asked_by} ", " <Age millis=created/></Fact>
                <Fact name="Took">{took}</Fact>
            </Facts>
        </Card>
    }
}

fn trigger(trigger: &Trigger) -> AnyView {
    match trigger {
        Trigger::Retry { of, .. } => view! { <a href=paths::build(of)>{trigger.words()}</a> }.into_any(),
        _ => trigger.words().into_any(),
    }
}
