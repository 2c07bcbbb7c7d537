//! Manifests are put as they were: the bytes and their media type decide the digest.

use super::answer::words;
use super::{Access, Client, Manifest, OciError};
use app::model::image_ref::Repository;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode};

/// What became of a manifest that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there.
    Stored,
    /// The registry lacks something that it names; its own words, sanitised.
    Incomplete(String),
}

impl Client {
    /// Puts a manifest or index, byte for byte, under its digest and under `tag` if there is one.
    pub async fn put_manifest(
        &self,
        access: &Access,
        repository: &Repository,
        tag: Option<&app::model::image_ref::Tag>,
        manifest: &Manifest,
    ) -> Result<Put, OciError> {
        let reference = tag.map_or_else(|| manifest.digest.to_string(), ToString::to_string);
        let url = access.at(&format!("/v2/{repository}/manifests/{reference}"))?;
        let mut request = Request::new(Method::PUT, url);
        let kind = HeaderValue::from_str(&manifest.media_type);
        let kind = kind.map_err(|_| access.unexpected("a media type that can't stand in a header"))?;
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Some(manifest.bytes.clone().into());
        let response = self.send(access, &format!("repository:{repository}:pull,push"), request).await?;
        match response.status() {
            StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(Put::Stored),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
                let said = words(response, access.login.as_ref()).await;
                // MANIFEST_BLOB_UNKNOWN, BLOB_UNKNOWN, MANIFEST_UNKNOWN.
                if said.contains("UNKNOWN") { Ok(Put::Incomplete(said)) } else { Err(access.unexpected(said)) }
            }
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }
}
