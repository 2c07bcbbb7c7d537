//! Small blobs: configurations of images. Layers are never read.
//!
//! Registries send readers of blobs elsewhere, to their storage. What must always hold: the password and tokens stay on the
//! registry's own origin, nobody is followed from HTTPS to HTTP, and what comes has the digest that was asked for.

use super::answer::{drain, whole_body};
use super::transport::Response;
use super::{Access, Client, OciError, digest};
use app::model::image_ref::{Digest, Repository};
use reqwest::header::LOCATION;
use reqwest::{Method, Request, StatusCode, Url};

/// Redirects that are followed.
const HOPS: usize = 5;

impl Client {
    /// A blob of at most `limit` bytes, its digest checked; None: 404. Follows redirects by hand, without credentials to
    /// another origin.
    pub async fn blob(
        &self,
        access: &Access,
        repository: &Repository,
        digest: &Digest,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, OciError> {
        let url = access.at(&format!("/v2/{repository}/blobs/{digest}"))?;
        let (host, response) = self.follow(access, &format!("repository:{repository}:pull"), url).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::FORBIDDEN => return Err(access.denied(response).await),
            _ => return Err(access.surprise(response).await),
        }
        let bytes = whole_body(&host, response, limit).await?;
        digest::check(access, digest, &bytes)?;
        Ok(Some(bytes))
    }

    /// The first answer that isn't a redirect, and the host that gave it.
    async fn follow(&self, access: &Access, scope: &str, first: Url) -> Result<(String, Response), OciError> {
        let mut url = first;
        for _ in 0..=HOPS {
            let request = Request::new(Method::GET, url.clone());
            let (host, mut response) = if access.owns(&url) {
                (access.host(), self.send(access, scope, request).await?)
            } else {
                let host = url.host_str().unwrap_or_default().to_owned();
                let response = self.execute(&access.trust, &host, request).await?;
                (host, response)
            };
            if !response.status().is_redirection() {
                return Ok((host, response));
            }
            let to = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let to = to.and_then(|to| url.join(to).ok());
            let Some(mut to) = to else { return Err(access.surprise(response).await) };
            drain(&mut response).await;
            drop(response);
            if url.scheme() == "https" && to.scheme() != "https" {
                return Err(access.unexpected("a redirect from HTTPS to an address that isn't; it wasn't followed"));
            }
            to.set_fragment(None);
            url = to;
        }
        Err(access.unexpected(format!("more than {HOPS} redirects for one blob")))
    }
}
