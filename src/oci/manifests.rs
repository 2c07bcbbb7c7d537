//! Manifests: which digest a tag has, and the bytes behind it.
//!
//! A digest in a header is believed only as far as it fits what was asked; bytes are always hashed.

use super::answer::{MANIFEST_BODY, whole_body};
use super::auth::Place;
use super::{Client, Login, OciError};
use app::model::credential::RegistryUrl;
use app::model::image_ref::{Digest, Repository, Tag};
use app::model::text::hex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use sha2::Digest as _;

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
    /// As the registry calls it.
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
    fn parse(place: Place<'_>, text: &str) -> Result<Self, OciError> {
        text.parse()
            .map(Self::Digest)
            .or_else(|_| text.parse().map(Self::Tag))
            .map_err(|_| place.unexpected("what was asked for is neither tag nor digest"))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }

    /// Refuses an answer about something else than the digest that was asked for.
    fn accepts(&self, place: Place<'_>, digest: &Digest) -> Result<(), OciError> {
        match self {
            Self::Digest(asked) if asked.as_str().split(':').next() == digest.as_str().split(':').next() => {
                if asked == digest { Ok(()) } else { Err(lie(place, asked, digest)) }
            }
            _ => Ok(()),
        }
    }
}

fn lie(place: Place<'_>, asked: &Digest, got: &Digest) -> OciError {
    place.unexpected(format!("the digest {} instead of {}", got.brief(), asked.brief()))
}

impl Client {
    pub(super) async fn find_digest(
        &self,
        place: Place<'_>,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Digest>, OciError> {
        let asked = Reference::parse(place, reference)?;
        let response = self.send(place, &scope(repository), request(place, Method::HEAD, repository, &asked)?).await?;
        match response.status() {
            StatusCode::OK => match stated_digest(place, response.headers())? {
                Some(digest) => {
                    asked.accepts(place, &digest)?;
                    Ok(Some(digest))
                }
                None => Ok(self.find_manifest(place, repository, &asked).await?.map(|manifest| manifest.digest)),
            },
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                Ok(self.find_manifest(place, repository, &asked).await?.map(|manifest| manifest.digest))
            }
            StatusCode::FORBIDDEN => Err(place.denied(response).await),
            _ => Err(place.surprise(response).await),
        }
    }

    /// Reads a manifest or index and checks its digest; None: 404.
    pub async fn manifest(
        &self,
        registry: &RegistryUrl,
        login: &Login,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Manifest>, OciError> {
        let place = Place { registry, login };
        self.find_manifest(place, repository, &Reference::parse(place, reference)?).await
    }

    async fn find_manifest(
        &self,
        place: Place<'_>,
        repository: &Repository,
        asked: &Reference,
    ) -> Result<Option<Manifest>, OciError> {
        let response = self.send(place, &scope(repository), request(place, Method::GET, repository, asked)?).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::FORBIDDEN => return Err(place.denied(response).await),
            _ => return Err(place.surprise(response).await),
        }
        let stated = stated_digest(place, response.headers())?;
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = whole_body(&place.host(), response, MANIFEST_BODY).await?;
        let kind_of = |digest: &Digest| digest.as_str().starts_with("sha512:");
        let is_long = match asked {
            Reference::Digest(asked) => kind_of(asked),
            Reference::Tag(_) => stated.as_ref().is_some_and(kind_of),
        };
        let digest = hash(place, &bytes, is_long)?;
        asked.accepts(place, &digest)?;
        if let Some(stated) = stated
            && kind_of(&stated) == is_long
            && stated != digest
        {
            return Err(lie(place, &digest, &stated));
        }
        Ok(Some(Manifest { digest, media_type, bytes }))
    }
}

fn scope(repository: &Repository) -> String {
    format!("repository:{repository}:pull")
}

fn request(place: Place<'_>, method: Method, repository: &Repository, asked: &Reference) -> Result<Request, OciError> {
    let mut request = Request::new(method, place.url(&format!("/v2/{repository}/manifests/{}", asked.as_str()))?);
    request.headers_mut().insert(ACCEPT, KINDS);
    Ok(request)
}

fn stated_digest(place: Place<'_>, headers: &HeaderMap) -> Result<Option<Digest>, OciError> {
    let Some(value) = headers.get("docker-content-digest") else { return Ok(None) };
    let digest = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    digest.map(Some).ok_or_else(|| place.unexpected("a digest that isn't one"))
}

fn hash(place: Place<'_>, bytes: &[u8], is_long: bool) -> Result<Digest, OciError> {
    let text = if is_long {
        format!("sha512:{}", hex(&sha2::Sha512::digest(bytes)))
    } else {
        format!("sha256:{}", hex(&sha2::Sha256::digest(bytes)))
    };
    text.parse().map_err(|_| place.unexpected("a digest that couldn't be computed"))
}
