//! API tokens: those there are, a form for a new one, and, once, the text of the one that was just made.

use crate::api::tokens::{CreateToken, RevokeToken};
use crate::islands::copy::Copy;
use crate::model::id::TokenId;
use crate::model::secret::Secret;
use crate::model::token::{Scope, Token, TokenState};
use crate::pages::{Page, PageResult};
use crate::ui::table::{col, wide};
use crate::ui::{Age, Badge, Card, Empty, Field, Form, Note, PageHead, Select, Submit, Table, Tone, icon, time};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let tokens = backend.tokens.list(&actor).await?;
    let new = match request::query("new").and_then(|id| id.parse::<TokenId>().ok()) {
        Some(id) => backend.tokens.take_shown(&actor, &id).await,
        None => None,
    };
    Ok(Page::new(
        "API tokens, Settings",
        view! {
            <PageHead title="API tokens" under=(paths::SETTINGS.into(), "Settings".into())/>
            {new.map(new_token)}
            {list(tokens)}
            {form()}
        },
    ))
}

/// The only place that ever shows a token's text.
fn new_token(text: Secret) -> impl IntoView {
    let text = text.expose("its owner sees it once").to_owned();
    view! {
        <Note tone="info" title="Your new token">
            <p class="long">
                <code id="new-token">{text.clone()}</code>
                <Copy text name="Copy the token".to_owned() icon=icon::href(icon::Name::Copy)/>
            </p>
            <p>"Copy it now: it is shown this once, and Slipway keeps a hash of it only."</p>
        </Note>
    }
}

fn list(tokens: Vec<Token>) -> impl IntoView {
    if tokens.is_empty() {
        return view! {
            <Card title="Tokens">
                <Empty title="No tokens yet" why="Programs use Slipway's API with one: scripts, pipelines, monitoring."/>
            </Card>
        }
        .into_any();
    }
    let columns = vec![col("Name"), col("May"), wide("Created"), col("Last used"), col("Expires"), col("Actions")];
    let rows = tokens.into_iter().map(row).collect_view();
    view! { <Card title="Tokens" flush=true><Table name="Tokens" columns>{rows}</Table></Card> }.into_any()
}

fn row(token: Token) -> impl IntoView {
    let may = match token.scope {
        Scope::Read => "Read",
        Scope::Everything => "Do everything",
    };
    let used = match token.used_at {
        Some(seconds) => view! { <Age seconds/> }.into_any(),
        None => "Never".into_any(),
    };
    let state = token.state(time::now());
    let expires = match (state, token.expires_at) {
        (TokenState::Revoked, _) => view! { <Badge tone=Tone::Idle text="Revoked"/> }.into_any(),
        (TokenState::Expired, _) => view! { <Badge tone=Tone::Warn text="Expired"/> }.into_any(),
        (TokenState::Good, None) => "Never".into_any(),
        (TokenState::Good, Some(at)) => day(at).into_any(),
    };
    let name = token.name.clone();
    let revoke = (state != TokenState::Revoked).then(|| {
        let hidden = vec![("id", token.id.to_string())];
        view! {
            <Form to=RevokeToken::PATH flat=true class="row" hidden><Submit text=format!("Revoke {name}") class="danger"/></Form>
        }
    });
    let state = match state {
        TokenState::Good => "good",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
    };
    view! {
        <tr data-token=state>
            <th scope="row">{token.name}</th>
            <td>{may}</td>
            <td class="wide"><Age seconds=token.created_at/></td>
            <td>{used}</td>
            <td>{expires}</td>
            <td>{revoke}</td>
        </tr>
    }
}

/// `2027-03-01`.
fn day(seconds: i64) -> String {
    ::time::OffsetDateTime::from_unix_timestamp(seconds).map(|at| at.date().to_string()).unwrap_or_default()
}

fn form() -> impl IntoView {
    let pair = |value: &str, words: &str| (value.to_owned(), words.to_owned());
    let scopes = vec![
        pair("read", "Read: look at everything, change nothing"),
        pair("everything", "Do everything that you may"),
    ];
    let days = vec![pair("30", "30 days"), pair("90", "90 days"), pair("365", "1 year"), pair("", "It doesn't expire")];
    view! {
        <Card title="New token" id="new">
            <Form to=CreateToken::PATH>
                <Field field="name" label="Name" required=true hint="What uses it, so that you know what stops when you revoke it."/>
                <Select field="scope" label="It may" options=scopes value="read"/>
                <Select field="days" label="It is good for" options=days value="90"/>
                <Submit text="Create token" class="primary"/>
            </Form>
            <p class="hint">
                "Programs send it as " <code>"Authorization: Bearer slw_…"</code> " to addresses under " <code>"/api/v1"</code> "; "
                <a href="/api/v1/openapi.json">"openapi.json"</a> " describes them."
            </p>
        </Card>
    }
}
