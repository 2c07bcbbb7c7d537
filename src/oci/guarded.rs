//! The way out for others that ask addresses which people typed: the rules of this part (addresses judged when connecting, no
//! redirects, no proxies, limits of time and size), without the manners of registries.

use super::transport::{ClientError, Limits, Routes, check_url};
use super::{OciError, failure, resolver};
use app::model::credential::Trust;
use http::{Request, Response};

/// Sends requests to the addresses that a trust opens.
pub struct Guarded {
    routes: Routes,
    trust: Trust,
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("trust", &self.trust).finish_non_exhaustive()
    }
}

impl Guarded {
    /// A way out. `internal`: private addresses and plain HTTP are allowed.
    pub fn new(internal: bool, limits: Limits) -> Result<Self, ClientError> {
        let guarded =
            Self { routes: Routes::new(limits, resolver::system()), trust: Trust { internal, ..Trust::default() } };
        // Made now, so that a machine without authorities is noticed here.
        guarded.routes.of(&guarded.trust)?;
        Ok(guarded)
    }

    /// Sends a request and reads its answer, of which at most `limit` bytes are kept. `host` is what people are told.
    pub async fn send(
        &self,
        host: &str,
        request: Request<Vec<u8>>,
        limit: usize,
    ) -> Result<Response<Vec<u8>>, OciError> {
        let request = reqwest::Request::try_from(request).map_err(|error| failure::failure(host, &error))?;
        check_url(host, request.url(), &self.trust)?;
        let route = self.routes.of(&self.trust).map_err(|error| OciError::Unexpected {
            host: host.to_owned(),
            answer: format!("no request can be made: {error}"),
        })?;
        let mut answer = route.http.execute(request).await.map_err(|error| failure::failure(host, &error))?;
        let mut body = Vec::new();
        while body.len() < limit
            && let Some(chunk) = answer.chunk().await.map_err(|error| failure::failure(host, &error))?
        {
            body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        }
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}
