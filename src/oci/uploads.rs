//! The right to push, proved: opens an upload session and cancels it. Nothing stays behind, except on registries that
//! create a repository's record as soon as a session starts.

use super::transport::Response;
use super::{Access, Client, OciError};
use app::model::image_ref::Repository;
use reqwest::header::{CONTENT_LENGTH, HeaderValue, LOCATION};
use reqwest::{Method, Request, StatusCode, Url};

impl Client {
    pub(super) async fn try_upload(&self, access: &Access, repository: &Repository) -> Result<(), OciError> {
        let scope = format!("repository:{repository}:pull,push");
        let mut request = Request::new(Method::POST, access.at(&format!("/v2/{repository}/blobs/uploads/"))?);
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let response = self.send(access, &scope, request).await?;
        match response.status() {
            StatusCode::ACCEPTED => {
                let session = session(&response);
                drop(response);
                self.cancel_upload(access, &scope, session).await;
                Ok(())
            }
            // 404: this repository or its project doesn't exist and isn't made by a push; 405: read-only; 400: bad name.
            StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::BAD_REQUEST => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }

    /// Best effort: a session that stays is thrown away by the registry in time.
    async fn cancel_upload(&self, access: &Access, scope: &str, session: Option<Url>) {
        let Some(url) = session else { return };
        if !access.owns(&url) {
            tracing::debug!(registry.host = %access.host(), "an upload session on another origin was left alone");
            return;
        }
        match self.send(access, scope, Request::new(Method::DELETE, url)).await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => {
                tracing::debug!(registry.host = %access.host(), status = %answer.status(), "an upload session stays open");
            }
            Err(error) => tracing::debug!(registry.host = %access.host(), %error, "an upload session stays open"),
        }
    }
}

/// Where the session is that an answer speaks of.
pub(super) fn session(opened: &Response) -> Option<Url> {
    let location = opened.headers().get(LOCATION)?.to_str().ok()?;
    opened.url().join(location).ok()
}
