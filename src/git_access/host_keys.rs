//! The keys that ssh servers show, asked for with `ssh-keyscan`. Nothing here trusts them: somebody compares and confirms.

use crate::process::{Invocation, ProcessError, Program, Runner};
use app::error::Problem;
use app::model::git_access::HostKey;
use app::model::image_ref::RegistryHost;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Somebody waits before a page.
const LIMIT: Duration = Duration::from_secs(15);
/// Kinds that are asked for and taken, the best first.
const KINDS: &[&str] = &["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/// The keys that a host shows now.
pub(super) async fn ask(runner: &Runner, host: &RegistryHost) -> Result<Vec<HostKey>, Problem> {
    let failed = |cause: String| {
        Problem::new(
            "git.host_keys",
            cause,
            "Check the host and its port, and whether this server can reach it, then look again.",
        )
    };
    let done = runner.capture(scan(host), &CancellationToken::new()).await.map_err(|error| match error {
        ProcessError::NotInstalled(_) => Problem::new(
            "git.no_ssh",
            "The program ssh-keyscan isn't installed on this server.",
            "Install openssh-client, and look again.",
        ),
        error => failed(format!("The keys of {host} couldn't be asked for: {error}.")),
    })?;
    let keys = read(&done.out);
    if keys.is_empty() { Err(failed(format!("{host} shows no key for ssh.")).with_details(done.err)) } else { Ok(keys) }
}

fn scan(host: &RegistryHost) -> Invocation {
    let (name, port) = split(host);
    Invocation::new(Program::SshKeyscan).within(LIMIT).env("LC_ALL", "C.UTF-8").args([
        "-T",
        "5",
        "-t",
        "ed25519,ecdsa,rsa",
        "-p",
        port,
        "--",
        name,
    ])
}

/// Name and port; the brackets of IPv6 addresses go.
fn split(host: &RegistryHost) -> (&str, &str) {
    let text = host.as_str();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (text, "22"),
    };
    (name.trim_start_matches('[').trim_end_matches(']'), port)
}

/// Keys in what `ssh-keyscan` wrote: `<host> <kind> <key>` a line, best kind first.
fn read(written: &str) -> Vec<HostKey> {
    let mut keys: Vec<(usize, HostKey)> = written
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            let (kind, key) = (words.next()?, words.next()?);
            let rank = KINDS.iter().position(|known| *known == kind)?;
            let blob = STANDARD.decode(key).ok()?;
            let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob)));
            Some((rank, HostKey { kind: kind.to_owned(), key: STANDARD.encode(&blob), fingerprint }))
        })
        .collect();
    keys.sort_by_key(|(rank, _)| *rank);
    keys.dedup();
    keys.into_iter().map(|(_, key)| key).take(8).collect()
}

/// The file by which ssh knows a host: these keys, under its name as ssh looks for it.
pub(super) fn known_hosts(host: &RegistryHost, keys: &[HostKey]) -> String {
    let (name, port) = split(host);
    let name = if port == "22" { name.to_owned() } else { format!("[{name}]:{port}") };
    keys.iter().map(|key| format!("{name} {} {}\n", key.kind, key.key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn fingerprints_are_those_that_ssh_shows() {
        let written = format!(
            "# github.com:22 SSH-2.0-babeld\ngithub.com ssh-rsa AAAAB3NzaC1yc2E=\ngithub.com ssh-ed25519 {ED25519}\n\
             github.com ssh-dss AAAA\ngithub.com ssh-ed25519 not*base64\nnonsense\n"
        );
        let keys = read(&written);
        assert_eq!(keys.iter().map(HostKey::words).collect::<Vec<_>>(), ["ED25519", "RSA"], "the best first");
        assert_eq!(keys[0].fingerprint, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        assert!(app::model::git_access::is_published(&"github.com".parse().expect("a host"), &keys[0]));
        assert!(!app::model::git_access::is_published(&"gitlab.com".parse().expect("a host"), &keys[0]));
    }

    #[test]
    fn a_host_is_known_under_the_name_that_ssh_looks_for() {
        let key = HostKey { kind: "ssh-ed25519".into(), key: ED25519.into(), fingerprint: "SHA256:x".into() };
        for (host, line) in [
            ("git.example.com", "git.example.com ssh-ed25519"),
            ("git.example.com:2222", "[git.example.com]:2222 ssh-ed25519"),
            ("[::1]", "::1 ssh-ed25519"),
            ("[::1]:2222", "[::1]:2222 ssh-ed25519"),
        ] {
            let host = host.parse().expect("a host");
            assert_eq!(known_hosts(&host, std::slice::from_ref(&key)), format!("{line} {ED25519}\n"));
            let args = scan(&host).args;
            let dashes = args.iter().position(|arg| arg == "--").expect("dashes");
            assert_eq!(args.len(), dashes + 2, "one element behind the dashes");
        }
    }
}
