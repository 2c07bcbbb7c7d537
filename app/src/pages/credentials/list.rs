//! All credentials.

use crate::pages::{Page, PageResult};
use crate::ui::table::{col, wide};
use crate::ui::{Age, Badge, Card, Empty, Icon, Name, PageHead, Table, Tone};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let credentials = backend.credentials.list(&actor).await?;
    let content = if credentials.is_empty() {
        view! {
            <Empty
                title="No credentials yet"
                why="A credential says how to sign in at one registry host. It is tested when you save it."
                action=(paths::NEW_CREDENTIAL.into(), "Create a credential")
            />
        }
        .into_any()
    } else {
        let rows = credentials
            .into_iter()
            .map(|credential| {
                let badge = super::badge(&credential);
                let owned = credential.owned_by.is_some().then(|| view! { <Badge tone=Tone::Idle text="Of a registry"/> });
                view! {
                    <tr>
                        <td><span class="row"><a href=paths::credential(&credential.id)>{credential.name}</a>{owned}</span></td>
                        <td class="key"><code>{credential.url.host.to_string()}</code></td>
                        <td class="wide">{credential.provider.name()}</td>
                        <td class="wide">{credential.username}</td>
                        <td>{badge}</td>
                        <td class="wide"><Age seconds=credential.checked_at/></td>
                    </tr>
                }
            })
            .collect_view();
        let columns =
            vec![col("Credential"), col("Host"), wide("Provider"), wide("User name"), col("State"), wide("Tested")];
        view! { <Table name="Credentials" columns=columns>{rows}</Table> }.into_any()
    };
    Ok(Page::new(
        "Credentials",
        view! {
            <PageHead title="Credentials">
                <a class="button" href=paths::IMPORT_CREDENTIALS>"Import from Docker"</a>
                <a class="button primary" href=paths::NEW_CREDENTIAL><Icon name=Name::Plus/>"New credential"</a>
            </PageHead>
            <Card title="All credentials" flush=true>{content}</Card>
        },
    ))
}
