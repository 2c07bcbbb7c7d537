//! Calls to a registry's other interfaces, under the same rules as all requests: guarded addresses, no redirects, limits.

use super::answer::{LIST_BODY, sanitise, whole_body};
use super::auth::{basic, signed};
use super::transport::Response;
use super::{Access, Client, Login, OciError, link};
use app::model::credential::Trust;
use app::model::secret::Secret;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

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
        self.ask(access, Method::GET, path, scope).await
    }

    /// The same by HEAD: Docker Hub tells by it how many pulls are left, and doesn't count it.
    pub async fn head(&self, access: &Access, path: &str, scope: &str) -> Result<Answer, OciError> {
        self.ask(access, Method::HEAD, path, scope).await
    }

    pub(super) async fn ask(
        &self,
        access: &Access,
        method: Method,
        path: &str,
        scope: &str,
    ) -> Result<Answer, OciError> {
        let is_path = path.starts_with('/') && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'#');
        if !is_path {
            return Err(access.unexpected("a path that isn't one was about to be asked"));
        }
        let mut request = Request::new(method, access.at(path)?);
        request.headers_mut().insert(reqwest::header::ACCEPT, HeaderValue::from_static("*/*"));
        let response = self.send(access, scope, request).await?;
        answer(&access.host(), response).await
    }

    /// A call to another interface. Any status is the caller's to judge, but 429, which is [`OciError::RateLimited`].
    pub async fn call(&self, trust: &Trust, call: Call) -> Result<Answer, OciError> {
        let wrong = |host: &str, what: &str| OciError::Unexpected { host: host.to_owned(), answer: what.to_owned() };
        let url =
            Url::parse(&call.url).map_err(|error| wrong("The registry", &format!("its address is no URL: {error}")))?;
        let host = sanitise(url.host_str().unwrap_or("an address without host"));
        let mut request = Request::new(call.method, url);
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).map_err(|_| wrong(&host, "a header that can't be sent"))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        if !call.body.is_empty() {
            *request.body_mut() = Some(call.body.into());
        }
        let request = match &call.sign {
            Sign::Nothing => request,
            Sign::Basic(login) => signed(&host, request, &basic(login))?,
            Sign::Bearer(token) => {
                signed(&host, request, &format!("Bearer {}", token.expose("a call of the provider's interface")))?
            }
            Sign::Header(name, secret) => {
                let value = secret.expose("a call of the provider's interface");
                let value = HeaderValue::from_str(value);
                let mut value = value.map_err(|_| wrong(&host, "a token that can't stand in a header"))?;
                value.set_sensitive(true);
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(&host, "no header's name"))?;
                request_with(request, name, value)
            }
        };
        let response = self.execute(trust, &host, request).await?;
        answer(&host, response).await
    }
}

fn request_with(mut request: Request, name: HeaderName, value: HeaderValue) -> Request {
    request.headers_mut().insert(name, value);
    request
}

async fn answer(host: &str, response: Response) -> Result<Answer, OciError> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let next = link::next(response.url(), &headers);
    let body = whole_body(host, response, LIST_BODY).await?;
    Ok(Answer { status, headers, body, next })
}
