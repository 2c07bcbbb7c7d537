//! Whom a registry names as its sign-in service.

use super::transport::check_url;
use super::{Access, Client, OciError, challenge, realm};
use reqwest::{Method, Request};

impl Client {
    /// The origin (`https://host[:port]`) of the sign-in service that the registry names, if the password may go there;
    /// None: it names none.
    pub async fn realm(&self, access: &Access) -> Result<Option<String>, OciError> {
        let response = self.bare(access, Request::new(Method::GET, access.at("/v2/")?)).await?;
        let Some(challenge::Challenge::Bearer(bearer)) = challenge::choose(response.url(), response.headers()) else {
            return Ok(None);
        };
        let origin = bearer.realm.origin().ascii_serialization();
        if !realm::is_trusted(access, &bearer.realm) {
            return Err(OciError::ForeignRealm { host: access.host(), realm: super::answer::sanitise(&origin) });
        }
        check_url(access.url.host.as_str(), &bearer.realm, &access.trust)?;
        Ok(Some(origin))
    }
}
