//! The adapters, each against a server that answers as its provider's documentation says, quirks included, and the general
//! one against a real registry.
//!
//! Every list is read page by page with adapters that are made anew for each page: a cursor survives a restart or it is
//! none.

mod acr;
mod digital_ocean;
mod docker_hub;
mod ecr;
mod generic;
mod ghcr;
mod gitea;
mod gitlab;
mod google_artifact;
mod harbor;
mod quay;
mod real;
mod script;
mod token_auth;

use crate::lab::internal;
use app::model::provider::Provider;
use app::model::secret::Secret;
use script::Server;
use slipway::oci::{Access, Client, Login};
use slipway::providers::{Asker, Endpoints, ListError, ListedTag, Providers};

/// A password that no encoding leaves as it is.
const PASSWORD: &str = "s3cret~?>ü: \"canary";
/// More pages than any list here has.
const PAGES: usize = 40;

/// Interfaces that nobody answers: who asks one that isn't meant, fails.
fn nowhere() -> Endpoints {
    let closed = || "http://127.0.0.1:1".to_owned();
    Endpoints { hub: closed(), github: closed(), digital_ocean: closed(), ecr: closed() }
}

fn providers(endpoints: &Endpoints) -> Providers {
    Providers::new(Client::new().expect("a client"), endpoints.clone())
}

fn access(server: &Server, username: &str) -> Access {
    let login = Login { username: username.into(), password: Secret::new(PASSWORD.into()) };
    Access { url: server.url(), login: Some(login), trust: internal() }
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn basic(username: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{PASSWORD}")))
}

/// All repositories, in the order in which they came.
async fn repositories(
    endpoints: &Endpoints,
    provider: Provider,
    access: &Access,
    namespaces: &[String],
) -> Result<Vec<String>, ListError> {
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let asker = Asker { access, namespaces };
        let page = providers(endpoints).of(provider).repositories(asker, cursor.as_deref()).await?;
        found.extend(page.items.into_iter().map(|item| item.name.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
        assert!(!cursor.as_deref().is_some_and(|text| text.contains("s3cret")), "a cursor holds a secret: {cursor:?}");
    }
    panic!("the list has no end: {cursor:?}");
}

/// All tags of a repository.
async fn tags(
    endpoints: &Endpoints,
    provider: Provider,
    access: &Access,
    name: &str,
) -> Result<Vec<ListedTag>, ListError> {
    let name = name.parse().expect("a repository");
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = providers(endpoints).of(provider).tags(access, &name, cursor.as_deref()).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
    panic!("the list has no end: {cursor:?}");
}

fn names(tags: &[ListedTag]) -> Vec<&str> {
    tags.iter().map(|tag| tag.name.as_str()).collect()
}

fn digest(of: &str) -> String {
    format!("sha256:{}", of.repeat(64))
}

/// The sentence for "can't list".
fn cannot<T: std::fmt::Debug>(outcome: Result<T, ListError>) -> String {
    match outcome {
        Err(ListError::CannotList(why)) => why,
        other => panic!("not the normal \"can't list\": {other:?}"),
    }
}
