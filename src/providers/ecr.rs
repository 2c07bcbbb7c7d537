//! Amazon's Elastic Container Registry.
//!
//! What is stored is an access key: its id as user name, and the secret key as password, `secret|session` for a temporary
//! session. The registry takes neither: `GetAuthorizationToken` gives the user `AWS` a password for twelve hours, which is
//! kept in memory until an hour before. A stored user `AWS` is such a password already and stays as it is.
//!
//! Lists come from ECR's own interface, which the registry's password doesn't open; so the adapter remembers which key a
//! password was made from. What must always hold: secret keys sign and are never sent.

use super::ask::{self, host_of, listed, said};
use super::generic::{Generic, is_registrys};
use super::kept::{self, Kept, Key};
use super::sigv4::{self, Keys, Scope};
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::clock::Clock;
use crate::oci::{Access, Answer, Call, Login, OciError, Sign};
use app::error::Problem;
use app::model::credential::Trust;
use app::model::image_ref::{RegistryHost, Repository, Tag};
use app::model::secret::Secret;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

const REFUSED: &str = "AWS doesn't let this access key list: it needs ecr:DescribeRepositories (or the managed policy \
    AmazonEC2ContainerRegistryReadOnly). Or type a name and Slipway checks it.";
const NOTHING: &str = "AWS shows this login no repositories in this account and region: either there are none yet, or it \
    may not see them. Type a name and Slipway checks it.";
/// The user whose password the registry takes.
const USER: &str = "AWS";
/// How long a password is good when AWS doesn't say it, and how long before its end a new one is asked for. Seconds.
const LIFETIME: i64 = 12 * 3_600;
const MARGIN: i64 = 3_600;

/// Where a registry is, as its host says: `<account>.dkr.ecr.<region>.amazonaws.com`.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    account: &'a str,
    region: &'a str,
    is_china: bool,
}

/// ECR.
pub(super) struct Ecr {
    registry: Generic,
    endpoint: String,
    clock: Clock,
    logins: Kept<Login>,
    /// Which key a password was made from, and until when it is good.
    made_from: Mutex<HashMap<Key, (Arc<Keys>, i64)>>,
}

/// Why AWS said no.
struct Refusal {
    kind: String,
    said: String,
    status: u16,
}

enum Failure {
    Oci(OciError),
    Refused(Refusal),
}

impl From<OciError> for Failure {
    fn from(error: OciError) -> Self {
        Self::Oci(error)
    }
}

impl Failure {
    /// For a sign-in.
    fn login(self, host: &RegistryHost) -> OciError {
        let host = host.to_string();
        match self {
            Self::Oci(error) => error,
            Self::Refused(refusal) => {
                let answer = format!("{}: {}", refusal.kind, refusal.said);
                match refusal.kind.as_str() {
                    "ThrottlingException" => OciError::RateLimited { host, seconds: None },
                    "AccessDeniedException" => OciError::Denied { host, answer },
                    "UnrecognizedClientException"
                    | "InvalidSignatureException"
                    | "ExpiredTokenException"
                    | "IncompleteSignature"
                    | "MissingAuthenticationTokenException" => OciError::WrongCredentials { host, answer },
                    _ => OciError::Unexpected { host, answer: format!("{}: {answer}", refusal.status) },
                }
            }
        }
    }

    /// Whether the registry itself may still list.
    fn is_denial(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.kind == "AccessDeniedException")
    }
}

impl Ecr {
    pub(super) fn new(registry: Generic, endpoint: String, clock: Clock) -> Self {
        Self { registry, endpoint, clock, logins: Kept::default(), made_from: Mutex::default() }
    }

    async fn ask(
        &self,
        trust: &Trust,
        keys: &Keys,
        place: &Place<'_>,
        action: &str,
        body: &Value,
    ) -> Result<Answer, Failure> {
        let mut url = self.endpoint.replace("{region}", place.region);
        if place.is_china && url.ends_with(".amazonaws.com") {
            url.push_str(".cn");
        }
        let body = body.to_string().into_bytes();
        let at = OffsetDateTime::from_unix_timestamp(self.clock.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let scope = Scope { region: place.region, service: "ecr", at };
        let (kind, time) = ("application/x-amz-json-1.1", scope.time());
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
        let session = keys.session.as_ref().map(|session| session.expose("it is signed and sent to AWS"));
        let mut signed = vec![("content-type", kind), ("host", host_of(&url)), ("x-amz-date", time.as_str())];
        signed.extend(session.map(|session| ("x-amz-security-token", session)));
        signed.push(("x-amz-target", target.as_str()));
        let authorization = sigv4::authorization(keys, &scope, "POST", "", &signed, &body);
        let headers = vec![
            ("content-type", kind.to_owned()),
            ("x-amz-date", time.clone()),
            ("x-amz-target", target.clone()),
            ("authorization", authorization),
        ];
        let sign = keys.session.clone().map_or(Sign::Nothing, |token| Sign::Header("x-amz-security-token", token));
        let call = Call { method: http::Method::POST, url: format!("{url}/"), sign, headers, body };
        let answer = self.registry.0.call(trust, call).await?;
        if answer.status == 200 { Ok(answer) } else { Err(Failure::Refused(refused(&answer))) }
    }

    /// Exchanges an access key for the registry's password.
    async fn exchange(&self, access: &Access, keys: Keys) -> Result<(Login, i64), OciError> {
        #[derive(Deserialize)]
        struct Granted {
            #[serde(rename = "authorizationData")]
            data: Vec<Data>,
        }
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "authorizationToken")]
            token: Secret,
            #[serde(default, rename = "expiresAt")]
            ends: Option<f64>,
        }
        let host = &access.url.host;
        let place = place(host).ok_or_else(|| OciError::NotARegistry {
            host: host.to_string(),
            reason: "an ECR registry's host looks like 123456789012.dkr.ecr.eu-central-1.amazonaws.com".into(),
        })?;
        let asked = self.ask(&access.trust, &keys, &place, "GetAuthorizationToken", &json!({})).await;
        let answer = asked.map_err(|failure| failure.login(host))?;
        let granted: Granted = ask::read(host.as_str(), &answer)?;
        let data = granted.data.into_iter().next();
        let login = data.as_ref().and_then(|data| {
            let text = STANDARD.decode(data.token.expose("it holds the registry's password")).ok()?;
            let text = String::from_utf8(text).ok()?;
            let (user, password) = text.split_once(':')?;
            (user == USER).then(|| Login { username: user.to_owned(), password: Secret::new(password.to_owned()) })
        });
        let login = login.ok_or_else(|| OciError::Unexpected {
            host: host.to_string(),
            answer: "AWS sent no password for the registry".into(),
        })?;
        let now = self.clock.seconds();
        let ends = data.and_then(|data| data.ends).map_or(now + LIFETIME, whole_seconds);
        // A clock that is wrong must not lead to a request a second.
        let until = (ends - MARGIN).clamp(now + 60, now + LIFETIME);
        let mut made_from = self.made_from.lock().unwrap_or_else(PoisonError::into_inner);
        made_from.retain(|_, (_, ends)| *ends > now);
        made_from.insert(password_key(&login), (Arc::new(keys), ends.max(until)));
        Ok((login, until))
    }

    /// The access key behind a login, and the place; None: the registry's own lists have to do.
    fn interface<'a>(&self, access: &'a Access) -> Option<(Arc<Keys>, Place<'a>)> {
        let key = password_key(access.login.as_ref()?);
        let made_from = self.made_from.lock().unwrap_or_else(PoisonError::into_inner);
        Some((made_from.get(&key)?.0.clone(), place(&access.url.host)?))
    }
}

fn password_key(login: &Login) -> Key {
    kept::key(&[&login.username, login.password.expose("its key is looked up")])
}

/// `1795554000.123` → `1795554000`.
fn whole_seconds(seconds: f64) -> i64 {
    format!("{:.0}", seconds.trunc()).parse().unwrap_or_default()
}

fn place(host: &RegistryHost) -> Option<Place<'_>> {
    let (rest, is_china) = match host.as_str().strip_suffix(".amazonaws.com") {
        Some(rest) => (rest, false),
        None => (host.as_str().strip_suffix(".amazonaws.com.cn")?, true),
    };
    let (account, rest) = rest.split_once('.')?;
    let region = rest.strip_prefix("dkr.ecr.").or_else(|| rest.strip_prefix("dkr.ecr-fips."))?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_region = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !region.is_empty();
    (is_account && is_region).then_some(Place { account, region, is_china })
}

/// The access key in a stored login.
fn keys(stored: &Login) -> Keys {
    let text = stored.password.expose("secret key and session are told apart");
    let (secret, session) = text.split_once('|').map_or((text, None), |(secret, session)| (secret, Some(session)));
    Keys {
        id: stored.username.trim().to_owned(),
        secret: Secret::new(secret.trim().to_owned()),
        session: session.map(|session| Secret::new(session.trim().to_owned())),
    }
}

fn refused(answer: &Answer) -> Refusal {
    #[derive(Default, Deserialize)]
    struct Kind {
        #[serde(default, rename = "__type")]
        kind: String,
    }
    let kind = serde_json::from_slice::<Kind>(&answer.body).unwrap_or_default().kind;
    let kind = ask::shown(kind.rsplit('#').next().unwrap_or_default());
    Refusal { kind, said: said(answer, None), status: answer.status }
}

fn list_error(failure: Failure, access: &Access) -> ListError {
    ask::catalog_refusal(failure.login(&access.url.host), REFUSED)
}

#[async_trait]
impl Adapter for Ecr {
    async fn login(&self, access: &Access, stored: &Login) -> Result<Login, OciError> {
        if stored.username == USER {
            return Ok(stored.clone());
        }
        let secret = stored.password.expose("passwords of different keys are kept apart");
        let key = kept::key(&[access.url.host.as_str(), &stored.username, secret]);
        self.logins.get(key, self.clock.seconds(), self.exchange(access, keys(stored))).await
    }

    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            repositories: Vec<Described>,
            #[serde(default, rename = "nextToken")]
            next: Option<String>,
        }
        #[derive(Deserialize)]
        struct Described {
            #[serde(rename = "repositoryName")]
            name: String,
        }
        let access = asker.access;
        if let Some((keys, place)) = self.interface(access).filter(|_| !is_registrys(cursor)) {
            let mut body = json!({ "registryId": place.account, "maxResults": 1000 });
            if let Some(token) = cursor {
                body["nextToken"] = token.into();
            }
            match self.ask(&access.trust, &keys, &place, "DescribeRepositories", &body).await {
                Ok(answer) => {
                    let list: List = ask::read(access.url.host.as_str(), &answer)?;
                    let names: Vec<_> = list.repositories.into_iter().map(|described| described.name).collect();
                    if names.is_empty() && cursor.is_none() && list.next.is_none() {
                        return Err(ListError::CannotList(NOTHING.into()));
                    }
                    let items = names.iter().filter_map(|name| listed(name, None)).collect();
                    return Ok(Page { items, next: list.next });
                }
                Err(failure) if failure.is_denial() => {}
                Err(failure) => return Err(list_error(failure, access)),
            }
        }
        self.registry.catalog(access, cursor.filter(|_| is_registrys(cursor)), REFUSED, NOTHING).await
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default, rename = "imageDetails")]
            images: Vec<Described>,
            #[serde(default, rename = "nextToken")]
            next: Option<String>,
        }
        #[derive(Deserialize)]
        struct Described {
            #[serde(default, rename = "imageDigest")]
            digest: Option<String>,
            #[serde(default, rename = "imageTags")]
            tags: Option<Vec<String>>,
            #[serde(default, rename = "imageSizeInBytes")]
            size: Option<u64>,
            #[serde(default, rename = "imagePushedAt")]
            pushed: Option<f64>,
        }
        if let Some((keys, place)) = self.interface(access).filter(|_| !is_registrys(cursor)) {
            let mut body = json!({
                "registryId": place.account, "repositoryName": repository.as_str(),
                "filter": { "tagStatus": "TAGGED" }, "maxResults": 1000,
            });
            if let Some(token) = cursor {
                body["nextToken"] = token.into();
            }
            match self.ask(&access.trust, &keys, &place, "DescribeImages", &body).await {
                Ok(answer) => {
                    let list: List = ask::read(access.url.host.as_str(), &answer)?;
                    let items = list.images.into_iter().flat_map(|image| {
                        let digest = image.digest.as_deref().and_then(|digest| digest.parse().ok());
                        let at = image.pushed.map(whole_seconds).filter(|at| *at > 0);
                        let names = image.tags.unwrap_or_default().into_iter().filter_map(|tag| tag.parse().ok());
                        names.map(move |name| ListedTag { name, digest: digest.clone(), at, size: image.size })
                    });
                    return Ok(Page { items: items.collect(), next: list.next });
                }
                Err(failure) if failure.is_denial() => {}
                Err(failure) => return Err(list_error(failure, access)),
            }
        }
        self.registry.tag_names(access, repository, cursor.filter(|_| is_registrys(cursor))).await
    }

    async fn untag(&self, _: &Access, _: &Repository, _: &Tag) -> Result<Untag, OciError> {
        Ok(Untag::Cannot(
            "Amazon ECR deletes an image with its last tag, so that nothing could be brought back.",
            "Give the repository a lifecycle policy there.",
        ))
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::ECR, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_region_are_in_the_host() {
        let host = |text: &str| text.parse::<RegistryHost>().expect("a host");
        let of = host("123456789012.dkr.ecr.eu-central-1.amazonaws.com");
        assert_eq!(place(&of), Some(Place { account: "123456789012", region: "eu-central-1", is_china: false }));
        let of = host("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
        assert_eq!(place(&of), Some(Place { account: "123456789012", region: "cn-north-1", is_china: true }));
        for text in [
            "public.ecr.aws",
            "dkr.ecr.eu-central-1.amazonaws.com",
            "123456789012.dkr.ecr.a.b.amazonaws.com",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example",
        ] {
            assert_eq!(place(&host(text)), None, "{text}");
        }
    }

    #[test]
    fn a_session_stands_behind_the_secret() {
        let of = |text: &str| keys(&Login { username: "AKIA".into(), password: Secret::new(text.into()) });
        assert_eq!(of("secret").session, None);
        let keys = of("secret|token==");
        assert_eq!(keys.secret.expose("test"), "secret");
        assert_eq!(keys.session.map(|session| session.expose("test").to_owned()), Some("token==".into()));
        assert_eq!(whole_seconds(1_795_554_000.987), 1_795_554_000);
    }
}
