//! All registries.

use crate::pages::{Page, PageResult};
use crate::ui::table::{col, wide};
use crate::ui::{Badge, Card, Empty, Icon, Name, PageHead, Table, Tone};
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
                why="Builds push their images to a registry, and the Swarm pulls them from there. Without one, nothing can be built."
                action=(paths::NEW_REGISTRY.into(), "Create a registry")
            />
        }
        .into_any()
    } else {
        let rows = registries
            .into_iter()
            .map(|registry| {
                let place = match &registry.base_path {
                    Some(base) => format!("{}/{base}", registry.host),
                    None => registry.host.to_string(),
                };
                view! {
                    <tr>
                        <td>
                            <span class="row">
                                <a href=paths::registry(&registry.id)>{registry.name.clone()}</a>
                                {registry.is_default.then(|| view! { <Badge tone=Tone::Idle text="Default"/> })}
                            </span>
                        </td>
                        <td class="key"><code>{place}</code></td>
                        <td class="wide"><a href=paths::credential(&registry.credential)>{registry.credential_name.clone()}</a></td>
                        <td>{super::badge(&registry)}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![col("Registry"), col("Pushes to"), wide("Credential"), col("State")];
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
