//! The command lines of buildx, as pure functions, and what it writes, read.
//!
//! Values are joined to their flags with `=`; endpoints stand behind `--`.

use super::keys::KeyFiles;
use crate::process::{Invocation, Program};
use app::model::builder::{Caps, Endpoint};
use app::model::image_ref::ImageRef;
use app::model::platform::Platform;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// buildx's name for the engine's own builder.
pub(super) const ENGINE: &str = "default";
/// Pulling BuildKit takes a while.
const BOOT: Duration = Duration::from_secs(300);
/// A large cache takes a while too.
const PRUNE: Duration = Duration::from_secs(1_800);

/// What every call is made with.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// BUILDX_CONFIG.
    pub(super) folder: PathBuf,
    /// Where the engine is.
    pub(super) docker_host: String,
    /// SSH_AUTH_SOCK of Slipway itself.
    pub(super) ssh_agent: Option<OsString>,
}

/// A builder as buildx is to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// buildx's name for it.
    pub(super) name: String,
    /// The image of BuildKit, where buildx starts it.
    pub(super) image: ImageRef,
    pub(super) caps: Caps,
    /// Empty: a container on this engine.
    pub(super) nodes: Vec<Node>,
}

/// A machine elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) number: u32,
    pub(super) platform: Platform,
    pub(super) endpoint: Endpoint,
    /// For tcp.
    pub(super) keys: Option<KeyFiles>,
}

impl Definition {
    /// buildx's name for a machine of it.
    pub(super) fn node_name(&self, number: u32) -> String {
        format!("{}-{number}", self.name)
    }

    /// How many `create` make it.
    pub(super) fn parts(&self) -> usize {
        self.nodes.len().max(1)
    }
}

fn call(place: &Place) -> Invocation {
    let home = place.folder.join("home");
    let call = Invocation::new(Program::Docker)
        .env("HOME", &home)
        .env("DOCKER_CONFIG", home.join(".docker"))
        .env("BUILDX_CONFIG", &place.folder)
        .env("DOCKER_HOST", &place.docker_host)
        .env("DOCKER_CLI_HINTS", "false")
        .arg("buildx");
    match &place.ssh_agent {
        Some(agent) => call.env("SSH_AUTH_SOCK", agent),
        None => call,
    }
}

/// Makes a builder, or appends its next machine: `part` counts from 0.
pub(super) fn create(place: &Place, of: &Definition, part: usize) -> Invocation {
    let mut call = call(place).arg("create").arg(format!("--name={}", of.name));
    if part > 0 {
        call = call.arg("--append");
    }
    let Some(node) = of.nodes.get(part) else {
        // In the host's network, so that registries at this machine's own address are reached.
        return options(call.args(["--driver=docker-container".to_owned(), format!("--node={}", of.node_name(0))]), of)
            .arg(option("network", OsStr::new("host")));
    };
    call = call.arg(format!("--node={}", of.node_name(node.number))).arg(format!("--platform={}", node.platform));
    call = match &node.keys {
        Some(keys) => call
            .arg("--driver=remote")
            .arg(option("cacert", keys.ca.as_os_str()))
            .arg(option("cert", keys.certificate.as_os_str()))
            .arg(option("key", keys.key.as_os_str())),
        None => options(call.arg("--driver=docker-container"), of),
    };
    call.args(["--", node.endpoint.as_str()])
}

/// Image and caps of a container.
fn options(mut call: Invocation, of: &Definition) -> Invocation {
    call = call.arg(option("image", OsStr::new(&of.image.to_string())));
    if let Some(memory) = of.caps.memory {
        call = call.arg(option("memory", OsStr::new(&format!("{memory}m"))));
    }
    if let Some(cpus) = of.caps.cpus {
        // Microseconds of every tenth of a second.
        call = call
            .arg(option("cpu-period", OsStr::new("100000")))
            .arg(option("cpu-quota", OsStr::new(&(u64::from(cpus) * 100).to_string())));
    }
    call
}

/// buildx reads the value as a line of CSV, so that a comma in a path would begin another option.
fn option(name: &str, value: &OsStr) -> OsString {
    let text = format!("{name}={}", value.to_string_lossy());
    if text.contains([',', '"', '\n']) {
        format!("--driver-opt=\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        format!("--driver-opt={text}").into()
    }
}

/// How it is, after starting it where it doesn't run.
pub(super) fn inspect(place: &Place, name: &str) -> Invocation {
    call(place).args(["inspect", "--bootstrap", "--", name]).within(BOOT)
}

/// What its cache takes.
pub(super) fn disk_use(place: &Place, name: &str) -> Invocation {
    call(place).arg("du").arg(format!("--builder={name}"))
}

/// Empties its cache, and nobody else's.
pub(super) fn prune(place: &Place, name: &str) -> Invocation {
    call(place).args(["prune", "--all", "--force"]).arg(format!("--builder={name}")).within(PRUNE)
}

/// Takes from its cache what nobody used for so many hours.
pub(super) fn trim(place: &Place, name: &str, hours: u32) -> Invocation {
    let until = format!("--filter=until={hours}h");
    call(place).args(["prune", "--all", "--force"]).args([until, format!("--builder={name}")]).within(PRUNE)
}

/// Forgets it. Its containers go; their caches only when `with_cache`.
pub(super) fn remove(place: &Place, name: &str, with_cache: bool) -> Invocation {
    let call = call(place).args(["rm", "--force"]);
    let call = if with_cache { call } else { call.arg("--keep-state") };
    call.args(["--", name]).within(Duration::from_secs(120))
}

/// Forgets it without asking its machines.
pub(super) fn forget(place: &Place, name: &str) -> Invocation {
    call(place).args(["rm", "--force", "--keep-state", "--keep-daemon", "--", name])
}

/// Where buildx keeps what it knows of a builder.
pub(super) fn instance(folder: &Path, name: &str) -> PathBuf {
    folder.join("instances").join(name)
}

/// A machine as buildx sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) runs: bool,
    pub(super) error: Option<String>,
    /// Without the levels of amd64.
    pub(super) platforms: Vec<Platform>,
}

/// What [`inspect`] wrote.
pub(super) fn read_inspected(text: &str) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let nodes = text.split_once("\nNodes:").map_or("", |(_, nodes)| nodes);
    for line in nodes.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match (key, seen.last_mut()) {
            ("Name", _) => seen.push(Seen { name: value.to_owned(), ..Seen::default() }),
            ("Status", Some(node)) => node.runs = value == "running",
            ("Error", Some(node)) => node.error = Some(value.to_owned()),
            ("Platforms", Some(node)) => {
                let each = value.split(',').map(|text| text.trim().trim_end_matches('*'));
                let known = each.filter(|text| !text.starts_with("linux/amd64/")).filter_map(|text| text.parse().ok());
                for platform in known {
                    if !node.platforms.contains(&platform) {
                        node.platforms.push(platform);
                    }
                }
            }
            _ => {}
        }
    }
    seen
}

/// The total of what [`disk_use`] wrote, in bytes.
pub(super) fn read_disk_use(text: &str) -> Option<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("Total:"))?.trim();
    let digits = line.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = line.split_at(digits);
    let factor = match unit.trim() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "PB" => 1e15,
        _ => return None,
    };
    let bytes = number.trim().parse::<f64>().ok()? * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and checked for its range")]
    (0.0..1e18).contains(&bytes).then(|| bytes.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { folder: "/d/buildx".into(), docker_host: "unix:///run/docker.sock".into(), ssh_agent: None }
    }

    fn definition(caps: Caps, nodes: Vec<Node>) -> Definition {
        let image = "moby/buildkit:buildx-stable-1".parse().expect("an image");
        Definition { name: "slipway-x".into(), image, caps, nodes }
    }

    fn words(call: &Invocation) -> Vec<String> {
        call.args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect()
    }

    fn node(number: u32, platform: &str, endpoint: &str, keys: Option<KeyFiles>) -> Node {
        Node {
            number,
            platform: platform.parse().expect("a platform"),
            endpoint: endpoint.parse().expect("an endpoint"),
            keys,
        }
    }

    #[test]
    fn a_container_has_its_image_and_caps() {
        let caps = Caps { cpus: Some(1_500), memory: Some(2_048) };
        let made = words(&create(&place(), &definition(caps, Vec::new()), 0));
        let image = made.iter().find(|word| word.starts_with("--driver-opt=image=")).expect("an image").clone();
        assert!(image.ends_with("moby/buildkit:buildx-stable-1"), "{image}");
        assert_eq!(
            made,
            [
                "buildx",
                "create",
                "--name=slipway-x",
                "--driver=docker-container",
                "--node=slipway-x-0",
                &image,
                "--driver-opt=memory=2048m",
                "--driver-opt=cpu-period=100000",
                "--driver-opt=cpu-quota=150000",
                "--driver-opt=network=host",
            ]
        );
    }

    #[test]
    fn machines_are_appended_one_for_each_platform() {
        let keys = KeyFiles { ca: "/d/a,b/ca.pem".into(), certificate: "/d/c.pem".into(), key: "/d/k.pem".into() };
        let nodes = vec![
            node(3, "linux/arm64", "tcp://arm:1234", Some(keys)),
            node(5, "linux/s390x", "ssh://ada@mainframe:2222", None),
        ];
        let of = definition(Caps::default(), nodes);
        assert_eq!(
            words(&create(&place(), &of, 0)),
            [
                "buildx",
                "create",
                "--name=slipway-x",
                "--node=slipway-x-3",
                "--platform=linux/arm64",
                "--driver=remote",
                "--driver-opt=\"cacert=/d/a,b/ca.pem\"",
                "--driver-opt=cert=/d/c.pem",
                "--driver-opt=key=/d/k.pem",
                "--",
                "tcp://arm:1234",
            ]
        );
        let second = words(&create(&place(), &of, 1));
        assert_eq!(second[3..6], ["--append", "--node=slipway-x-5", "--platform=linux/s390x"]);
        assert_eq!(second[second.len() - 2..], ["--", "ssh://ada@mainframe:2222"]);
    }

    #[test]
    fn a_cache_is_emptied_by_its_builders_name() {
        assert_eq!(words(&prune(&place(), ENGINE)), ["buildx", "prune", "--all", "--force", "--builder=default"]);
        assert_eq!(
            words(&trim(&place(), "slipway-x", 720)),
            ["buildx", "prune", "--all", "--force", "--filter=until=720h", "--builder=slipway-x"]
        );
        assert_eq!(
            words(&remove(&place(), "slipway-x", false)),
            ["buildx", "rm", "--force", "--keep-state", "--", "slipway-x"]
        );
        assert_eq!(words(&remove(&place(), "slipway-x", true)), ["buildx", "rm", "--force", "--", "slipway-x"]);
    }

    #[test]
    fn programs_find_our_folder_and_nothing_of_anybody() {
        let agent = Place { ssh_agent: Some("/run/agent".into()), ..place() };
        let names: Vec<_> = inspect(&agent, "slipway-x").env.into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["HOME", "DOCKER_CONFIG", "BUILDX_CONFIG", "DOCKER_HOST", "DOCKER_CLI_HINTS", "SSH_AUTH_SOCK"]
        );
    }

    #[test]
    fn what_buildx_says_of_a_builder_is_read() {
        let text = "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nEndpoint:         default\n\
                    Status:           running\nBuildKit version: v0.0.0+unknown\nPlatforms:        linux/amd64, linux/amd64/v2, \
                    linux/amd64/v3, linux/arm64\nLabels:\n org.mobyproject.buildkit.worker.executor:   containerd\n";
        let seen = read_inspected(text);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].runs && seen[0].error.is_none());
        assert_eq!(
            seen[0].platforms.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["linux/amd64", "linux/arm64"]
        );

        let text = "Name:          slipway-b\nDriver:        remote\nLast Activity: 2026-11-28 13:14:51 +0000 UTC\n\nNodes:\n\
                    Name:           slipway-b-0\nEndpoint:       tcp://127.0.0.1:1234\nDriver Options: cacert=\"/k,x/ca.pem\"\n\
                    Status:         inactive\nPlatforms:      linux/arm64*\n\nName:      slipway-b-1\nEndpoint:  tcp://127.0.0.1:1235\n\
                    Error:     rpc error: code = Unavailable desc = connection error: x\n";
        let seen = read_inspected(text);
        assert_eq!(seen.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["slipway-b-0", "slipway-b-1"]);
        assert!(!seen[0].runs && seen[0].platforms[0].as_str() == "linux/arm64");
        assert!(seen[1].error.as_deref().is_some_and(|error| error.ends_with("connection error: x")));
        assert_eq!(read_inspected("garbage"), Vec::new());
    }

    #[test]
    fn the_size_of_a_cache_is_read() {
        let text = "ID\tRECLAIMABLE\nx*\ttrue\t4.096kB\nShared:\t\t6.006MB\nPrivate:\t3.924MB\nTotal:\t\t9.93MB\n";
        assert_eq!(read_disk_use(text), Some(9_930_000));
        assert_eq!(read_disk_use("Reclaimable:\t0B\nTotal:\t\t0B\n"), Some(0));
        assert_eq!(read_disk_use("Total:\t1.5GB"), Some(1_500_000_000));
        assert_eq!(read_disk_use(""), None);
        assert_eq!(read_disk_use("Total: much"), None);
    }
}
