//! The test lab: a real registry with a password, and a real Docker engine. `make test` starts it and says where it is.

use app::model::credential::{RegistryUrl, Trust};
use app::model::secret::Secret;
use serde::Deserialize;
use slipway::oci::{Access, Login};

/// What the lab's file says, as far as it is needed here.
#[derive(Clone, Deserialize)]
pub struct Lab {
    /// `host:port`.
    pub registry: String,
    pub username: String,
    pub password: String,
}

impl Lab {
    /// The lab; None (with the reason on the screen) where none runs.
    pub fn find() -> Option<Self> {
        let Some(file) = std::env::var_os("SLIPWAY_LAB_FILE") else {
            eprintln!("skipped: SLIPWAY_LAB_FILE doesn't name the lab's file; `make test` starts one");
            return None;
        };
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.to_string_lossy()));
        Some(serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.to_string_lossy())))
    }

    pub fn url(&self) -> RegistryUrl {
        format!("http://{}", self.registry).parse().expect("the lab's registry has an address")
    }

    /// What it takes to ask its registry.
    pub fn access(&self) -> Access {
        Access { url: self.url(), login: Some(self.login()), trust: internal() }
    }

    pub fn login(&self) -> Login {
        Login { username: self.username.clone(), password: Secret::new(self.password.clone()) }
    }
}

/// Addresses of this machine may be reached.
pub fn internal() -> Trust {
    Trust { internal: true, ..Trust::default() }
}
