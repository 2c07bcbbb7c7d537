//! All builders.

use crate::islands::refresh::Refresh;
use crate::model::builder::{Builder, BuilderState};
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::table::{Column, col, wide};
use crate::ui::{Age, Card, Icon, Name, PageHead, Table};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let builders = backend.builders.list(&actor).await?;
    let whole = builders.iter().map(|builder| builder.which.to_string()).collect::<Vec<_>>().join(" ");
    let rows = builders.iter().map(row).collect_view();
    let columns = vec![
        col("Builder"),
        wide("Kind"),
        wide("Platforms"),
        Column { name: "Cache", class: "wide num" },
        col("State"),
        wide("Looked"),
    ];
    Ok(Page::new(
        "Builders, Settings",
        view! {
            <PageHead title="Builders" under=(paths::SETTINGS.into(), "Settings".into())>
                <Refresh parts="builders".to_owned()/>
                <a class="button primary" href=paths::NEW_BUILDER><Icon name=Name::Plus/>"New builder"</a>
            </PageHead>
            <Card title="What runs builds" flush=true>
                <div id="builders" data-page=whole><Table name="Builders" columns=columns>{rows}</Table></div>
                <p class="foot hint">
                    "A build goes to the builder that its service names, else to one that needs no emulation for its platforms, this engine first."
                </p>
            </Card>
        },
    ))
}

fn row(builder: &Builder) -> impl IntoView + use<> {
    let why = match &builder.state {
        BuilderState::Fails(problem) => Some(problem.cause.clone()),
        _ => None,
    };
    let disk = builder.disk.map_or_else(|| "–".to_owned(), text::bytes);
    let looked = match builder.looked_at {
        0 => "Never".into_any(),
        seconds => view! { <Age seconds/> }.into_any(),
    };
    let platforms = match super::platforms(builder) {
        text if text.is_empty() => "–".to_owned(),
        text => text,
    };
    view! {
        <tr>
            <td>
                <a href=paths::builder(&builder.which)>{builder.name.clone()}</a>
                {why.map(|why| view! { <span class="hint">{why}</span> })}
            </td>
            <td class="wide">{super::kind(builder.kind)}</td>
            <td class="wide">{platforms}</td>
            <td class="wide num">{disk}</td>
            <td>{super::badge(builder)}</td>
            <td class="wide">{looked}</td>
        </tr>
    }
}
