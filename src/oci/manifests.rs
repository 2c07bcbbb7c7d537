//! Manifests: which digest a tag has, and the bytes behind it.
//!
//! A digest in a header is believed only as far as it fits what was asked; bytes are always hashed.

use super::answer::{MANIFEST_BODY, whole_body};
use super::shape::Shape;
use super::{Access, Client, OciError, digest};
use app::model::image_ref::{Digest, Repository, Tag};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, StatusCode};

/// All kinds in one line: some registries read the first line alone.
const KINDS: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
);

/// A manifest or index whose bytes were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Of the bytes.
    pub digest: Digest,
    /// What it is, by header and body, which agree; empty when neither says.
    pub media_type: String,
    /// As they came.
    pub bytes: Vec<u8>,
}

/// What stands behind `/manifests/`: nothing else is ever put into that address.
enum Reference {
    Tag(Tag),
    Digest(Digest),
}

impl Reference {
    fn parse(access: &Access, text: &str) -> Result<Self, OciError> {
        text.parse()
            .map(Self::Digest)
            .or_else(|_| text.parse().map(Self::Tag))
            .map_err(|_| access.unexpected("what was asked for is neither tag nor digest"))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }

    /// Refuses an answer about something else than the digest that was asked for.
    fn accepts(&self, access: &Access, digest: &Digest) -> Result<(), OciError> {
        match self {
            Self::Digest(asked) if asked.as_str().split(':').next() == digest.as_str().split(':').next() => {
                if asked == digest { Ok(()) } else { Err(digest::lie(access, asked, digest)) }
            }
            _ => Ok(()),
        }
    }
}

impl Client {
    pub(super) async fn find_digest(
        &self,
        access: &Access,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Digest>, OciError> {
        let asked = Reference::parse(access, reference)?;
        let response =
            self.send(access, &scope(repository), request(access, Method::HEAD, repository, &asked)?).await?;
        match response.status() {
            StatusCode::OK => match stated_digest(access, response.headers())? {
                Some(digest) => {
                    asked.accepts(access, &digest)?;
                    Ok(Some(digest))
                }
                None => {
                    drop(response);
                    Ok(self.find_manifest(access, repository, &asked).await?.map(|manifest| manifest.digest))
                }
            },
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                drop(response);
                Ok(self.find_manifest(access, repository, &asked).await?.map(|manifest| manifest.digest))
            }
            StatusCode::FORBIDDEN => Err(access.denied(response).await),
            _ => Err(access.surprise(response).await),
        }
    }

    /// Reads a manifest or index and checks its digest; None: 404.
    pub async fn manifest(
        &self,
        access: &Access,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Manifest>, OciError> {
        self.find_manifest(access, repository, &Reference::parse(access, reference)?).await
    }

    async fn find_manifest(
        &self,
        access: &Access,
        repository: &Repository,
        asked: &Reference,
    ) -> Result<Option<Manifest>, OciError> {
        let response = self.send(access, &scope(repository), request(access, Method::GET, repository, asked)?).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::FORBIDDEN => return Err(access.denied(response).await),
            _ => return Err(access.surprise(response).await),
        }
        let stated = stated_digest(access, response.headers())?;
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = whole_body(&access.host(), response, MANIFEST_BODY).await?;
        let is_long = match asked {
            Reference::Digest(asked) => digest::is_long(asked),
            Reference::Tag(_) => stated.as_ref().is_some_and(digest::is_long),
        };
        let digest = digest::of(access, &bytes, is_long)?;
        asked.accepts(access, &digest)?;
        if let Some(stated) = stated
            && digest::is_long(&stated) == is_long
            && stated != digest
        {
            return Err(digest::lie(access, &digest, &stated));
        }
        let media_type = Shape::read(&bytes, &media_type).map_err(|reason| access.unexpected(reason))?;
        Ok(Some(Manifest { digest, media_type, bytes }))
    }
}

fn scope(repository: &Repository) -> String {
    format!("repository:{repository}:pull")
}

fn request(access: &Access, method: Method, repository: &Repository, asked: &Reference) -> Result<Request, OciError> {
    let mut request = Request::new(method, access.at(&format!("/v2/{repository}/manifests/{}", asked.as_str()))?);
    request.headers_mut().insert(ACCEPT, KINDS);
    Ok(request)
}

fn stated_digest(access: &Access, headers: &HeaderMap) -> Result<Option<Digest>, OciError> {
    let Some(value) = headers.get("docker-content-digest") else { return Ok(None) };
    let digest = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    digest.map(Some).ok_or_else(|| access.unexpected("a digest that isn't one"))
}
