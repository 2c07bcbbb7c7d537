//! First run: creates the owner with the token from the log, once. No script at all.

use super::{Instead, Page, PageResult};
use crate::api::accounts::SetUp;
use crate::model::account::PASSWORD_MIN;
use crate::ui::{Field, Form, SecretField, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    if !request::backend().accounts.needs_setup().await? {
        return Err(Instead::See(paths::SIGN_IN.into()));
    }
    let rule = format!("At least {PASSWORD_MIN} characters; a few random words are good.");
    Ok(Page::new(
        "Set up",
        view! {
            <h1>"Set up Slipway"</h1>
            <p class="muted">
                "Nobody has an account yet. The log of the first start shows a setup token: it proves that this server is yours."
            </p>
            <Form to=SetUp::PATH>
                // Not a password field: password managers would take it for the password.
                <Field field="token" label="Setup token" mono=true required=true
                    hint="Lost it? Start Slipway again: it prints a new one."/>
                <Field field="username" label="User name" autocomplete="username" required=true/>
                <SecretField field="password" label="Password" autocomplete="new-password" required=true hint=rule/>
                <SecretField field="repeat" label="Repeat password" autocomplete="new-password" required=true/>
                <Submit text="Create owner" class="primary"/>
            </Form>
        },
    ))
}
