//! What a tag or digest leads to: platforms, layers, configuration, what is attached, and how to pull it.

use super::{Purpose, asked, look_now, place, platforms, reference_at, runs_in_links};
use crate::api::images::Place;
use crate::error::AppError;
use crate::islands::copy::Copy;
use crate::model::image::{Attestation, Fit, Image};
use crate::model::image_ref::ImageRef;
use crate::model::platform::Platform;
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::{Age, Card, Digest, Empty, Fact, Facts, Note, PageHead, icon, note};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let (place, purpose, reference) = (place()?, Purpose::asked(), asked("reference"));
    let typed = reference_at(&place, &reference).ok_or_else(|| AppError::NotFound("image".into()))?;
    let known = match backend.images.image(&actor, &place, &reference, false).await {
        Err(AppError::NotFound(_)) => Ok(None),
        known => known,
    };
    let pinned = match &known {
        Ok(Some(image)) => ImageRef { tag: typed.tag.clone(), ..image.reference.clone() },
        _ => typed.clone(),
    };
    let content = match known {
        Ok(Some(image)) => {
            let fit = backend.images.fit(&actor, &image).await?;
            let runs_in = backend.images.runs_in(&actor, &place.host, &place.repository).await?;
            let same: Vec<_> = runs_in.into_iter().filter(|runs| runs.image.digest == image.reference.digest).collect();
            let runs_in = runs_in_links(&same).map(|links| view! { <Fact name="Runs in">{links}</Fact> });
            whole(image, &place, &fit, runs_in.into_any())
        }
        Ok(None) => unknown(&place, &typed),
        Err(error) => note::explain(&error),
    };
    let title = match &typed.tag {
        Some(tag) => format!("{}:{tag}", place.repository),
        None => place.repository.to_string(),
    };
    let host = view! { <span class="muted"><code>{place.host.to_string()}</code></span> }.into_any();
    let up = paths::repository(&place, &[purpose.pair()]);
    let look = look_now(&place, &reference);
    let use_it = paths::new_image_service(&pinned, place.credential.as_ref());
    let use_words = if purpose.is_service { "Use this image" } else { "Create a service from this" };
    Ok(Page::new(
        format!("{title}, Images"),
        view! {
            <PageHead title=title.clone() under=(up, "Tags".into()) badge=host>
                {look}
                <a class="button primary" href=use_it>{use_words}</a>
            </PageHead>
            {purpose.note()}
            {content}
        },
    ))
}

/// Nobody has looked at it yet.
fn unknown(place: &Place, typed: &ImageRef) -> AnyView {
    let why = format!("Slipway hasn't read {typed} yet. “Look now” asks {}.", place.host);
    view! {
        <Card title="Image" flush=true><Empty title="Not read yet" why=why/></Card>
        {pull(typed, None)}
    }
    .into_any()
}

fn whole(image: Image, place: &Place, fit: &Fit, runs_in: AnyView) -> AnyView {
    let Image { reference, media_type, platforms, attestations, annotations, at } = image;
    let digest = reference.digest.as_ref().map(ToString::to_string);
    let names: Vec<_> = platforms.iter().filter_map(|one| one.platform.as_ref()).map(ToString::to_string).collect();
    let created = platforms.iter().filter_map(|one| one.config.as_ref()?.created).max();
    let size = size_words(&platforms.iter().map(|one| one.size).collect::<Vec<_>>());
    let pull = pull(&reference, place.credential.is_some().then(|| place.host.to_string()));
    let cards = platforms::cards(platforms);
    view! {
        {fit_note(fit)}
        <Card title="Facts">
            <Facts>
                <Fact name="Image"><code>{reference.to_string()}</code></Fact>
                {digest.map(|digest| view! { <Fact name="Digest"><Digest digest/></Fact> })}
                <Fact name="Platforms">{platform_words(&names)}</Fact>
                <Fact name="Size">{size}</Fact>
                {created.map(|created| view! { <Fact name="Made"><Age seconds=created/></Fact> })}
                <Fact name="Media type"><code>{media_type}</code></Fact>
                <Fact name="Looked at"><Age seconds=at/></Fact>
                {runs_in}
            </Facts>
        </Card>
        {pull}
        {cards}
        {attached(attestations)}
        {(!annotations.is_empty()).then(|| view! { <Card title="Annotations">{platforms::pairs(annotations)}</Card> })}
    }
    .into_any()
}

/// What an image runs on, in words.
pub(super) fn platform_words(names: &[String]) -> String {
    if names.is_empty() { "None: this isn't an image that runs".into() } else { names.join(", ") }
}

/// One size, or from the smallest to the largest platform.
pub(super) fn size_words(sizes: &[u64]) -> String {
    match (sizes.iter().min(), sizes.iter().max()) {
        (Some(least), Some(most)) if least == most => text::bytes(*least),
        (Some(least), Some(most)) => format!("{} to {}, by platform", text::bytes(*least), text::bytes(*most)),
        _ => "–".into(),
    }
}

/// Warns when nodes can't run it.
pub(super) fn fit_note(fit: &Fit) -> Option<AnyView> {
    let list = |platforms: &[Platform]| platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (tone, title, words) = match fit {
        Fit::All | Fit::Unknown => return None,
        Fit::Some { missing } => (
            "warn",
            "Not every node can run this image.",
            format!("It has nothing for {}. The Swarm places its tasks on the other nodes.", list(missing)),
        ),
        Fit::None { nodes } => (
            "bad",
            "No node can run this image.",
            format!("The nodes are {}. Choose an image that is made for them, or add a node.", list(nodes)),
        ),
    };
    Some(view! { <Note tone=tone title=title><p>{words}</p></Note> }.into_any())
}

/// Commands to pull it by hand.
fn pull(reference: &ImageRef, sign_in_at: Option<String>) -> impl IntoView + use<> {
    let mut commands = Vec::new();
    if let Some(host) = sign_in_at {
        commands.push(("Sign in", format!("docker login {host}")));
    }
    if reference.digest.is_some() {
        commands.push(("Pull exactly this", format!("docker pull {reference}")));
    }
    if reference.tag.is_some() {
        let tagged = ImageRef { digest: None, ..reference.clone() };
        commands.push(("Pull what the tag leads to", format!("docker pull {tagged}")));
    }
    let facts = commands
        .into_iter()
        .map(|(name, command)| {
            let label = format!("Copy: {name}");
            view! {
                <Fact name=name>
                    <span class="long">
                        <code>{command.clone()}</code>
                        <Copy text=command name=label icon=icon::href(icon::Name::Copy)/>
                    </span>
                </Fact>
            }
        })
        .collect_view();
    view! { <Card title="Pull it by hand"><Facts>{facts}</Facts></Card> }
}

/// Provenance and bills of material: said to be there, not checked.
fn attached(attestations: Vec<Attestation>) -> Option<impl IntoView> {
    let rows = attestations
        .iter()
        .map(|Attestation { digest, kinds, size, .. }| {
            let kinds = if kinds.is_empty() { "Attestation".to_owned() } else { kinds.join(", ") };
            let (brief, whole, size) = (digest.brief(), digest.to_string(), text::bytes(*size));
            view! { <li><span class="what">{kinds}</span><code title=whole>{brief}</code><span class="num">{size}</span></li> }
        })
        .collect_view();
    (!attestations.is_empty()).then(|| {
        view! {
            <Card title="Attached">
                <p class="muted">"Attestations that the builder attached. Slipway shows that they are there and doesn't check them."</p>
                <ul class="layers">{rows}</ul>
            </Card>
        }
    })
}
