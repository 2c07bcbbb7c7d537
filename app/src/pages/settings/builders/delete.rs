//! Deleting a builder: what will happen. Whether something stands in the way is the use case's to say.

use crate::api::builders::DeleteBuilder;
use crate::model::builder::{BuilderKind, WhichBuilder};
use crate::model::id::BuilderId;
use crate::pages::{Page, PageResult};
use crate::ui::{Card, Form, Name, PageHead, Submit};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: BuilderId = request::id("builder")?;
    let which = WhichBuilder::Added(id.clone());
    let builder = backend.builders.get(&actor, &which).await?;
    let title = format!("Delete {}", builder.name);
    let page = paths::builder(&which);
    let happens = match builder.kind {
        BuilderKind::Remote => {
            "Slipway forgets it and its keys. BuildKit containers that it started by SSH are removed, if the machine answers."
        }
        _ => "Its container and its cache are removed.",
    };
    Ok(Page::new(
        format!("{title}, Builders"),
        view! {
            <PageHead title=title under=(page.clone(), builder.name.clone())/>
            <Card title="What will happen">
                <ul>
                    <li>{happens}</li>
                    <li>"Services that name it are built by another one that fits; if none does, their builds say so."</li>
                    <li>"It is refused while it builds."</li>
                </ul>
                <Form to=DeleteBuilder::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                    <Submit text="Delete builder" class="danger" icon=Name::Trash/>
                    <a class="button" href=page>"Keep it"</a>
                </Form>
            </Card>
        },
    ))
}
