//! What goes: manifests by digest, tags by name.
//!
//! Registries differ in what DELETE of a tag does: the tag alone, nothing, or an error. What must always hold: whoever
//! deletes a tag looks afterwards.

use super::{Access, Client, OciError};
use app::model::image_ref::{Digest, Repository, Tag};
use reqwest::{Method, Request, StatusCode};

impl Client {
    /// Takes a manifest out of a repository, with all tags that lead to it; false: it wasn't there. A registry that deletes
    /// nothing is [`OciError::NotOffered`].
    pub async fn delete_manifest(
        &self,
        access: &Access,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, OciError> {
        let url = access.at(&format!("/v2/{repository}/manifests/{digest}"))?;
        let scope = format!("repository:{repository}:delete");
        let response = self.send(access, &scope, Request::new(Method::DELETE, url)).await?;
        match response.status() {
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                Err(access.not_offered(response).await)
            }
            StatusCode::FORBIDDEN => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }

    /// Asks for the deletion of a tag by its name; false: this registry doesn't do that.
    pub async fn delete_tag(&self, access: &Access, repository: &Repository, tag: &Tag) -> Result<bool, OciError> {
        let url = access.at(&format!("/v2/{repository}/manifests/{tag}"))?;
        let scope = format!("repository:{repository}:delete");
        let response = self.send(access, &scope, Request::new(Method::DELETE, url)).await?;
        match response.status() {
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(true),
            StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED => Ok(false),
            StatusCode::FORBIDDEN => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }

    /// DELETE below the registry's own address, for interfaces beside the protocol. Statuses other than 401 are the
    /// caller's to judge.
    pub async fn delete(&self, access: &Access, path: &str, scope: &str) -> Result<super::Answer, OciError> {
        self.ask(access, Method::DELETE, path, scope).await
    }
}
