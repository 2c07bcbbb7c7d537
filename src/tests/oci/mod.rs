//! The registry client, against the lab's registry and against one that lies.

mod auth;
mod blobs;
pub mod certificates;
mod examine;
mod faults;
mod list;
mod manners;
mod reach;
mod real;
mod tokens;

use crate::lab::internal;
use crate::liar::Liar;
use app::model::credential::{RegistryUrl, Trust};
use app::model::image_ref::Repository;
use app::model::secret::Secret;
use slipway::oci::{Access, Client, Limits, Login};
use std::time::Duration;

/// A password that no encoding of base64 or URLs leaves as it is.
const PASSWORD: &str = "s3cret~?>ü: \"canary";

fn login() -> Login {
    Login { username: "deploy".into(), password: Secret::new(PASSWORD.into()) }
}

/// What it takes to ask the liar.
fn access(liar: &Liar) -> Access {
    with(liar.url(), login())
}

fn with(url: RegistryUrl, login: Login) -> Access {
    Access { url, login: Some(login), trust: internal() }
}

fn basic() -> String {
    use base64::Engine as _;
    let text = format!("deploy:{PASSWORD}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

/// What it takes to ask one with a certificate of the tests' authority.
fn secure(liar: &Liar) -> Access {
    let trust = Trust { ca: Some(certificates::authority()), ..internal() };
    Access { url: liar.secure_url(), login: Some(login()), trust }
}

fn repository() -> Repository {
    "shop/web".parse().expect("a repository")
}

/// A client that doesn't wait long.
fn client() -> Client {
    Client::with_limits(LIMITS).expect("a client")
}

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), answer: Duration::from_secs(2), check: Duration::from_secs(3) };
