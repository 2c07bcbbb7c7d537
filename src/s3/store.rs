//! The requests: signed addresses, sent under the address rules of `oci`.

use super::{Answer, Keys};
use crate::oci::{Guarded, Limits, OciError};
use app::error::FieldError;
use app::model::registry::S3Place;
use http::{HeaderName, HeaderValue, Method, Request};
use rusty_s3::actions::{
    AbortMultipartUpload, CreateMultipartUpload, DeleteObject, GetObject, ListObjectsV2, PutObject,
};
use rusty_s3::{Bucket, BucketError, Credentials, S3Action, UrlStyle};
use std::time::Duration;

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(10), check: Duration::from_secs(10) };
/// Bytes of an answer that are read.
const BODY: usize = 64 * 1024;
/// So long a signed address is good; clocks may differ by as much as S3 allows.
const VALID: Duration = Duration::from_secs(900);
const ENCRYPT: (&str, &str) = ("x-amz-server-side-encryption", "AES256");

/// A bucket that is asked.
pub(super) struct Store<'a> {
    pub place: &'a S3Place,
    pub keys: &'a Keys,
    bucket: Bucket,
    credentials: Credentials,
    way: Guarded,
}

/// Host and port of the store, for people.
pub(super) fn host(place: &S3Place) -> String {
    let url = endpoint(place);
    let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    authority.trim_end_matches('/').to_owned()
}

/// The store's own address; Amazon's when none is given.
fn endpoint(place: &S3Place) -> String {
    let domain = if place.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    place.endpoint.clone().unwrap_or_else(|| format!("https://s3.{}.{domain}", place.region))
}

impl<'a> Store<'a> {
    pub fn new(place: &'a S3Place, keys: &'a Keys, path_style: bool) -> Result<Self, FieldError> {
        let no_address =
            || FieldError::new("s3_endpoint", "Write the store's address, such as https://s3.example.com.");
        let url = url::Url::parse(&endpoint(place)).map_err(|_| no_address())?;
        let style = if path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket =
            Bucket::new(url, style, place.bucket.clone(), place.region.clone()).map_err(|error| match error {
                BucketError::ParseError(_) => FieldError::new(
                    "s3_path_style",
                    "The bucket's name can't be part of this store's host name. Tick this.",
                ),
                _ => no_address(),
            })?;
        let way = Guarded::new(place.internal, LIMITS)
            .map_err(|error| FieldError::new("s3_endpoint", format!("No request can be made: {error}.")))?;
        let (access, secret) =
            (keys.access.expose("requests are signed with it"), keys.secret.expose("requests are signed with it"));
        Ok(Self { place, keys, bucket, credentials: Credentials::new(access, secret), way })
    }

    /// An object that nobody else has.
    pub fn new_key(&self) -> String {
        let name = format!("slipway-probe-{}", crate::clock::random_hex::<12>());
        if self.place.prefix.is_empty() { name } else { format!("{}/{name}", self.place.prefix) }
    }

    pub async fn list(&self) -> Result<Answer, FieldError> {
        let mut action: ListObjectsV2<'_> = self.bucket.list_objects_v2(Some(&self.credentials));
        action.query_mut().insert("max-keys", "1");
        if !self.place.prefix.is_empty() {
            action.query_mut().insert("prefix", format!("{}/", self.place.prefix));
        }
        self.send(Method::GET, action, &[], &[]).await
    }

    pub async fn put(&self, key: &str, content: &[u8], encrypt: bool) -> Result<Answer, FieldError> {
        let action: PutObject<'_> = self.bucket.put_object(Some(&self.credentials), key);
        self.send(Method::PUT, action, content, if encrypt { &[ENCRYPT] } else { &[] }).await
    }

    pub async fn get(&self, key: &str) -> Result<Answer, FieldError> {
        let action: GetObject<'_> = self.bucket.get_object(Some(&self.credentials), key);
        self.send(Method::GET, action, &[], &[]).await
    }

    pub async fn begin_parts(&self, key: &str) -> Result<Answer, FieldError> {
        let action: CreateMultipartUpload<'_> = self.bucket.create_multipart_upload(Some(&self.credentials), key);
        self.send(Method::POST, action, &[], if self.place.encrypt { &[ENCRYPT] } else { &[] }).await
    }

    pub async fn abort_parts(&self, key: &str, upload: &str) -> Result<Answer, FieldError> {
        let action: AbortMultipartUpload<'_> = self.bucket.abort_multipart_upload(Some(&self.credentials), key, upload);
        self.send(Method::DELETE, action, &[], &[]).await
    }

    pub async fn delete(&self, key: &str) -> Result<Answer, FieldError> {
        let action: DeleteObject<'_> = self.bucket.delete_object(Some(&self.credentials), key);
        self.send(Method::DELETE, action, &[], &[]).await
    }

    /// Headers have to be signed with the rest.
    async fn send<'b>(
        &'b self,
        method: Method,
        mut action: impl S3Action<'b>,
        body: &[u8],
        headers: &[(&'static str, &'static str)],
    ) -> Result<Answer, FieldError> {
        for (name, value) in headers {
            action.headers_mut().insert(*name, *value);
        }
        let url = action.sign(VALID);
        let mut request = Request::new(body.to_vec());
        *request.method_mut() = method;
        let uri = url.as_str().parse();
        *request.uri_mut() =
            uri.map_err(|_| FieldError::new("s3_endpoint", "This isn't an address. Check its spelling."))?;
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        // Some stores want to know that nothing comes.
        request.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        let host = url.host_str().unwrap_or_default().to_owned();
        let host = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        match self.way.send(&host, request, BODY).await {
            Ok(response) => Ok(Answer::read(response)),
            Err(error) => Err(unreachable(&error)),
        }
    }
}

/// Why there is no answer, at the endpoint.
fn unreachable(error: &OciError) -> FieldError {
    let text = match error {
        OciError::Dns { host } => format!("The name {host} can't be resolved. Check its spelling."),
        OciError::Refused { host } => {
            format!(
                "{host} refuses connections: nothing listens there. Check host and port, and whether the store runs."
            )
        }
        OciError::Tls { host, reason } => format!("There is no trusted TLS connection to {host}: {reason}."),
        OciError::Timeout { host } => {
            format!("{host} didn't answer in time. Check the address, and whether a firewall stands in between.")
        }
        OciError::NotARegistry { host, reason } => format!("{host} can't be used: {reason}."),
        OciError::Forbidden { host, reason, internal_helps: true } => {
            format!(
                "Slipway didn't connect to {host}: {reason}. If the store is yours, tick that it is on an internal network."
            )
        }
        OciError::Forbidden { host, reason, .. } => {
            format!("Slipway didn't connect to {host}: {reason}. It never connects there.")
        }
        other => format!("{} can't be used: {other}.", other.host()),
    };
    FieldError::new("s3_endpoint", text)
}
