//! Lists: the catalog of repositories and the tags of one (OCI distribution specification, "Content discovery"; the catalog
//! is CNCF distribution's).
//!
//! What must always hold: each page is asked at the endpoint of its list, whatever the page before it says; a page that
//! broke off or is something else is an error and never a short list; going on makes progress or ends. Whoever reads page
//! after page still has to stop somewhere: a liar can make up names for ever.

use super::answer::{LIST_BODY, whole_body};
use super::{Access, Client, OciError, link};
use app::model::image_ref::{Repository, Tag};
use reqwest::{Method, Request, StatusCode, Url};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;
use std::str::FromStr;

/// Page sizes, the best first; None leaves it to the registry.
const SIZES: [Option<u16>; 3] = [Some(1000), Some(100), None];
/// Entries of one page that are kept.
const MANY: usize = 1_000_000;

/// A part of a list, and where it goes on: path and query on the registry's own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The well-formed ones, in the registry's order. What is no name (null, a digest among tags) is left out.
    pub names: Vec<String>,
    /// Where it goes on; None: this was the last.
    pub next: Option<String>,
}

impl Client {
    /// Repositories, by `GET /v2/_catalog`; `next` is the one of the page before.
    pub async fn repositories(&self, access: &Access, next: Option<&str>) -> Result<Names, OciError> {
        self.list::<Repository>(access, "/v2/_catalog", "registry:catalog:*", "repositories", next).await
    }

    /// Tags of a repository. A repository that doesn't exist is [`OciError::NotOffered`], with the registry's own words.
    pub async fn tags(&self, access: &Access, repository: &Repository, next: Option<&str>) -> Result<Names, OciError> {
        let endpoint = format!("/v2/{repository}/tags/list");
        self.list::<Tag>(access, &endpoint, &format!("repository:{repository}:pull"), "tags", next).await
    }

    async fn list<T: FromStr>(
        &self,
        access: &Access,
        endpoint: &str,
        scope: &str,
        field: &str,
        next: Option<&str>,
    ) -> Result<Names, OciError> {
        if let Some(next) = next {
            let url = continued(access, endpoint, next)?;
            let page = self.page::<T>(access, url, scope, field).await?;
            return page.ok_or_else(|| access.unexpected("it refuses the page size that it chose itself"));
        }
        for size in SIZES {
            let query = size.map(|size| format!("?n={size}")).unwrap_or_default();
            let url = access.at(&format!("{endpoint}{query}"))?;
            if let Some(page) = self.page::<T>(access, url, scope, field).await? {
                return Ok(page);
            }
        }
        Err(access.unexpected("it refuses every page size"))
    }

    /// One page; None: its size is refused.
    async fn page<T: FromStr>(
        &self,
        access: &Access,
        url: Url,
        scope: &str,
        field: &str,
    ) -> Result<Option<Names>, OciError> {
        let request = Request::new(Method::GET, url.clone());
        let response = match self.send(access, scope, request).await {
            Ok(response) => response,
            // Harbor and others ask for the password and then refuse who may not list: only a sign-in tells whether the
            // password is wrong.
            Err(OciError::WrongCredentials { host, answer }) => {
                self.check(access).await?;
                return Err(OciError::Denied { host, answer });
            }
            Err(error) => return Err(error),
        };
        match response.status() {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => return Err(access.denied(response).await),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                return Err(access.not_offered(response).await);
            }
            StatusCode::BAD_REQUEST => {
                let error = access.surprise(response).await;
                let is_size = error.to_string().contains("PAGINATION_NUMBER_INVALID");
                return if is_size { Ok(None) } else { Err(error) };
            }
            _ => return Err(access.surprise(response).await),
        }
        let following = link::next(&url, response.headers());
        let body = whole_body(&access.host(), response, LIST_BODY).await?;
        let found = read(&body, field).ok_or_else(|| access.unexpected("a list that isn't one"))?;
        let is_empty = found.seen == 0;
        let kept = found.names.len();
        let names: Vec<String> = found.names.into_iter().filter(|name| name.parse::<T>().is_ok()).collect();
        if names.len() < found.seen {
            let left_out = found.seen - names.len();
            tracing::debug!(registry.host = %access.host(), left_out, kept, "a list has entries that are no names");
        }
        // Only what comes behind the question mark is the registry's to say.
        let path = url.path();
        let next = following.and_then(|next| next.split_once('?').map(|(_, query)| format!("{path}?{query}")));
        // Gitea always names a next page; buggy proxies name this one.
        let next = next.filter(|next| !is_empty && Some(next.as_str()) != path_and_query(&url).as_deref());
        Ok(Some(Names { names, next }))
    }
}

/// The address of a page that goes on. It may have lain in a database since.
fn continued(access: &Access, endpoint: &str, next: &str) -> Result<Url, OciError> {
    let wrong = || access.unexpected("a place to go on at that isn't in this list");
    let is_fit = next.len() <= 10_000 && next.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'#');
    if !is_fit || next.split_once('?').is_none_or(|(path, _)| path != endpoint) {
        return Err(wrong());
    }
    let url = access.at(next)?;
    if url.path() == endpoint && access.owns(&url) { Ok(url) } else { Err(wrong()) }
}

fn path_and_query(url: &Url) -> Option<String> {
    url.query().map(|query| format!("{}?{query}", url.path()))
}

/// What a page's list holds: texts, and how many entries of any kind.
#[derive(Default)]
struct Texts {
    names: Vec<String>,
    seen: usize,
}

/// Reads the list `field` of an object; a list that is missing or null is empty.
fn read(body: &[u8], field: &str) -> Option<Texts> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        repositories: Option<Texts>,
        #[serde(default)]
        tags: Option<Texts>,
    }
    let page: Page = serde_json::from_slice(body).ok()?;
    Some(if field == "tags" { page.tags } else { page.repositories }.unwrap_or_default())
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Texts, A::Error> {
                let mut texts = Texts::default();
                while let Some(entry) = entries.next_element::<Entry>()? {
                    texts.seen += 1;
                    if let Entry::Text(name) = entry
                        && texts.names.len() < MANY
                    {
                        texts.names.push(name);
                    }
                }
                Ok(texts)
            }
        }
        from.deserialize_seq(List)
    }
}

/// An entry: a name, or something that isn't one (Nexus sends null, others numbers).
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Other(IgnoredAny),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_all_their_flaws() {
        for (body, field, names, seen) in [
            (r#"{"repositories":["a/b","c"]}"#, "repositories", vec!["a/b", "c"], 2),
            (r#"{"name":"a/b","tags":["1",null,2,"x",["y"],{"z":1},true]}"#, "tags", vec!["1", "x"], 7),
            (r#"{"name":"a/b","tags":null}"#, "tags", vec![], 0),
            (r#"{"tags":[]}"#, "tags", vec![], 0),
            (r#"{"name":"a/b"}"#, "tags", vec![], 0),
            (r#"{"errors":null,"tags":["1"],"manifest":{"sha256:x":{}},"child":[]}"#, "tags", vec!["1"], 1),
        ] {
            let found = read(body.as_bytes(), field).unwrap_or_else(|| panic!("{body}"));
            assert_eq!((found.names, found.seen), (names.into_iter().map(str::to_owned).collect(), seen), "{body}");
        }
        for body in
            ["", "[]x", "<html>", r#"{"tags":"1"}"#, r#"{"tags":{"a":1}}"#, r#"{"tags":["1"#, "{\"tags\":[\"\u{1}\"]}"]
        {
            assert!(read(body.as_bytes(), "tags").is_none(), "{body}");
        }
        assert!(read(br#"{"tags":["1"],"tags":["2"]}"#, "tags").is_none(), "two lists under one name");
        assert!(read(b"{\"tags\":[\"\xff\"]}", "tags").is_none(), "no UTF-8");
    }

    /// S3: a place to go on at is data, wherever it was kept.
    #[test]
    fn only_the_same_list_goes_on() {
        let access = Access::public("https://r.example".parse().expect("a registry"));
        let go_on = |next: &str| continued(&access, "/v2/a/b/tags/list", next).ok().map(|url| url.to_string());
        let fits = "/v2/a/b/tags/list?last=x%2Fy&n=100";
        assert_eq!(go_on(fits), Some(format!("https://r.example{fits}")));
        for next in [
            "",
            "/v2/a/b/tags/list",
            "/v2/a/c/tags/list?last=x",
            "/v2/_catalog?last=x",
            "/v2/a/b/tags/list/../../../../x?last=x",
            "https://evil.example/v2/a/b/tags/list?last=x",
            "//evil.example/v2/a/b/tags/list?last=x",
            "@evil.example/v2/a/b/tags/list?last=x",
            ".evil.example/?",
            ":99/v2/a/b/tags/list?x",
            "/v2/a/b/tags/list?last=x y",
            "/v2/a/b/tags/list?last=x#y",
            "/v2/a/b/tags/list?last=x\r\nhost: evil.example",
        ] {
            assert_eq!(go_on(next), None, "{next:?}");
        }
    }
}
