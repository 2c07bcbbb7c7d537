//! Small blobs, pushed in one piece and deleted again: how a managed registry is tried out.
//!
//! What must always hold: an upload goes on at the registry's own origin, whatever its `Location` says.

use super::uploads::session;
use super::{Access, Client, OciError, digest};
use app::model::image_ref::{Digest, Repository};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode};

impl Client {
    /// Pushes a blob in one piece (POST, then PUT); its digest.
    pub async fn push_blob(&self, access: &Access, repository: &Repository, bytes: &[u8]) -> Result<Digest, OciError> {
        let scope = format!("repository:{repository}:pull,push");
        let mut open = Request::new(Method::POST, access.at(&format!("/v2/{repository}/blobs/uploads/"))?);
        open.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let response = self.send(access, &scope, open).await?;
        match response.status() {
            StatusCode::ACCEPTED => {}
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => return Err(access.denied(response).await),
            _ => return Err(access.surprise(response).await),
        }
        let url = session(&response).filter(|url| access.owns(url));
        drop(response);
        let Some(mut url) = url else { return Err(access.unexpected("an upload session on another origin")) };
        let digest = digest::of(access, bytes, false)?;
        url.query_pairs_mut().append_pair("digest", digest.as_str());
        let mut put = Request::new(Method::PUT, url);
        put.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        *put.body_mut() = Some(bytes.to_vec().into());
        let response = self.send(access, &scope, put).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(digest),
            StatusCode::FORBIDDEN => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }

    /// Takes a blob out of a repository; false: it wasn't there. A registry that deletes nothing is
    /// [`OciError::NotOffered`].
    pub async fn delete_blob(
        &self,
        access: &Access,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, OciError> {
        let url = access.at(&format!("/v2/{repository}/blobs/{digest}"))?;
        let scope = format!("repository:{repository}:delete");
        let response = self.send(access, &scope, Request::new(Method::DELETE, url)).await?;
        match response.status() {
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Err(access.not_offered(response).await),
            StatusCode::FORBIDDEN => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }
}
