//! What the headers of an answer alone say.

use super::transport::check_url;
use super::{Access, Client, OciError, challenge, realm};
use app::model::image_ref::Repository;
use reqwest::{Method, Request, StatusCode};

impl Client {
    /// The headers of a manifest, by HEAD, which no registry counts as a pull.
    pub async fn headers(
        &self,
        access: &Access,
        repository: &Repository,
        reference: &str,
    ) -> Result<http::HeaderMap, OciError> {
        let url = access.at(&format!("/v2/{repository}/manifests/{reference}"))?;
        let scope = format!("repository:{repository}:pull");
        let response = self.send(access, &scope, Request::new(Method::HEAD, url)).await?;
        match response.status() {
            StatusCode::OK => Ok(response.headers().clone()),
            _ => Err(access.surprise(response).await),
        }
    }

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
