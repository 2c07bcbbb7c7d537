//! What a service may have beside image, variables and ports: resources, places, mounts, secrets, networks. And how each is
//! read from a form: one a line.

use super::text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most lines of a list.
const MOST: usize = 32;
/// Swarm wants at least so much memory for a task.
const LEAST_MEMORY: u64 = 6 << 20;
/// One TiB.
const MOST_MEMORY: u64 = 1 << 40;
const MOST_MILLICPUS: u32 = 1_024_000;

/// What a task may use at most, and what its node has to have free for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Bytes at most.
    pub memory: Option<u64>,
    /// Thousandths of a core at most.
    pub millicpus: Option<u32>,
    /// Bytes that are kept free for it.
    pub memory_reserved: Option<u64>,
    /// Thousandths of a core that are kept free for it.
    pub millicpus_reserved: Option<u32>,
}

/// Data that outlives a task: a named volume, or a folder of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// A volume's name, or a path on the node.
    pub source: String,
    /// Where the container has it.
    pub target: String,
    /// Whether the container can't write there.
    pub read_only: bool,
}

impl Mount {
    /// Whether it is a folder or file of the node.
    pub fn is_bind(&self) -> bool {
        self.source.starts_with('/')
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.source, self.target, if self.read_only { ":ro" } else { "" })
    }
}

/// A secret as a file below `/run/secrets`. Its value is sealed; the mark tells one value from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFile {
    /// The file's name.
    pub name: String,
    /// Random for each value that was typed; empty: not sealed yet.
    pub mark: String,
}

/// Words for what a number of bytes is, as the form reads them.
pub fn memory_text(bytes: u64) -> String {
    for (unit, shift) in [("GB", 30), ("MB", 20), ("kB", 10)] {
        if bytes >= 1 << shift && bytes.is_multiple_of(1 << shift) {
            return format!("{} {unit}", bytes >> shift);
        }
    }
    format!("{bytes} B")
}

/// Cores, as the form reads them.
pub fn cores_text(millicpus: u32) -> String {
    let text = format!("{}.{:03}", millicpus / 1_000, millicpus % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount of memory; nothing: none.
pub(super) fn memory(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || "Write an amount like 512 MB or 1.5 GB.".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let shift = match unit.trim() {
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "" => return Err("Say in which unit: 512 MB or 1.5 GB.".into()),
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = (number * f64::from(1_u32 << shift)).round();
    if bytes < LEAST_MEMORY as f64 {
        return Err("6 MB is the least that Docker gives.".into());
    }
    if bytes > MOST_MEMORY as f64 {
        return Err("1024 GB is the most.".into());
    }
    Ok(Some(bytes as u64))
}

/// A number of cores; nothing: none.
pub(super) fn cores(text: &str) -> Result<Option<u32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| (number * 1_000.0).round());
    let fits = number.filter(|number| (1.0..=f64::from(MOST_MILLICPUS)).contains(number));
    fits.map(|number| Some(number as u32)).ok_or_else(|| "Write a number of cores like 0.5 or 2.".into())
}

/// Lines without the empty ones, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()).map(|(at, line)| (at + 1, line))
}

fn few<T>(found: Vec<T>) -> Result<Vec<T>, String> {
    if found.len() > MOST { Err(format!("{MOST} lines are the most.")) } else { Ok(found) }
}

/// Where tasks may run, in Swarm's words: `node.role==worker`.
pub(super) fn constraints(text: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    for (at, line) in lines(text) {
        let parts = ["==", "!="].into_iter().find_map(|sign| Some((sign, line.split_once(sign)?)));
        let Some((sign, (subject, value))) = parts else {
            return Err(format!("Line {at}: write node.labels.disk==ssd, node.role==worker or node.hostname==name."));
        };
        let (subject, value) = (subject.trim(), value.trim());
        let is_known = match subject {
            "node.role" if !matches!(value, "worker" | "manager") => {
                return Err(format!("Line {at}: a node's role is worker or manager."));
            }
            "node.role" | "node.hostname" => true,
            _ => subject.strip_prefix("node.labels.").is_some_and(is_label),
        };
        if !is_known {
            return Err(format!("Line {at}: only node.labels.…, node.role and node.hostname can be asked for."));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
        if value.is_empty() || value.len() > 128 || !value.chars().all(fits) {
            return Err(format!("Line {at}: a value has letters, digits, '-', '_', '.', ':' and '/'."));
        }
        let line = format!("{subject}{sign}{value}");
        if !found.contains(&line) {
            found.push(line);
        }
    }
    few(found)
}

fn is_label(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 128 && name.chars().all(fits)
}

/// A name as Docker has them for volumes and networks.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (2..=128).contains(&name.len()) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(fits)
}

/// An absolute path without detours; None: it isn't one.
fn path(text: &str) -> Option<String> {
    let is_odd = |c: char| text::is_hidden(c) || c == ':' || c == ',' || c == '\\';
    if !text.starts_with('/') || text.len() > 1_024 || text.chars().any(is_odd) {
        return None;
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return None;
    }
    Some(format!("/{}", parts.join("/")))
}

/// Lines of `volume:/path` or `/folder:/path`, with `:ro` behind where nothing may be written.
pub(super) fn mounts(text: &str) -> Result<Vec<Mount>, String> {
    let mut found: Vec<Mount> = Vec::new();
    for (at, line) in lines(text) {
        let (line, read_only) = match line.rsplit_once(':') {
            Some((line, "ro")) => (line, true),
            Some((line, "rw")) => (line, false),
            _ => (line, false),
        };
        let Some((source, target)) = line.split_once(':') else {
            return Err(format!(
                "Line {at}: write volume:/path/in/the/container or /folder:/path, with :ro behind for reading alone."
            ));
        };
        let source = if source.starts_with('/') {
            let source =
                path(source).ok_or_else(|| format!("Line {at}: the node's folder is a path without '..' and ':'."))?;
            if let Some(why) = refused(&source) {
                return Err(format!("Line {at}: {why}"));
            }
            source
        } else if is_name(source) {
            if source.starts_with("slipway-registry-") {
                return Err(format!("Line {at}: this volume belongs to a registry that Slipway runs."));
            }
            source.to_owned()
        } else {
            return Err(format!(
                "Line {at}: a volume's name has letters, digits, '-', '_' and '.'; a folder starts with '/'."
            ));
        };
        let target = path(target).filter(|target| target != "/" && target != "/run/secrets");
        let Some(target) = target else {
            return Err(format!(
                "Line {at}: the path in the container is absolute, like /data, without '..', and neither / nor /run/secrets."
            ));
        };
        if found.iter().any(|mount| mount.target == target) {
            return Err(format!("Line {at}: {target} is there twice."));
        }
        found.push(Mount { source, target, read_only });
    }
    few(found)
}

/// Whether `inner` is `outer` or below it.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner == outer || outer == "/" || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Why no container may have this path of a node, whatever else is known; None: it may. Who has Docker's socket, its data or
/// the devices has the whole node.
pub fn refused(source: &str) -> Option<&'static str> {
    const SOCKETS: [&str; 4] =
        ["/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/docker/containerd"];
    const WHOLE: [&str; 6] = ["/proc", "/sys", "/dev", "/var/lib/docker", "/var/lib/containerd", "/run/docker"];
    if source == "/" {
        return Some("a container with the node's whole file system has the node. Mount the folder that it needs.");
    }
    let is_socket = source.ends_with("/docker.sock") || source.ends_with("/containerd.sock");
    if is_socket || SOCKETS.iter().any(|socket| is_within(socket, source)) || is_within("/var/run/docker.sock", source)
    {
        return Some("who has Docker's socket has the whole Swarm, so no service gets it or a folder that it is in.");
    }
    let is_whole = |part: &&str| is_within(source, part) || is_within(part, source);
    WHOLE
        .iter()
        .any(is_whole)
        .then_some("this is Docker's own data or the node's devices. Mount the folder that it needs.")
}

/// Names of networks, one a line.
pub(super) fn networks(text: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    for (at, line) in lines(text) {
        if !is_name(line) {
            return Err(format!("Line {at}: a network's name has letters, digits, '-', '_' and '.'."));
        }
        if matches!(line, "ingress" | "host" | "bridge" | "none") {
            return Err(format!("Line {at}: {line} is Docker's own. Name an overlay network."));
        }
        if !found.iter().any(|other| other == line) {
            found.push(line.to_owned());
        }
    }
    few(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_back() {
        for (text, bytes) in [("512 MB", 512 << 20), ("1.5g", 1_536 << 20), ("65536 kB", 64 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(memory(text), Ok(Some(bytes)), "{text}");
            assert_eq!(memory(&memory_text(bytes)), Ok(Some(bytes)), "{text}");
        }
        assert_eq!((memory(" "), cores("")), (Ok(None), Ok(None)));
        for text in ["512", "1 MB", "x", "-5 MB", "2000 GB", "1.2.3 MB", "5 TB"] {
            assert!(memory(text).is_err(), "{text}");
        }
        for (text, millis, back) in
            [("0.5", 500, "0.5"), ("2", 2_000, "2"), ("1.25", 1_250, "1.25"), (".1", 100, "0.1")]
        {
            assert_eq!(cores(text), Ok(Some(millis)));
            assert_eq!(cores_text(millis), back);
        }
        for text in ["0", "x", "-1", "inf", "9999999", "0.0001"] {
            assert!(cores(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_labels_roles_and_names() {
        assert_eq!(
            constraints("node.labels.disk == ssd\n\nnode.role!=manager\nnode.hostname==a-1\nnode.hostname==a-1"),
            Ok(vec!["node.labels.disk==ssd".into(), "node.role!=manager".into(), "node.hostname==a-1".into()])
        );
        for text in
            ["ssd", "node.role==boss", "engine.labels.x==y", "node.labels.==y", "node.hostname==", "node.hostname==a b"]
        {
            assert!(constraints(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mounts_are_volumes_or_folders_but_never_the_node_itself() {
        let read = mounts("data:/var/lib/db\n/srv//files/:/files:ro\n").expect("mounts");
        assert_eq!(
            read.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["data:/var/lib/db", "/srv/files:/files:ro"]
        );
        assert_eq!(read.iter().map(Mount::is_bind).collect::<Vec<_>>(), [false, true]);
        for text in [
            "data",
            "data:rel",
            "data:/",
            "a/b:/x",
            "../x:/x",
            "/srv/../etc:/x",
            "x:/a/../b",
            "data:/a\nother:/a",
            "/:/host",
            "//:/host",
            "/var/run/docker.sock:/s",
            "/run/docker.sock:/s",
            "/run:/r",
            "/var/run:/r",
            "/var:/v",
            "/srv/own/docker.sock:/s",
            "/proc:/p",
            "/dev/sda:/d",
            "/sys/fs:/s",
            "/var/lib/docker/volumes:/v",
            "/var/lib:/l",
            "slipway-registry-0123:/x",
            "data:/run/secrets",
        ] {
            assert!(mounts(text).is_err(), "{text}");
        }
        assert!(mounts("/etc/localtime:/etc/localtime:ro\n/var/lib/app:/data\n/running:/r").is_ok());
    }

    #[test]
    fn networks_are_named() {
        assert_eq!(networks("proxy\nback-end\nproxy"), Ok(vec!["proxy".into(), "back-end".into()]));
        for text in ["ingress", "host", "a b", "-x", "x/y"] {
            assert!(networks(text).is_err(), "{text}");
        }
    }
}
