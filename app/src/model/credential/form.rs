//! The credential form and its rules.

use super::{RegistryUrl, Trust, origin};
use crate::error::FieldError;
use crate::model::image_ref::Malformed;
use crate::model::look_alike;
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::text;
use serde::{Deserialize, Serialize};

/// Longest private authority, in bytes: a few certificates.
const CA_MAX: usize = 65_536;
/// Most owners that are listed.
const NAMESPACES_MAX: usize = 50;

/// What the credential form sends; for new ones and for edits (an empty password keeps the old one).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CredentialForm {
    /// What people call it.
    pub name: String,
    /// The registry's address.
    pub url: String,
    /// The user to sign in as.
    pub username: String,
    /// Password or token.
    #[serde(default)]
    pub password: Secret,
    /// See [`Provider`]; empty: what the host says.
    #[serde(default)]
    pub provider: String,
    /// Owners, organisations, groups or projects whose repositories are listed, where the registry lists by those;
    /// separated by spaces, commas or lines.
    #[serde(default)]
    pub namespaces: String,
    /// Present when ticked: see [`Trust::internal`].
    #[serde(default)]
    pub internal: Option<String>,
    /// See [`Trust::ca`]; PEM.
    #[serde(default)]
    pub ca: String,
    /// See [`Trust::realm`].
    #[serde(default)]
    pub realm: String,
    /// The day on which it ends, `2027-03-31`; empty: not known.
    #[serde(default)]
    pub expires_on: String,
    /// Present when ticked: the host looks like a well-known one, and is meant all the same.
    #[serde(default)]
    pub sure: Option<String>,
}

/// A credential's fields, checked.
#[derive(Clone, Debug)]
pub struct CredentialFields {
    /// What people call it.
    pub name: String,
    /// The registry's address.
    pub url: RegistryUrl,
    /// The user to sign in as.
    pub username: String,
    /// Password or token; empty on an edit that keeps it.
    pub password: Secret,
    /// Whose rules the registry follows.
    pub provider: Provider,
    /// Whose repositories are listed, where the registry lists by owner.
    pub namespaces: Vec<String>,
    /// What is trusted on the way.
    pub trust: Trust,
    /// The day on which it ends.
    pub expires_on: Option<time::Date>,
}

impl CredentialForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self, password_needed: bool) -> Result<CredentialFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).ok();
        let url = if self.url.trim().is_empty() {
            errors.push(FieldError::new("url", "Fill this in."));
            None
        } else {
            self.url.parse().map_err(|error: Malformed| errors.push(FieldError::new("url", error.0))).ok()
        };
        if let Some(url) = &url {
            errors.extend(self.address_error(url));
        }
        let username = text::name("username", &self.username, 255).map_err(|error| errors.push(error)).ok();
        if username.as_ref().is_some_and(|name| name.contains(':')) {
            errors.push(FieldError::new("username", "A user name can't contain ':' (Basic authentication, RFC 7617)."));
        }
        errors.extend(self.password_error(password_needed));
        let provider = match self.provider.trim() {
            "" => url.as_ref().map(|url| Provider::of_host(&url.host)),
            text => text.parse().map_err(|error: Malformed| errors.push(FieldError::new("provider", error.0))).ok(),
        };
        let provider = provider.zip(url.as_ref()).map(|(provider, url)| self.provider_at(provider, url, &mut errors));
        let namespaces = self.namespaces(&mut errors);
        let trust = self.trust(url.as_ref(), &mut errors);
        let expires_on = match self.expires_on.trim() {
            "" => None,
            text => {
                let format = time::macros::format_description!("[year]-[month]-[day]");
                let day = time::Date::parse(text, &format);
                day.map_err(|_| errors.push(FieldError::new("expires_on", "Write the day like 2027-03-31."))).ok()
            }
        };
        match (name, url, username, provider) {
            (Some(name), Some(url), Some(username), Some(provider)) if errors.is_empty() => Ok(CredentialFields {
                name,
                url,
                username,
                password: self.password,
                provider,
                namespaces,
                trust,
                expires_on,
            }),
            _ => Err(errors),
        }
    }

    fn password_error(&self, needed: bool) -> Option<FieldError> {
        let password = self.password.expose("its shape is checked");
        let message = if password.is_empty() && needed {
            "Fill this in."
        } else if password.len() > 16_384 {
            "Use at most 16 384 bytes."
        } else if password.contains(['\r', '\0']) {
            "Remove the control characters."
        } else {
            return None;
        };
        Some(FieldError::new("password", message))
    }

    /// Plain HTTP, addresses inside the network, and hosts that look like others.
    fn address_error(&self, url: &RegistryUrl) -> Option<FieldError> {
        let is_internal = self.internal.is_some();
        if url.host.is_loopback() && !is_internal {
            let message = format!("{} is this machine. Tick “Internal network” if your registry runs here.", url.host);
            return Some(FieldError::new("url", message));
        }
        if url.plain && !is_internal {
            let message = "Plain http:// sends the password readable through the network. Use https://, or tick \
                           “Internal network” if the way there is yours alone.";
            return Some(FieldError::new("url", message));
        }
        let known = look_alike::imitated(&url.host).filter(|_| self.sure.is_none())?;
        let message = format!(
            "{} looks like {known}, and isn't. Correct the address; or tick this if it really is the host you mean.",
            url.host
        );
        Some(FieldError::new("sure", message))
    }

    /// Providers with hosts of their own are found there and nowhere else, except behind a proxy of one's own.
    fn provider_at(&self, chosen: Provider, url: &RegistryUrl, errors: &mut Vec<FieldError>) -> Provider {
        let by_host = Provider::of_host(&url.host);
        if chosen == Provider::Generic || chosen == by_host {
            return by_host;
        }
        if chosen.has_own_hosts() && self.internal.is_none() {
            let message = format!(
                "{} isn't a host of {}. Correct the address, or choose another provider.",
                url.host,
                chosen.name()
            );
            errors.push(FieldError::new("url", message));
        }
        chosen
    }

    fn namespaces(&self, errors: &mut Vec<FieldError>) -> Vec<String> {
        let parts = self.namespaces.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
        let mut namespaces: Vec<String> = Vec::new();
        for part in parts.map(|part| part.trim_matches('/').to_owned()) {
            let is_path = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte));
            if !is_path
                || part.is_empty()
                || part.len() > 255
                || part.split('/').any(|label| matches!(label, "" | "." | ".."))
            {
                let message = "Use names of letters, digits, '.', '_', '-' and '/', separated by spaces or commas.";
                errors.push(FieldError::new("namespaces", message));
                return Vec::new();
            }
            if !namespaces.contains(&part) {
                namespaces.push(part);
            }
        }
        if namespaces.len() > NAMESPACES_MAX {
            errors.push(FieldError::new("namespaces", format!("Use at most {NAMESPACES_MAX} names.")));
        }
        namespaces
    }

    fn trust(&self, url: Option<&RegistryUrl>, errors: &mut Vec<FieldError>) -> Trust {
        let internal = self.internal.is_some();
        let ca = self.ca.trim().replace("\r\n", "\n");
        if ca.len() > CA_MAX {
            errors.push(FieldError::new("ca", "This is too long: 64 KiB is the limit."));
        } else if ca.contains("PRIVATE KEY-----") {
            let message = "This holds a private key. Paste the authority's certificate alone; the key stays with it.";
            errors.push(FieldError::new("ca", message));
        } else if !ca.is_empty() && !ca.contains("-----BEGIN CERTIFICATE-----") {
            errors
                .push(FieldError::new("ca", "Paste a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----."));
        }
        let realm = match self.realm.trim() {
            "" => None,
            text => origin(text).map_err(|error| errors.push(FieldError::new("realm", error.0))).ok(),
        };
        let is_plain = realm.as_ref().is_some_and(|realm| realm.starts_with("http://"));
        if is_plain && url.is_some_and(|url| !url.plain) {
            let message = "The sign-in service gets the password: it has to be https://, like the registry.";
            errors.push(FieldError::new("realm", message));
        }
        Trust { internal, ca: Some(ca).filter(|ca| !ca.is_empty()), realm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(url: &str) -> CredentialForm {
        CredentialForm {
            name: "Main".into(),
            url: url.into(),
            username: "deploy".into(),
            password: Secret::new("x".into()),
            ..CredentialForm::default()
        }
    }

    fn fields_of(form: CredentialForm) -> Vec<String> {
        form.validated(true).err().unwrap_or_default().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn all_errors_come_at_once_and_at_their_fields() {
        let form = CredentialForm {
            name: " ".into(),
            url: "http://a.example".into(),
            username: "a:b".into(),
            provider: "nobody".into(),
            namespaces: "ok a/../b".into(),
            ca: "hello".into(),
            realm: "auth.example".into(),
            expires_on: "tomorrow".into(),
            ..CredentialForm::default()
        };
        let expected = ["name", "url", "username", "password", "provider", "namespaces", "ca", "realm", "expires_on"];
        assert_eq!(fields_of(form), expected);
    }

    #[test]
    fn what_lies_inside_the_network_wants_a_tick() {
        for url in ["127.0.0.1:5600", "https://localhost", "http://registry.example.com"] {
            let mut form = form(url);
            assert_eq!(fields_of(form.clone()), ["url"], "{url}");
            form.internal = Some("on".into());
            assert!(form.validated(true).expect("accepted").trust.internal, "{url}");
        }
    }

    #[test]
    fn a_look_alike_wants_a_tick() {
        let mut form = form("https://ghrc.io");
        assert_eq!(fields_of(form.clone()), ["sure"]);
        form.sure = Some("on".into());
        assert_eq!(form.validated(true).map(|fields| fields.provider).ok(), Some(Provider::Generic));
    }

    #[test]
    fn host_and_provider_belong_together() {
        for (provider, url, expected) in [
            ("generic", "ghcr.io", Ok(Provider::Ghcr)),
            ("", "https://index.docker.io/v1/", Ok(Provider::DockerHub)),
            ("gitlab", "gitlab.example.com:5050", Ok(Provider::Gitlab)),
            ("harbor", "registry.example.com", Ok(Provider::Harbor)),
            ("ecr", "registry.example.com", Err("url")),
            ("docker-hub", "ghcr.io", Err("url")),
        ] {
            let form = CredentialForm { provider: provider.into(), ..form(url) };
            let found = form.validated(true).map(|fields| fields.provider).map_err(|errors| errors[0].field.clone());
            assert_eq!(found, expected.map_err(str::to_owned), "{provider} at {url}");
        }
    }

    #[test]
    fn trust_is_read_strictly() {
        let key = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----";
        let secret = CredentialForm { ca: key.into(), ..form("r.example.com") };
        assert_eq!(fields_of(secret), ["ca"]);
        let plain = CredentialForm { realm: "http://auth.example".into(), ..form("r.example.com") };
        assert_eq!(fields_of(plain), ["realm"]);
        let good = CredentialForm {
            realm: "https://Auth.example/token".into(),
            namespaces: "acme, acme/shop\r\nacme".into(),
            ..form("r.example.com")
        };
        let good = good.validated(true).expect("accepted");
        assert_eq!(good.trust.realm.as_deref(), Some("https://auth.example"));
        assert_eq!(good.namespaces, ["acme", "acme/shop"]);
    }
}
