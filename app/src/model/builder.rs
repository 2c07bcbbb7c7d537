//! What runs builds, and the rules of its forms.

use super::id::BuilderId;
use super::image_ref::ImageRef;
use super::platform::Platform;
use super::secret::Secret;
use super::text;
use crate::error::{FieldError, Problem};
use serde::{Deserialize, Serialize};

/// The image that a builder's container is made from, unless another is typed.
pub const BUILDKIT: &str = "moby/buildkit:buildx-stable-1";
/// The engine's place among ids in addresses.
const ENGINE: &str = "engine";
/// Most builds at once that can be typed.
const MOST: u32 = 64;
/// Largest certificate or key.
const PEM: usize = 16 * 1_024;

/// Which builder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WhichBuilder {
    /// The engine's own; it is always there.
    Engine,
    /// One that somebody added.
    Added(BuilderId),
}

impl WhichBuilder {
    /// What its jobs take a place of.
    pub fn resource(&self) -> String {
        format!("builder:{self}")
    }

    /// None: the engine.
    pub fn id(&self) -> Option<&BuilderId> {
        match self {
            Self::Engine => None,
            Self::Added(id) => Some(id),
        }
    }
}

impl std::fmt::Display for WhichBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id().map_or(ENGINE, BuilderId::as_str))
    }
}

impl std::str::FromStr for WhichBuilder {
    type Err = super::id::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == ENGINE { Ok(Self::Engine) } else { text.parse().map(Self::Added) }
    }
}

impl TryFrom<String> for WhichBuilder {
    type Error = super::id::NotAnId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<WhichBuilder> for String {
    fn from(which: WhichBuilder) -> Self {
        which.to_string()
    }
}

/// What kind of builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuilderKind {
    /// The builder of the engine that Slipway deploys to.
    Engine,
    /// A container of BuildKit on that engine.
    Container,
    /// Machines elsewhere, one for each platform.
    Remote,
}

impl BuilderKind {
    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Container => "container",
            Self::Remote => "remote",
        }
    }
}

impl std::str::FromStr for BuilderKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Engine, Self::Container, Self::Remote]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| "There is no such kind of builder.".into())
    }
}

/// How a machine is reached: `ssh://user@host[:port]` for its Docker engine, `tcp://host:port` for its BuildKit with TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(String);

impl Endpoint {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached by SSH; otherwise by TCP with TLS.
    pub fn is_ssh(&self) -> bool {
        self.0.starts_with("ssh://")
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const LIKE: &str = "Type ssh://user@host, or tcp://host:port.";
        let text = text.trim();
        let fits = if let Some(rest) = text.strip_prefix("ssh://") {
            let (user, place) = rest.split_once('@').ok_or("Say as whom to sign in: ssh://user@host.")?;
            is_word(user) && is_place(place, false)
        } else if let Some(place) = text.strip_prefix("tcp://") {
            is_place(place, true)
        } else {
            return Err(LIKE.into());
        };
        if fits && text.len() <= 300 { Ok(Self(text.to_owned())) } else { Err(LIKE.into()) }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0
    }
}

/// A user's or host's name: never anything that a program could take for an option.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_place(text: &str, needs_port: bool) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) if host.parse::<std::net::Ipv6Addr>().is_ok() => match rest {
            "" => ("six", None),
            rest => match rest.strip_prefix(':') {
                Some(port) => ("six", Some(port)),
                None => return false,
            },
        },
        Some(_) => return false,
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let has_port = match port {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => !needs_port,
    };
    is_word(host) && has_port
}

/// A machine of a builder elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuilderNode {
    /// Which of the builder's machines; never used twice.
    pub number: u32,
    /// What it builds for, natively.
    pub platform: Platform,
    /// How it is reached.
    pub endpoint: Endpoint,
}

/// What a builder's container may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Processor time in thousandths of a core; None: no limit.
    pub cpus: Option<u32>,
    /// Memory in MiB; None: no limit.
    pub memory: Option<u32>,
}

impl Caps {
    /// Cores as they are typed: `1.5`.
    pub fn typed_cpus(&self) -> String {
        let Some(cpus) = self.cpus else { return String::new() };
        let text = format!("{}.{:03}", cpus / 1_000, cpus % 1_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A platform that a builder builds for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builds {
    /// Which.
    pub platform: Platform,
    /// Whether its processor runs it; otherwise it is emulated.
    pub is_native: bool,
}

/// How a builder was when last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuilderState {
    /// Nobody looked yet.
    Unknown,
    /// It builds.
    Works,
    /// It doesn't.
    Fails(Problem),
}

/// A builder, and what was found when last looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// Which.
    pub which: WhichBuilder,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: BuilderKind,
    /// The image of its containers; None: the engine's own builder.
    pub image: Option<ImageRef>,
    /// What its container may use.
    pub caps: Caps,
    /// Its machines, when they are elsewhere.
    pub nodes: Vec<BuilderNode>,
    /// Most builds at once; None: as many as there are places for all builds.
    pub limit: Option<u32>,
    /// How it is.
    pub state: BuilderState,
    /// Whether somebody looks just now.
    pub is_looking: bool,
    /// What it builds for: the native ones first.
    pub platforms: Vec<Builds>,
    /// Whether one image for several platforms can be made.
    pub makes_several: bool,
    /// Bytes of its cache.
    pub disk: Option<u64>,
    /// When it was looked at, Unix seconds; 0: never.
    pub looked_at: i64,
    /// Grows with every change.
    pub version: i64,
}

/// What the form of a builder sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BuilderForm {
    /// `container` or `remote`; what is there keeps its kind.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// The image of BuildKit; empty: the usual one.
    pub image: String,
    /// Cores, as a number; empty: no limit.
    pub cpus: String,
    /// MiB; empty: no limit.
    pub memory: String,
    /// Builds at once; empty: no limit of its own.
    pub limit: String,
    /// Of a new remote one's first machine: see [`NodeForm`].
    pub platform: String,
    /// How it is reached.
    pub endpoint: String,
    /// Its authority.
    pub ca: String,
    /// Our certificate.
    pub certificate: String,
    /// Its key.
    pub secret_key: Secret,
}

/// A builder's fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderFields {
    /// What people call it.
    pub name: String,
    /// The image of BuildKit.
    pub image: ImageRef,
    /// What its container may use.
    pub caps: Caps,
    /// Builds at once.
    pub limit: Option<u32>,
}

impl BuilderForm {
    /// All broken rules at once, or the fields.
    pub fn validated(&self) -> Result<BuilderFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).ok();
        let image = if self.image.trim().is_empty() { BUILDKIT } else { self.image.trim() };
        let image = image.parse::<ImageRef>().map_err(|error| errors.push(FieldError::new("image", error.0))).ok();
        let cpus = cpus(&self.cpus).map_err(|error| errors.push(error)).unwrap_or_default();
        let memory =
            number("memory", &self.memory, 128, 4_194_304).map_err(|error| errors.push(error)).unwrap_or_default();
        let limit = limit(&self.limit).map_err(|error| errors.push(error)).unwrap_or_default();
        match (name, image) {
            (Some(name), Some(image)) if errors.is_empty() => {
                Ok(BuilderFields { name, image, caps: Caps { cpus, memory }, limit })
            }
            _ => Err(errors),
        }
    }

    /// The part of it about the first machine.
    pub fn node(&self) -> NodeForm {
        NodeForm {
            platform: self.platform.clone(),
            endpoint: self.endpoint.clone(),
            ca: self.ca.clone(),
            certificate: self.certificate.clone(),
            secret_key: self.secret_key.clone(),
        }
    }
}

/// What the form of a builder's machine sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeForm {
    /// What it builds for.
    pub platform: String,
    /// How it is reached.
    pub endpoint: String,
    /// The authority that signed its certificate, PEM; for tcp.
    pub ca: String,
    /// The certificate that we show it, PEM; for tcp.
    pub certificate: String,
    /// That certificate's key, PEM; for tcp.
    pub secret_key: Secret,
}

/// What a TLS connection is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The authority, PEM.
    pub ca: String,
    /// Our certificate, PEM.
    pub certificate: String,
    /// Its key, PEM.
    pub key: Secret,
}

/// A machine's fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFields {
    /// What it builds for.
    pub platform: Platform,
    /// How it is reached.
    pub endpoint: Endpoint,
    /// For tcp.
    pub tls: Option<Tls>,
}

impl NodeForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self) -> Result<NodeFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let platform = self
            .platform
            .trim()
            .parse::<Platform>()
            .map_err(|error| errors.push(FieldError::new("platform", error.0)))
            .ok();
        let endpoint =
            self.endpoint.parse::<Endpoint>().map_err(|why| errors.push(FieldError::new("endpoint", why))).ok();
        let tls = match &endpoint {
            Some(endpoint) if !endpoint.is_ssh() => self.tls(&mut errors),
            _ => None,
        };
        match (platform, endpoint) {
            (Some(platform), Some(endpoint)) if errors.is_empty() => Ok(NodeFields { platform, endpoint, tls }),
            _ => Err(errors),
        }
    }

    /// Whoever reaches a BuildKit without TLS owns its machine, so all three are needed.
    fn tls(self, errors: &mut Vec<FieldError>) -> Option<Tls> {
        const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
        let before = errors.len();
        let (ca, certificate) = (self.ca.trim().to_owned(), self.certificate.trim().to_owned());
        for (field, text) in [("ca", &ca), ("certificate", &certificate)] {
            if !text.starts_with(CERTIFICATE) || text.len() > PEM {
                let message = format!("tcp:// needs TLS: paste the text that begins with {CERTIFICATE}");
                errors.push(FieldError::new(field, message));
            }
        }
        let key = self.secret_key.expose("its form is looked at").trim();
        if !key.starts_with("-----BEGIN ") || !key.contains("PRIVATE KEY-----") || key.len() > PEM {
            errors.push(FieldError::new("secret_key", "Paste the key's text, from -----BEGIN … PRIVATE KEY----- on."));
        } else if key.contains("ENCRYPTED") {
            errors
                .push(FieldError::new("secret_key", "This key has a passphrase; save it without one and paste that."));
        }
        let key = Secret::new(format!("{key}\n"));
        (errors.len() == before).then_some(Tls { ca, certificate, key })
    }
}

/// Builds at once, as they are typed; empty: no limit.
pub fn limit(text: &str) -> Result<Option<u32>, FieldError> {
    number("limit", text, 1, MOST)
}

fn number(field: &str, text: &str, least: u32, most: u32) -> Result<Option<u32>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(FieldError::new(field, format!("Type a whole number from {least} to {most}, or nothing."))),
    }
}

/// Thousandths of a core.
fn cpus(text: &str) -> Result<Option<u32>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{part:0<3}");
    if is_number(whole)
        && is_number(part)
        && part.len() <= 3
        && let (Ok(whole), Ok(part)) = (whole.parse::<u32>(), thousandths.parse::<u32>())
        && whole <= 1_024
        && whole * 1_000 + part >= 100
    {
        return Ok(Some(whole * 1_000 + part));
    }
    Err(FieldError::new("cpus", "Type a number of cores from 0.1 on, such as 2 or 0.5, or nothing."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_ssh_with_a_user_or_tcp_with_a_port() {
        for text in ["ssh://ada@build.example.com", "ssh://ada@10.0.0.7:2222", "tcp://arm:1234", "tcp://[::1]:1234"] {
            assert_eq!(text.parse::<Endpoint>().map(String::from), Ok(text.to_owned()));
        }
        for text in [
            "",
            "arm:1234",
            "tcp://arm",
            "tcp://arm:0",
            "tcp://arm:99999",
            "ssh://build.example.com",
            "ssh://-oProxyCommand=x@host",
            "ssh://ada@-oProxyCommand=x",
            "ssh://ada@host/path",
            "tcp://[::1]1234",
            "tcp://a b:1",
            "unix:///run/x.sock",
            "docker-container://x",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn the_engine_has_a_place_among_ids() {
        let id = BuilderId::from_random([4; 8]);
        assert_eq!("engine".parse(), Ok(WhichBuilder::Engine));
        assert_eq!(id.to_string().parse(), Ok(WhichBuilder::Added(id.clone())));
        assert_eq!(WhichBuilder::Engine.resource(), "builder:engine");
        assert_eq!(WhichBuilder::Added(id.clone()).resource(), format!("builder:{id}"));
        assert!("moby".parse::<WhichBuilder>().is_err());
    }

    #[test]
    fn caps_are_numbers_or_nothing() {
        let form = |cpus: &str, memory: &str, limit: &str| BuilderForm {
            name: "Big".into(),
            cpus: cpus.into(),
            memory: memory.into(),
            limit: limit.into(),
            ..BuilderForm::default()
        };
        let fields = form("1.5", "2048", "2").validated().expect("fields");
        assert_eq!(fields.caps, Caps { cpus: Some(1_500), memory: Some(2_048) });
        assert_eq!((fields.caps.typed_cpus().as_str(), fields.limit), ("1.5", Some(2)));
        assert_eq!(Caps { cpus: Some(2_000), memory: None }.typed_cpus(), "2");
        let fields = form("", "", "").validated().expect("fields");
        assert_eq!(
            (fields.caps, fields.limit, fields.image.to_string().contains("moby/buildkit")),
            (Caps::default(), None, true)
        );
        for (cpus, memory, limit) in [
            ("0", "", ""),
            ("-1", "", ""),
            ("1.2345", "", ""),
            ("", "12", ""),
            ("", "", "0"),
            ("", "", "1,privileged=1"),
        ] {
            assert_eq!(
                form(cpus, memory, limit).validated().map_err(|errors| errors.len()),
                Err(1),
                "{cpus} {memory} {limit}"
            );
        }
    }

    #[test]
    fn tcp_needs_tls_and_ssh_does_not() {
        let form = |endpoint: &str| NodeForm {
            platform: "linux/arm64".into(),
            endpoint: endpoint.into(),
            ..NodeForm::default()
        };
        assert_eq!(form("ssh://ada@arm").validated().expect("fields").tls, None);
        let errors = form("tcp://arm:1234").validated().expect_err("no TLS");
        assert_eq!(
            errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(),
            ["ca", "certificate", "secret_key"]
        );
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
        let with = |key: &str| NodeForm {
            ca: certificate.into(),
            certificate: certificate.into(),
            secret_key: Secret::new(key.into()),
            ..form("tcp://arm:1234")
        };
        assert!(with("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----").validated().is_ok());
        assert!(with("-----BEGIN ENCRYPTED PRIVATE KEY-----\nx").validated().is_err());
        assert!(with("hunter2").validated().is_err());
    }
}
