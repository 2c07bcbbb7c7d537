//! A managed registry's user and password, for whoever signs in by hand. Opening the page is what asks for them.

use super::find_managed;
use crate::islands::copy::Copy;
use crate::pages::{Page, PageResult};
use crate::ui::icon::{self, Name};
use crate::ui::{Card, Fact, Facts, PageHead};
use crate::{paths, request};
use leptos::prelude::*;

/// The page.
pub async fn show() -> PageResult {
    let (id, registry, _) = find_managed().await?;
    let (actor, backend) = request::signed_in()?;
    let (user, password) = backend.registries.reveal(&actor, &id).await?;
    let shown = password.expose("somebody who may asked to see it").to_owned();
    let login = format!("docker login {} --username {user}", registry.host);
    let title = format!("Password of {}", registry.name);
    Ok(Page::new(
        format!("{title}, Registries"),
        view! {
            <PageHead title=title under=(paths::registry(&id), registry.name.clone())/>
            <Card title="To sign in by hand">
                <Facts>
                    <Fact name="User name"><code>{user}</code></Fact>
                    <Fact name="Password">
                        <span class="long"><code>{shown.clone()}</code><Copy text=shown name="Copy the password".to_owned() icon=icon::href(Name::Copy)/></span>
                    </Fact>
                    <Fact name="Command">
                        <span class="long"><code>{login.clone()}</code><Copy text=login name="Copy the command".to_owned() icon=icon::href(Name::Copy)/></span>
                    </Fact>
                </Facts>
                <p class="hint">"The command asks for the password: so it stands in no history. It is on record that you looked."</p>
                <p><a class="button" href=paths::registry(&id)>"Back to the registry"</a></p>
            </Card>
        },
    ))
}
