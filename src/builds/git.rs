//! The cage that git runs in (HARDENING §0.2): one protocol, no hooks, no submodules, no filters, no configuration and no
//! helpers of anybody, no prompts, no redirects. Arguments and environment are pure functions of what is asked.

use crate::process::{Invocation, Program};
use app::model::build::CommitSha;
use app::model::service::Branch;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest question to a repository.
const ASK: Duration = Duration::from_secs(60);
/// Longest fetch.
const FETCH: Duration = Duration::from_secs(30 * 60);
/// Longest work on the local disk.
const LOCAL: Duration = Duration::from_secs(10 * 60);

/// Where git looks and what it may use there.
#[derive(Clone, Debug)]
pub(super) struct Cage {
    /// An address, or a folder's resolved path.
    pub(super) address: String,
    /// `https`, `ssh` or `file`; nothing else is spoken.
    pub(super) protocol: &'static str,
    /// Empty but for the configuration that [`Cage::configuration`] gives.
    pub(super) home: PathBuf,
    /// Keys of SSH hosts, accepted when first seen.
    pub(super) known_hosts: PathBuf,
    /// The administrator's own certificate authority, as Slipway was started with.
    pub(super) ca_file: Option<OsString>,
    /// The SSH agent of the user that Slipway runs as.
    pub(super) ssh_agent: Option<OsString>,
}

impl Cage {
    /// The file that stands in for the user's configuration. A folder of another owner is trusted by name.
    pub(super) fn configuration(&self) -> String {
        if self.protocol != "file" {
            return String::new();
        }
        let path = self.address.replace('\\', "\\\\").replace('"', "\\\"");
        format!("[safe]\n\tdirectory = \"{path}\"\n\tdirectory = \"{path}/.git\"\n")
    }

    /// Where that file has to be.
    pub(super) fn configuration_file(&self) -> PathBuf {
        self.home.join("gitconfig")
    }

    /// Which commit the branch has: `<commit>\trefs/heads/<branch>`.
    pub(super) fn ask_branch(&self, branch: &Branch) -> Invocation {
        self.git(&self.home, ASK).args(["ls-remote", "--", &self.address, &format!("refs/heads/{branch}")])
    }

    /// An empty repository for the commit.
    pub(super) fn init(&self, source: &Path, commit: &CommitSha) -> Invocation {
        let format = if commit.as_str().len() == 64 { "sha256" } else { "sha1" };
        self.git(&self.home, LOCAL)
            .args(["init", "--quiet", "--template=", &format!("--object-format={format}"), "--"])
            .arg(source)
    }

    /// Exactly that commit, without its history.
    pub(super) fn fetch_commit(&self, source: &Path, commit: &CommitSha) -> Invocation {
        self.fetch(source, commit.as_str().to_owned())
    }

    /// The branch's newest commit, for servers that don't give out commits by name.
    pub(super) fn fetch_branch(&self, source: &Path, branch: &Branch) -> Invocation {
        self.fetch(source, format!("+refs/heads/{branch}:{FETCHED}"))
    }

    /// Which commit was fetched by [`Cage::fetch_branch`].
    pub(super) fn ask_fetched(&self, source: &Path) -> Invocation {
        self.git(source, ASK).args(["rev-parse", "--verify", FETCHED])
    }

    /// The commit's files into the folder.
    pub(super) fn check_out(&self, source: &Path, commit: &CommitSha) -> Invocation {
        self.git(source, LOCAL).args(["checkout", "--quiet", "--force", "--detach", commit.as_str(), "--"])
    }

    /// First line of its message and its author, a line each.
    pub(super) fn describe(&self, source: &Path, commit: &CommitSha) -> Invocation {
        self.git(source, ASK).args(["log", "-1", "--format=%s%n%an", commit.as_str(), "--"])
    }

    fn fetch(&self, source: &Path, what: String) -> Invocation {
        self.git(source, FETCH)
            .args(["fetch", "--progress", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"])
            .args(["--", &self.address, &what])
    }

    fn git(&self, folder: &Path, within: Duration) -> Invocation {
        let mut invocation = Invocation::new(Program::Git).folder(folder).within(within);
        for setting in SETTINGS {
            invocation = invocation.args(["-c", setting]);
        }
        invocation = invocation.args(["-c", &format!("protocol.{}.allow=always", self.protocol)]);
        invocation = invocation
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.configuration_file())
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_ALLOW_PROTOCOL", self.protocol)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
            .env("GIT_HTTP_LOW_SPEED_TIME", "60")
            .env("LC_ALL", "C.UTF-8");
        if self.protocol == "ssh" {
            invocation = invocation.env("GIT_SSH_COMMAND", self.ssh()).env("GIT_SSH_VARIANT", "ssh");
            if let Some(agent) = &self.ssh_agent {
                invocation = invocation.env("SSH_AUTH_SOCK", agent);
            }
        }
        match &self.ca_file {
            Some(file) if self.protocol == "https" => invocation.env("GIT_SSL_CAINFO", file),
            _ => invocation,
        }
    }

    /// Git splits this like a shell would, so the one value in it is quoted: for git, and inside for ssh.
    fn ssh(&self) -> String {
        let file = self.known_hosts.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        let known_hosts = format!("UserKnownHostsFile=\"{file}\"");
        shell_words::join(
            ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o"]
                .into_iter()
                .chain([known_hosts.as_str()])
                .chain(["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ClearAllForwardings=yes"]),
        )
    }
}

const FETCHED: &str = "refs/slipway/fetched";
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.helper=",
    "http.followRedirects=false",
    "protocol.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
];

/// The commit of exactly this branch in what `ls-remote` wrote; it also lists branches that only end like it.
pub(super) fn commit_of(listed: &str, branch: &Branch) -> Option<CommitSha> {
    let wanted = format!("refs/heads/{branch}");
    let (commit, _) = listed.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == wanted)?;
    commit.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cage(protocol: &'static str, address: &str) -> Cage {
        Cage {
            address: address.into(),
            protocol,
            home: "/b/home".into(),
            known_hosts: "/da ta/known_hosts".into(),
            ca_file: Some("/ca.pem".into()),
            ssh_agent: Some("/agent".into()),
        }
    }

    fn env(invocation: &Invocation, name: &str) -> Option<String> {
        let found = invocation.env.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_string_lossy().into_owned())
    }

    #[test]
    fn hostile_values_stay_one_element_behind_the_dashes() {
        // What the parsers of model/ would never let through: the second wall is tested alone.
        let address = "--upload-pack=touch x";
        let branch: Branch = "feature/a".parse().expect("a branch");
        let commit: CommitSha = "c".repeat(40).parse().expect("a commit");
        let cage = cage("https", address);
        let source = Path::new("/b/source");
        for (invocation, behind) in [
            (cage.ask_branch(&branch), vec![address, "refs/heads/feature/a"]),
            (cage.fetch_commit(source, &commit), vec![address, commit.as_str()]),
            (cage.fetch_branch(source, &branch), vec![address, "+refs/heads/feature/a:refs/slipway/fetched"]),
            (cage.init(source, &commit), vec!["/b/source"]),
        ] {
            let dashes = invocation.args.iter().position(|arg| arg == "--").expect("dashes");
            assert_eq!(invocation.args[dashes + 1..], behind.into_iter().map(OsString::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_call_is_in_the_cage() {
        let commit: CommitSha = "c".repeat(40).parse().expect("a commit");
        for protocol in ["https", "ssh", "file"] {
            let cage = cage(protocol, "x");
            let invocation = cage.fetch_commit(Path::new("/b/source"), &commit);
            let args: Vec<_> = invocation.args.iter().map(|arg| arg.to_string_lossy()).collect();
            assert!(args.contains(&"core.hooksPath=/dev/null".into()) && args.contains(&"protocol.allow=never".into()));
            assert_eq!(args.iter().filter(|arg| arg.ends_with(".allow=always")).count(), 1);
            assert_eq!(env(&invocation, "GIT_ALLOW_PROTOCOL").as_deref(), Some(protocol));
            assert_eq!(env(&invocation, "GIT_TERMINAL_PROMPT").as_deref(), Some("0"));
            assert_eq!(env(&invocation, "GIT_CONFIG_NOSYSTEM").as_deref(), Some("1"));
            assert_eq!(env(&invocation, "HOME").as_deref(), Some("/b/home"));
            assert_eq!(env(&invocation, "GIT_SSL_CAINFO").is_some(), protocol == "https");
            assert_eq!(env(&invocation, "SSH_AUTH_SOCK").is_some(), protocol == "ssh");
            let ssh = env(&invocation, "GIT_SSH_COMMAND");
            assert_eq!(ssh.is_some(), protocol == "ssh");
            if let Some(ssh) = ssh {
                let words = shell_words::split(&ssh).expect("words");
                assert!(words.contains(&"UserKnownHostsFile=\"/da ta/known_hosts\"".to_owned()), "{words:?}");
                assert!(words.contains(&"BatchMode=yes".to_owned()));
            }
        }
        assert_eq!(cage("https", "x").configuration(), "");
        assert_eq!(
            cage("file", "/a \"b\\c").configuration(),
            "[safe]\n\tdirectory = \"/a \\\"b\\\\c\"\n\tdirectory = \"/a \\\"b\\\\c/.git\"\n"
        );
    }

    #[test]
    fn only_the_branch_itself_counts() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let listed = format!("{a}\trefs/heads/x/refs/heads/main\n{b}\trefs/heads/main\n");
        let main: Branch = "main".parse().expect("a branch");
        assert_eq!(commit_of(&listed, &main).map(String::from), Some(b));
        assert_eq!(commit_of(&listed, &"other".parse().expect("a branch")), None);
        assert_eq!(commit_of("nonsense\trefs/heads/main\n", &main), None);
        assert_eq!(commit_of("", &main), None);
    }

    /// I4, I5 with the parsers of model/ out of the way: git itself refuses, and nothing is executed.
    #[test]
    fn git_refuses_other_protocols_and_options_in_the_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = folder.path().join("made");
        let touch = format!("touch {}", made.display());
        let hostile = [
            format!("--upload-pack={touch}"),
            format!("ext::sh -c {}", touch.replace(' ', "% ")),
            format!("file://{}", folder.path().display()),
            folder.path().display().to_string(),
            "fd::17".into(),
            "git://127.0.0.1:1/x".into(),
            "http://127.0.0.1:1/x".into(),
            format!("ssh://-oProxyCommand={touch}/x"),
            format!("-oProxyCommand={touch}:x"),
        ];
        let commit: CommitSha = "c".repeat(40).parse().expect("a commit");
        let branch: Branch = "main".parse().expect("a branch");
        for address in hostile {
            let cage = Cage { home: folder.path().into(), ..cage("https", &address) };
            let source = folder.path().join("source");
            for invocation in [
                cage.init(&source, &commit),
                cage.ask_branch(&branch),
                cage.fetch_commit(&source, &commit),
                cage.fetch_branch(&source, &branch),
            ] {
                #[expect(clippy::disallowed_methods, reason = "git alone is tested, without what starts it")]
                let done = std::process::Command::new("git")
                    .args(&invocation.args)
                    .env_clear()
                    .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                    .envs(invocation.env.iter().map(|(name, value)| (name, value)))
                    .current_dir(&invocation.folder)
                    .output()
                    .expect("git");
                let is_init = invocation.args.iter().any(|arg| arg == "init");
                assert_eq!(done.status.success(), is_init, "{address}: {}", String::from_utf8_lossy(&done.stderr));
                assert!(!made.exists(), "{address} was executed");
            }
        }
    }
}
