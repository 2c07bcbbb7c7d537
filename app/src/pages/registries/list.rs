//! All registries.

use crate::model::registry::{ManagedStatus, Registry};
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::table::{Column, col, wide};
use crate::ui::{Card, Empty, Icon, ManagedBadge, Name, PageHead, Table};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let registries = backend.registries.list(&actor).await?;
    let content = if registries.is_empty() {
        view! {
            <Empty
                title="No registries yet"
                why="Builds push their images to a registry, and the Swarm pulls them from there. Slipway can run one for you."
                action=(paths::NEW_REGISTRY.into(), "Create a registry")
            />
        }
        .into_any()
    } else {
        let mut rows = Vec::with_capacity(registries.len());
        for registry in registries {
            let status = match registry.managed {
                Some(_) => Some(backend.registries.status(&actor, &registry.id).await?),
                None => None,
            };
            rows.push(row(&registry, status));
        }
        let columns = vec![
            col("Registry"),
            col("Pushes to"),
            wide("Run by"),
            Column { name: "Size", class: "wide num" },
            col("State"),
        ];
        view! { <Table name="Registries" columns=columns>{rows}</Table> }.into_any()
    };
    Ok(Page::new(
        "Registries",
        view! {
            <PageHead title="Registries">
                <a class="button primary" href=paths::NEW_REGISTRY><Icon name=Name::Plus/>"New registry"</a>
            </PageHead>
            <Card title="All registries" flush=true>{content}</Card>
        },
    ))
}

fn row(registry: &Registry, status: Option<ManagedStatus>) -> impl IntoView + use<> {
    let size = status.as_ref().and_then(|status| status.usage).map(|usage| text::bytes(usage.bytes));
    let run_by = match &registry.managed {
        Some(_) => "Slipway".into_any(),
        None => {
            let credential = paths::credential(&registry.credential);
            view! { "others, with "<a href=credential>{registry.credential_name.clone()}</a> }.into_any()
        }
    };
    let state = match (&registry.managed, status) {
        (Some(of), Some(status)) => view! { <ManagedBadge phase=of.phase state=status.state/> }.into_any(),
        _ => super::badge(registry),
    };
    view! {
        <tr>
            <td>
                <span class="row">
                    <a href=paths::registry(&registry.id)>{registry.name.clone()}</a>
                    {super::default_badge(registry)}
                </span>
            </td>
            <td class="key"><code>{super::place(registry)}</code></td>
            <td class="wide">{run_by}</td>
            <td class="wide num">{size.unwrap_or_else(|| "–".to_owned())}</td>
            <td>{state}</td>
        </tr>
    }
}
