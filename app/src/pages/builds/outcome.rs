//! What came out of a build: the images, what was found on the way, what was pushed with them.

use crate::islands::copy::Copy;
use crate::model::build_record::{Attestation, BuildRecord, BuildWarning, PlatformImage};
use crate::model::id::BuildId;
use crate::model::platform::Platform;
use crate::model::text;
use crate::paths;
use crate::ui::icon::{self, Name};
use crate::ui::table::{Column, Table, col, wide};
use crate::ui::{Badge, Card, Tone};
use leptos::prelude::*;

/// Cards of all that there is.
pub fn cards(id: &BuildId, record: BuildRecord) -> impl IntoView + use<> {
    let BuildRecord { platforms, emulated, warnings, attestations, .. } = record;
    view! {
        {(!platforms.is_empty()).then(|| images(platforms, &emulated))}
        {(!warnings.is_empty()).then(|| found(warnings))}
        {(!attestations.is_empty()).then(|| attested(id, attestations))}
    }
}

const SIZE: Column = Column { name: "Size", class: "num" };

fn images(platforms: Vec<PlatformImage>, emulated: &[Platform]) -> impl IntoView + use<> {
    let rows = platforms
        .into_iter()
        .map(|PlatformImage { platform, digest, bytes }| {
            let by_emulation = emulated.contains(&platform);
            let name = format!("Copy the digest for {platform}");
            view! {
                <tr>
                    <td>
                        {platform.to_string()}
                        {by_emulation.then(|| view! { " " <Badge tone=Tone::Warn text="Emulated"/> })}
                    </td>
                    <td class="wide text">
                        <span class="long"><code>{digest.to_string()}</code><Copy text=digest.to_string() name=name icon=icon::href(Name::Copy)/></span>
                    </td>
                    <td class="num">{text::bytes(bytes)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("Platform"), wide("Digest"), SIZE];
    view! { <Card title="Images" flush=true><Table name="Images" columns=columns>{rows}</Table></Card> }
}

fn found(warnings: Vec<BuildWarning>) -> impl IntoView + use<> {
    let count = text::count(u64::try_from(warnings.len()).unwrap_or(0), "warning");
    let rows = warnings
        .into_iter()
        .map(|BuildWarning { text, line, url }| {
            let line = line.map_or_else(|| "–".to_owned(), |line| line.to_string());
            let more = url.map(|url| view! { " " <a href=url rel="noreferrer">"What it means"</a> });
            view! { <tr><td>{line}</td><td class="text">{text}{more}</td></tr> }
        })
        .collect_view();
    let columns = vec![col("Line"), col("Warning")];
    let count = view! { <span class="muted">{count}</span> }.into_any();
    view! {
        <Card title="What BuildKit says of the Dockerfile" flush=true actions=count>
            <Table name="Warnings" columns=columns>{rows}</Table>
        </Card>
    }
}

fn attested(id: &BuildId, attestations: Vec<Attestation>) -> impl IntoView + use<> {
    let rows = attestations
        .into_iter()
        .enumerate()
        .map(|(position, attestation)| {
            let page = paths::attestation(id, position);
            view! {
                <tr>
                    <td><a href=page>{attestation.kind()} " for " {attestation.platform.to_string()}</a></td>
                    <td class="wide text"><code>{attestation.predicate}</code></td>
                    <td class="num">{text::bytes(attestation.bytes)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![col("Attestation"), wide("Kind"), SIZE];
    view! { <Card title="Attestations" flush=true><Table name="Attestations" columns=columns>{rows}</Table></Card> }
}
