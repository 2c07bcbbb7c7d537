//! Sign in. No script at all.

use super::{Instead, Page, PageResult};
use crate::api::accounts::SignIn;
use crate::ui::{Field, Form, SecretField, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    if request::actor().is_some() {
        return Err(Instead::See(paths::OVERVIEW.into()));
    }
    if request::backend().accounts.needs_setup().await? {
        return Err(Instead::See(paths::SETUP.into()));
    }
    let next = request::query("next").map(|next| ("next", next)).into_iter().collect();
    Ok(Page::new(
        "Sign in",
        view! {
            <h1>"Sign in"</h1>
            <Form to=SignIn::PATH hidden=next>
                <Field field="username" label="User name" autocomplete="username" required=true/>
                <SecretField field="password" label="Password" autocomplete="current-password" required=true/>
                <Submit text="Sign in" class="primary"/>
            </Form>
            <p class="hint">
                "Forgot the password? On the server, run " <code>"slipway admin reset-password"</code> "."
            </p>
        },
    ))
}
