//! Importing from what Docker's tools keep: paste or upload.

use crate::api::credentials::ReadLogins;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, FileField, Form, PageHead, Submit, TextArea};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    request::signed_in()?;
    Ok(Page::new(
        "Import credentials",
        view! {
            <PageHead title="Import credentials" under=(paths::CREDENTIALS.into(), "Credentials".into())/>
            <Card title="What you have from Docker">
                <p class="muted">
                    "A docker login command, or the file ~/.docker/config.json. Nothing in it is executed: credential helpers are \
                     named and left alone. Next you choose what is imported."
                </p>
                <Form to=ReadLogins::PATH upload=true>
                    <TextArea field="secret_text" label="Command or file content" rows=8
                        hint="docker login -u ada -p … ghcr.io, or {\"auths\": …}. It is kept encrypted for half an hour at most."/>
                    <FileField field="secret_file" label="Or choose the file" hint="config.json, up to 256 KiB."/>
                    <Submit text="Find logins" class="primary"/>
                </Form>
            </Card>
        },
    ))
}
