//! Changing a managed registry. What its images' names and places hang on stays as it is, and stands there as facts.

use super::{find_managed, managed_fields};
use crate::api::registries::UpdateManagedRegistry;
use crate::model::registry::Storage;
use crate::pages::{Page, PageResult};
use crate::paths;
use crate::ui::{Card, Fact, Facts, Form, PageHead};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (id, registry, of) = find_managed().await?;
    let hidden = vec![("id", id.to_string()), ("version", registry.version.to_string())];
    let title = format!("Edit {}", registry.name);
    let kept = match &of.storage {
        Storage::Volume { name } => {
            let name = name.clone();
            view! { <Fact name="Kept in">"Volume "<code>{name}</code></Fact> }.into_any()
        }
        Storage::S3(place) => {
            let place = place.clone();
            let prefix = if place.prefix.is_empty() { "none".to_owned() } else { place.prefix };
            let mut ways = Vec::new();
            for (is_on, words) in [
                (place.path_style, "path style"),
                (place.encrypt, "encrypted there"),
                (place.internal, "internal network"),
            ] {
                if is_on {
                    ways.push(words);
                }
            }
            let ways = (!ways.is_empty()).then(|| view! { <Fact name="And">{ways.join(", ")}</Fact> });
            view! {
                <Fact name="Bucket"><code>{place.bucket}</code></Fact>
                <Fact name="Prefix"><code>{prefix}</code></Fact>
                <Fact name="Region"><code>{place.region}</code></Fact>
                <Fact name="Endpoint">{place.endpoint.unwrap_or_else(|| "Amazon's own".to_owned())}</Fact>
                {ways}
            }
            .into_any()
        }
    };
    let address = registry.host.to_string();
    Ok(Page::new(
        format!("{title}, Registries"),
        view! {
            <PageHead title=title under=(paths::registry(&id), registry.name.clone())/>
            <Card title="What stays">
                <Facts>
                    <Fact name="Address"><code>{address}</code></Fact>
                    {kept}
                </Facts>
                <p class="hint">"Images don't move: for another place, create another registry and build to it."</p>
            </Card>
            <Card title="What can be changed">
                <p class="muted">"A change that the registry has to start anew for is probed; when that fails, what was before comes back."</p>
                <Form to=UpdateManagedRegistry::PATH hidden=hidden>{managed_fields::of(&registry, &of)}</Form>
            </Card>
        },
    ))
}
