//! Calls to a registry's other interfaces, under the same rules as all requests: guarded addresses, no redirects, limits.

use super::{Access, Client, Login, OciError};
use app::model::credential::Trust;
use app::model::secret::Secret;

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: http::HeaderMap,
    /// The body, up to the limit for lists.
    pub body: Vec<u8>,
    /// Where a list goes on (`Link` with `rel=next`): path and query on the origin that was asked, whatever host it names.
    pub next: Option<String>,
}

/// How a call says who asks.
#[derive(Clone, Debug)]
pub enum Sign {
    /// Not at all.
    Nothing,
    /// Basic authentication.
    Basic(Login),
    /// A token.
    Bearer(Secret),
    /// A header of its own, `PRIVATE-TOKEN` for example.
    Header(&'static str, Secret),
}

/// A call to an interface that isn't the registry protocol. The address is the adapter's own, never a registry's answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// GET or POST.
    pub method: http::Method,
    /// The whole address.
    pub url: String,
    /// Who asks.
    pub sign: Sign,
    /// More headers, `content-type` for example.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// GET below the registry's own address, with the registry's sign-in. Statuses other than 401 are the caller's to judge.
    pub async fn get(&self, access: &Access, path: &str, scope: &str) -> Result<Answer, OciError> {
        let _ = (access, path, scope);
        unimplemented!("helper oci")
    }

    /// A call to another interface. Any status is the caller's to judge, but 429, which is [`OciError::RateLimited`].
    pub async fn call(&self, trust: &Trust, call: Call) -> Result<Answer, OciError> {
        let _ = (trust, call);
        unimplemented!("helper oci")
    }
}
