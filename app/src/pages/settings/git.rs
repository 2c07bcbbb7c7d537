//! How to sign in at git hosts: those there are, a new one, one with its host's keys, and its deletion.

use crate::api::git_access::{
    CreateGitAccess, DeleteGitAccess, LookAtGitHost, ReplaceGitToken, TestGitAccess, TrustGitHost,
};
use crate::error::{Blocker, Link};
use crate::islands::copy::Copy;
use crate::model::git_access::{AccessKind, GitAccess, HostKey, fingerprints, is_published};
use crate::model::id::GitAccessId;
use crate::model::text::count;
use crate::pages::{Page, PageResult};
use crate::ui::note::Blockers;
use crate::ui::table::{col, wide};
use crate::ui::{
    Age, Badge, Card, Empty, Fact, Facts, Field, Form, Icon, Name, Note, PageHead, SecretField, Submit, Table, Tone,
    icon,
};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

fn kind_words(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Token => "Token, by https",
        AccessKind::Key => "Deploy key, by ssh",
    }
}

fn badge(access: &GitAccess) -> AnyView {
    let (tone, text) = match (access.is_ready(), access.found.is_empty()) {
        (true, true) => (Tone::Ok, "Ready"),
        (true, false) => (Tone::Warn, "Other keys were found"),
        (false, _) => (Tone::Warn, "Host to be confirmed"),
    };
    view! { <Badge tone text=text/> }.into_any()
}

/// All.
pub async fn list() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let accesses = backend.git_accesses.list(&actor).await?;
    let content = if accesses.is_empty() {
        view! {
            <Empty title="No access yet" why="Public repositories need none. A private one is read with a token of its host, or with a deploy key."/>
        }
        .into_any()
    } else {
        let rows = accesses.into_iter().map(row).collect_view();
        let columns = vec![col("Name"), wide("Host"), wide("Kind"), col("State"), wide("Used by")];
        view! { <Table name="Git access" columns>{rows}</Table> }.into_any()
    };
    Ok(Page::new(
        "Git access, Settings",
        view! {
            <PageHead title="Git access" under=(paths::SETTINGS.into(), "Settings".into())>
                <a class="button" href=paths::NEW_GIT_ACCESS><Icon name=Name::Plus/>"New token"</a>
                <a class="button" href=paths::NEW_DEPLOY_KEY><Icon name=Name::Plus/>"New deploy key"</a>
            </PageHead>
            <Card title="Accesses" flush=true>{content}</Card>
        },
    ))
}

fn row(access: GitAccess) -> impl IntoView {
    let used = match access.services.len() {
        0 => "Nothing".to_owned(),
        n => count(n as u64, "service"),
    };
    let state = badge(&access);
    view! {
        <tr>
            <th scope="row"><a href=paths::git_access(&access.id)>{access.name}</a></th>
            <td class="wide"><code>{access.host.to_string()}</code></td>
            <td class="wide">{kind_words(access.kind)}</td>
            <td>{state}</td>
            <td class="wide">{used}</td>
        </tr>
    }
}

/// A new one: a token, or with `?kind=key` a deploy key.
pub async fn new() -> PageResult {
    request::signed_in()?;
    let is_key = request::query("kind").is_some_and(|kind| kind == "key");
    let kind = |href: &'static str, text: &'static str, is_here: bool| {
        view! { <a class="button" href=href aria-current=is_here.then_some("page")>{text}</a> }
    };
    let (title, about, user) = if is_key {
        let about = "Slipway makes a pair of keys. You give the public one to the repository at its host; the private one is \
                     sealed and never shown. Then you confirm the host's own key.";
        ("A deploy key", about, None)
    } else {
        let about =
            "It is sealed, sent to this host alone, and never shown again. The right to read the repository is enough.";
        ("A token", about, Some(()))
    };
    let send = if is_key { "Make deploy key" } else { "Save token" };
    Ok(Page::new(
        "New git access, Settings",
        view! {
            <PageHead title="New git access" under=(paths::GIT_ACCESSES.into(), "Git access".into())/>
            <nav class="row" aria-label="Kind of access">
                {kind(paths::NEW_GIT_ACCESS, "Token", !is_key)}
                {kind(paths::NEW_DEPLOY_KEY, "Deploy key", is_key)}
            </nav>
            <Card title=title>
                <p>{about}</p>
                <Form to=CreateGitAccess::PATH>
                    <input type="hidden" name="form[kind]" value=if is_key { "key" } else { "token" }/>
                    <Field field="name" label="Name" required=true hint="What you call it, like “Shop at GitHub”."/>
                    <Field field="host" label="Host" mono=true required=true inputmode="url"
                        hint="Like github.com, or git.example.com:2222. Of a repository's address the host is taken."/>
                    {user.map(|()| view! {
                        <Field field="username" label="User" mono=true required=true
                            hint="GitHub: x-access-token. GitLab: oauth2. Bitbucket: x-token-auth. Others: your own."/>
                        <SecretField field="token" label="Token" autocomplete="off" required=true/>
                    })}
                    <Submit text=send class="primary"/>
                </Form>
            </Card>
        },
    ))
}

/// One.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: GitAccessId = request::id("access")?;
    let access = backend.git_accesses.get(&actor, &id).await?;
    let state = badge(&access);
    let of_kind = match access.kind {
        AccessKind::Token => replace(&access).into_any(),
        AccessKind::Key => view! { {public_key(&access)} {host_keys(&access)} }.into_any(),
    };
    Ok(Page::new(
        format!("{}, Git access", access.name),
        view! {
            <PageHead title=access.name.clone() under=(paths::GIT_ACCESSES.into(), "Git access".into()) badge=state>
                <a class="button quiet" href=paths::delete_git_access(&id)><Icon name=Name::Trash/>"Delete"</a>
            </PageHead>
            {facts(&access)}
            {of_kind}
            {test(&access)}
        },
    ))
}

fn facts(access: &GitAccess) -> impl IntoView + use<> {
    let services = access.services.iter().map(|(id, name)| {
        view! { <li><a href=paths::service(id)>{name.clone()}</a></li> }
    });
    let used = if access.services.is_empty() {
        view! { <span class="muted">"Nothing. Choose it on a service."</span> }.into_any()
    } else {
        view! { <ul class="plain">{services.collect_view()}</ul> }.into_any()
    };
    let user = (access.kind == AccessKind::Token).then(|| access.username.clone());
    let (host, kind, created) = (access.host.to_string(), kind_words(access.kind), access.created_at);
    view! {
        <Card title="What it is">
            <Facts>
                <Fact name="Kind">{kind}</Fact>
                <Fact name="Host"><code>{host}</code></Fact>
                {user.map(|user| view! { <Fact name="User"><code>{user}</code></Fact> })}
                <Fact name="Used by">{used}</Fact>
                <Fact name="Created"><Age seconds=created/></Fact>
            </Facts>
        </Card>
    }
}

fn replace(access: &GitAccess) -> impl IntoView + use<> {
    let hidden = vec![("id", access.id.to_string())];
    view! {
        <Card title="New token">
            <Form to=ReplaceGitToken::PATH flat=true hidden>
                <SecretField field="token" label="Token" autocomplete="off" required=true hint="Takes the place of the one that is kept."/>
                <Submit text="Replace token"/>
            </Form>
        </Card>
    }
}

fn public_key(access: &GitAccess) -> impl IntoView + use<> {
    let text = access.public_key.clone().unwrap_or_default();
    view! {
        <Card title="Public key">
            <p>"Add it to the repository's deploy keys at its host. Reading is enough."</p>
            <p class="long">
                <code id="public-key">{text.clone()}</code>
                <Copy text name="Copy the public key".to_owned() icon=icon::href(icon::Name::Copy)/>
            </p>
        </Card>
    }
}

fn key_table(access: &GitAccess, name: &'static str, keys: &[HostKey]) -> AnyView {
    let rows = keys
        .iter()
        .map(|key| {
            let published = is_published(&access.host, key);
            view! {
                <tr>
                    <td>{key.words().to_owned()}</td>
                    <td class="key"><code data-fingerprint=true>{key.fingerprint.clone()}</code></td>
                    <td>{published.then(|| view! { <Badge tone=Tone::Ok text="Published by the host"/> })}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table name columns=vec![col("Kind"), col("Fingerprint"), col("Known")]>{rows}</Table> }.into_any()
}

/// The keys that builds accept, and those that wait to be confirmed.
fn host_keys(access: &GitAccess) -> impl IntoView + use<> {
    let look = vec![("id", access.id.to_string())];
    let trusted = if access.trusted.is_empty() {
        view! { <p>"None yet: until you confirm the host's keys, nothing is fetched with this access."</p> }.into_any()
    } else {
        view! {
            <p>"Builds accept these keys of the host and no others."</p>
            {key_table(access, "Confirmed keys", &access.trusted)}
        }
        .into_any()
    };
    let found = (!access.found.is_empty()).then(|| {
        let is_same = access.found == access.trusted;
        let hidden = vec![("id", access.id.to_string()), ("seen", fingerprints(&access.found))];
        let host = access.host.to_string();
        let content = if is_same {
            view! { <p>"The host shows the keys that were confirmed."</p> }.into_any()
        } else {
            view! {
                <p>"Compare them with the fingerprints that the host publishes, on another way than this one: if somebody is in between, these are theirs."</p>
                {key_table(access, "Keys that were found", &access.found)}
                <Form to=TrustGitHost::PATH flat=true class="row" hidden><Submit text="They are right: confirm them" class="primary"/></Form>
            }
            .into_any()
        };
        view! { <Note tone=if is_same { "info" } else { "warn" } title=format!("What {host} shows")>{content}</Note> }
    });
    view! {
        <Card title="Keys of the host" id="host-keys">
            {trusted}
            {found}
            <Form to=LookAtGitHost::PATH flat=true class="row" hidden=look><Submit text="Look at the host's keys" icon=Name::Refresh/></Form>
        </Card>
    }
}

fn test(access: &GitAccess) -> AnyView {
    if !access.is_ready() {
        return ().into_any();
    }
    let hint = match access.kind {
        AccessKind::Token => format!("Like https://{}/owner/name.", access.host),
        AccessKind::Key => format!("An ssh address, like git@{}:owner/name.", access.host),
    };
    let hidden = vec![("id", access.id.to_string())];
    view! {
        <Card title="Test" id="test">
            <Form to=TestGitAccess::PATH flat=true hidden>
                <Field field="repository" label="Repository" mono=true required=true inputmode="url" hint=hint/>
                <Submit text="Test access"/>
            </Form>
        </Card>
    }
    .into_any()
}

/// Deleting one.
pub async fn delete() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: GitAccessId = request::id("access")?;
    let access = backend.git_accesses.get(&actor, &id).await?;
    let title = format!("Delete {}", access.name);
    let page = paths::git_access(&id);
    let back = page.clone();
    let content = if access.services.is_empty() {
        view! {
            <p>"The stored token or private key is removed for good. At the host it stays good until you take it away there."</p>
            <Form to=DeleteGitAccess::PATH flat=true class="row" hidden=vec![("id", id.to_string())]>
                <Submit text="Delete access" class="danger" icon=Name::Trash/>
                <a class="button" href=back>"Keep it"</a>
            </Form>
        }
        .into_any()
    } else {
        let blockers: Vec<_> = access
            .services
            .iter()
            .map(|(service, name)| Blocker {
                reason: format!("The service {name} reads its repository with it."),
                link: Some(Link { href: paths::edit_service(service), text: format!("Edit {name}") }),
            })
            .collect();
        view! {
            <Note tone="warn" title="It can't be deleted while something uses it."><Blockers blockers/></Note>
            <p><a class="button" href=back>"Back to the access"</a></p>
        }
        .into_any()
    };
    Ok(Page::new(
        format!("{title}, Git access"),
        view! {
            <PageHead title=title under=(page, access.name.clone())/>
            <Card title="What will happen">{content}</Card>
        },
    ))
}
