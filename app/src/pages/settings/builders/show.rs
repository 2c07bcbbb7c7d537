//! One builder: how it is, what it builds for, its machines, and its form.

use super::fields;
use crate::api::builders::{AddBuilderMachine, CheckBuilder, ClearBuilderCache, RemoveBuilderMachine, UpdateBuilder};
use crate::islands::refresh::Refresh;
use crate::model::builder::{Builder, BuilderKind, BuilderNode, BuilderState, WhichBuilder};
use crate::model::id::BuilderId;
use crate::model::text;
use crate::pages::{Page, PageResult};
use crate::ui::table::col;
use crate::ui::{Age, Card, Fact, Facts, Form, Icon, Name, PageHead, ProblemBox, Submit, Table};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let which: WhichBuilder = request::id("builder")?;
    let builder = backend.builders.get(&actor, &which).await?;
    let hidden = vec![("id", which.to_string())];
    let badge = view! {
        <span id="state" data-page=format!("{}", builder.version)>{super::badge(&builder)}</span>
        <Refresh parts="state why facts".to_owned()/>
    }
    .into_any();
    let delete = which.id().map(|id| {
        view! { <a class="button" href=paths::delete_builder(id)><Icon name=Name::Trash/>"Delete"</a> }
    });
    let machines = which.id().filter(|_| builder.kind == BuilderKind::Remote).map(|id| machines(id, &builder.nodes));
    let edit_title = if builder.kind == BuilderKind::Engine { "Limit" } else { "Edit" };
    let edit = vec![("id", which.to_string()), ("version", builder.version.to_string())];
    let check = hidden.clone();
    let title = builder.name.clone();
    let (why, facts) = (why(&builder), facts(&builder).into_any());
    Ok(Page::new(
        format!("{}, Builders", builder.name),
        view! {
            <PageHead title=title under=(paths::BUILDERS.into(), "Builders".into()) badge=badge>
                <Form to=CheckBuilder::PATH class="row" flat=true hidden=check>
                    <Submit text="Check now" icon=Name::Refresh/>
                </Form>
                {delete}
            </PageHead>
            <div id="why">{why}</div>
            <Card title="Facts"><div id="facts">{facts}</div></Card>
            {machines}
            <Card title=edit_title id="edit">
                <Form to=UpdateBuilder::PATH hidden=edit>
                    {fields::builder(builder.kind, Some(&builder))}
                    <Submit text="Save builder" class="primary"/>
                </Form>
            </Card>
            <Card title="Cache">
                <p>"What builds used before is kept by the builder, so that the next one is faster. Emptying it makes room; the next builds take longer."</p>
                <Form to=ClearBuilderCache::PATH class="row" flat=true hidden=hidden>
                    <Submit text="Empty its cache"/>
                </Form>
            </Card>
        },
    ))
}

/// What is wrong with it, and what to do.
fn why(builder: &Builder) -> AnyView {
    match &builder.state {
        BuilderState::Fails(problem) => {
            // It would lead to this very page.
            let problem = crate::error::Problem { link: None, ..problem.clone() };
            view! { <ProblemBox problem/> }.into_any()
        }
        BuilderState::Unknown if builder.kind == BuilderKind::Container => {
            view! { <p class="muted">"The first look pulls its image, which may take a minute."</p> }.into_any()
        }
        _ => ().into_any(),
    }
}

fn facts(builder: &Builder) -> impl IntoView + use<> {
    let platforms = match super::platforms(builder) {
        text if text.is_empty() => "Not known yet".to_owned(),
        text => text,
    };
    let several = (builder.kind == BuilderKind::Engine && builder.looked_at > 0).then(|| {
        let words = if builder.makes_several {
            "Yes: it has the containerd image store."
        } else {
            "No: that needs Docker's containerd image store. See Settings."
        };
        view! { <Fact name="Several platforms in one image">{words}</Fact> }.into_any()
    });
    let kind = super::kind(builder.kind);
    let image = builder.image.as_ref().map(ToString::to_string);
    let disk = builder.disk.map_or_else(|| "Not known".to_owned(), text::bytes);
    let looked_at = builder.looked_at;
    let limit = builder.limit.map_or_else(|| "As many as there are places".to_owned(), |limit| limit.to_string());
    view! {
        <Facts>
            <Fact name="Kind">{kind}</Fact>
            <Fact name="Platforms">{platforms}</Fact>
            {several}
            {image.map(|image| view! { <Fact name="BuildKit image"><code>{image}</code></Fact> })}
            <Fact name="Builds at once">{limit}</Fact>
            <Fact name="Cache">{disk}</Fact>
            {(looked_at > 0).then(|| view! { <Fact name="Looked"><Age seconds=looked_at/></Fact> })}
        </Facts>
    }
}

fn machines(id: &BuilderId, nodes: &[BuilderNode]) -> impl IntoView + use<> {
    let is_last = nodes.len() == 1;
    let rows = nodes
        .iter()
        .map(|node| {
            let hidden = vec![("id", id.to_string()), ("number", node.number.to_string())];
            let text = format!("Remove {}", node.platform);
            let remove = (!is_last).then(|| {
                view! {
                    <Form to=RemoveBuilderMachine::PATH flat=true class="row" hidden=hidden>
                        <Submit text=text class="danger"/>
                    </Form>
                }
            });
            view! {
                <tr>
                    <th scope="row"><code>{node.platform.to_string()}</code></th>
                    <td class="key"><code>{node.endpoint.to_string()}</code></td>
                    <td>{remove}</td>
                </tr>
            }
        })
        .collect_view();
    let hidden = vec![("id", id.to_string())];
    view! {
        <Card title="Machines" flush=true>
            <Table name="Machines" columns=vec![col("Platform"), col("Address"), col("Actions")]>{rows}</Table>
        </Card>
        <Card title="Add a machine" id="machine">
            <Form to=AddBuilderMachine::PATH hidden=hidden>
                {fields::machine()}
                <Submit text="Add machine"/>
            </Form>
        </Card>
    }
}
