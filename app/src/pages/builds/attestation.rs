//! An attestation that was pushed with a build's image: the facts first, then all of it.

use super::statement::{facts, pretty};
use crate::error::AppError;
use crate::model::build::Build;
use crate::model::build_record::Attestation;
use crate::model::id::BuildId;
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::icon::{Icon, Name};
use crate::ui::{Card, Digest, Fact, Facts, Note, PageHead};
use crate::{paths, request};
use leptos::prelude::*;

/// Bytes that the page shows; the download has all.
const SHOWN: usize = 400_000;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: BuildId = request::id("build")?;
    let build = backend.builds.get(&actor, &id).await?;
    let missing = || AppError::NotFound("attestation".into());
    let position: usize = request::param("position").and_then(|text| text.parse().ok()).ok_or_else(missing)?;
    let record = build.record.clone().unwrap_or_default();
    let attestation = record.attestations.into_iter().nth(position).ok_or_else(missing)?;
    let statement = backend.builds.statement(&actor, &id, position).await?;

    let title = format!("{} for {}", attestation.kind(), attestation.platform);
    let download = statement.is_some().then(|| {
        view! { <a class="button small" href=paths::attestation_text(&id, position) download=""><Icon name=Name::Download/>"Download"</a> }
    });
    let content = match &statement {
        Some(statement) => whole(statement),
        None => elsewhere(&build, &attestation),
    };
    let under = (paths::build(&id), format!("{} build {}", build.service_name, build.number));
    let told = statement.as_deref().map(facts).unwrap_or_default();
    let told = told
        .into_iter()
        .map(|(name, values)| {
            let values = values.into_iter().map(|value| view! { <div>{value}</div> }).collect_view();
            view! { <Fact name=name>{values}</Fact> }
        })
        .collect_view();
    Ok(Page::new(
        format!("{title}, build {}", build.number),
        view! {
            <PageHead title=title under=under>{download}</PageHead>
            <Card title="Facts">
                <Facts>
                    {told}
                    <Fact name="Predicate"><code>{attestation.predicate.clone()}</code></Fact>
                    <Fact name="Statement"><Digest digest=attestation.digest.to_string()/></Fact>
                    <Fact name="Size">{text::bytes(attestation.bytes)}</Fact>
                </Facts>
            </Card>
            {content}
        },
    ))
}

fn whole(statement: &str) -> AnyView {
    let mut text = pretty(statement);
    let is_cut = text.len() > SHOWN;
    if is_cut {
        text.truncate(text.floor_char_boundary(SHOWN));
    }
    view! {
        <Card title="The whole statement" flush=true>
            <pre class="statement" tabindex="0" aria-label="The whole statement">{text}</pre>
            {is_cut.then(|| view! { <p class="foot muted">"This is its beginning; the download has all of it."</p> })}
        </Card>
    }
    .into_any()
}

fn elsewhere(build: &Build, attestation: &Attestation) -> AnyView {
    let image = build.reference.clone().map(|reference| format!("{}/{}", reference.host, reference.repository));
    let digest = build.digest.as_ref().map(ToString::to_string);
    let kind = if attestation.kind() == "Provenance" { "Provenance" } else { "SBOM" };
    let command = image.zip(digest).map(|(image, digest)| {
        format!("docker buildx imagetools inspect {image}@{digest} --format \"{{{{ json .{kind} }}}}\"")
    });
    view! {
        <Note tone="info" title="The statement itself isn't kept here: it is large, or of a build long ago.">
            <p>"The registry has it."</p>
            {command.map(|command| view! { <p><code>{command}</code></p> })}
        </Note>
    }
    .into_any()
}
