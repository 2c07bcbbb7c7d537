//! The cage that git runs in (HARDENING §0.2): one protocol, no hooks, no submodules, no filters, no configuration and no
//! helpers of anybody, no prompts, no redirects. Arguments and environment are pure functions of what is asked.

use crate::git_access::{Opened, Way};
use crate::process::{Invocation, Program};
use app::error::Problem;
use app::model::build::CommitSha;
use app::model::secret::Secret;
use app::model::service::Branch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    /// Keys of SSH hosts, accepted when first seen; for repositories without an access of their own.
    pub(super) known_hosts: PathBuf,
    /// The administrator's own certificate authority, as Slipway was started with.
    pub(super) ca_file: Option<OsString>,
    /// The SSH agent of the user that Slipway runs as.
    pub(super) ssh_agent: Option<OsString>,
    /// How it signs in; none: as anybody, or with the agent.
    pub(super) access: Option<Opened>,
}

impl Cage {
    /// The file that stands in for the user's configuration. A folder of another owner is trusted by name; a token is
    /// shown at this very address.
    pub(super) fn configuration(&self) -> Secret {
        let quoted = self.address.replace('\\', "\\\\").replace('"', "\\\"");
        Secret::new(match (self.protocol, self.access.as_ref().map(|access| &access.way)) {
            ("file", _) => format!("[safe]\n\tdirectory = \"{quoted}\"\n\tdirectory = \"{quoted}/.git\"\n"),
            ("https", Some(way @ Way::Token { .. })) => {
                let basic = basic(way);
                let basic = basic.as_ref().map_or("", |basic| basic.expose("git sends it to its host"));
                format!("[http \"{quoted}\"]\n\textraHeader = \"Authorization: Basic {basic}\"\n")
            }
            _ => String::new(),
        })
    }

    /// Writes what git finds in its home: the configuration, and for a deploy key the key and the host's keys. Nobody else
    /// may read them.
    pub(super) fn write(&self) -> std::io::Result<()> {
        private_file(&self.configuration_file(), self.configuration().expose("git reads it"))?;
        if let Some(Opened { way: Way::Key { private, known_hosts }, .. }) = &self.access {
            private_file(&self.key_file(), private.expose("ssh reads it"))?;
            private_file(&self.known_hosts(), known_hosts)?;
        }
        Ok(())
    }

    /// Takes away what it signs in with, as soon as everything is fetched.
    pub(super) fn forget(&self) -> std::io::Result<()> {
        if self.access.is_none() {
            return Ok(());
        }
        private_file(&self.configuration_file(), "")?;
        match std::fs::remove_file(self.key_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn key_file(&self) -> PathBuf {
        self.home.join("deploy_key")
    }

    /// With a deploy key the confirmed keys alone, else those that were ever seen.
    fn known_hosts(&self) -> PathBuf {
        if self.key().is_some() { self.home.join("known_hosts") } else { self.known_hosts.clone() }
    }

    fn key(&self) -> Option<&Secret> {
        match self.access.as_ref().map(|access| &access.way) {
            Some(Way::Key { private, .. }) => Some(private),
            _ => None,
        }
    }

    /// The failure with what to do about it where it signs in.
    pub(super) fn explain(&self, problem: Problem) -> Problem {
        match &self.access {
            Some(access) => access.explain(problem),
            None => problem,
        }
    }

    /// What must not be seen of the sign-in, in every form that git or ssh may write it.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let Some(access) = &self.access else { return Vec::new() };
        match &access.way {
            Way::Token { token, .. } => std::iter::once(token.clone()).chain(basic(&access.way)).collect(),
            Way::Key { private, .. } => {
                let lines =
                    private.expose("each of its lines is masked").lines().filter(|line| !line.starts_with("-----"));
                lines.map(|line| Secret::new(line.to_owned())).collect()
            }
        }
    }

    /// The number of branches, in what it writes.
    pub(super) fn ask_branches(&self) -> Invocation {
        self.git(&self.home, ASK).args(["ls-remote", "--heads", "--", &self.address])
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
            if let Some(agent) = self.ssh_agent.as_ref().filter(|_| self.key().is_none()) {
                invocation = invocation.env("SSH_AUTH_SOCK", agent);
            }
        }
        match &self.ca_file {
            Some(file) if self.protocol == "https" => invocation.env("GIT_SSL_CAINFO", file),
            _ => invocation,
        }
    }

    /// Git splits this like a shell would, so the values in it are quoted: for git, and inside for ssh.
    fn ssh(&self) -> String {
        let known_hosts = format!("UserKnownHostsFile={}", for_ssh(&self.known_hosts()));
        let mut options = vec!["BatchMode=yes".to_owned(), known_hosts];
        let more: &[&str] = if self.key().is_some() {
            options.push(format!("IdentityFile={}", for_ssh(&self.key_file())));
            PINNED
        } else {
            &["StrictHostKeyChecking=accept-new"]
        };
        options.extend(more.iter().chain(SSH).map(|option| (*option).to_owned()));
        let options = options.iter().flat_map(|option| ["-o", option.as_str()]);
        shell_words::join(["ssh", "-F", "none"].into_iter().chain(options))
    }
}

/// With a deploy key: this key and no other way to sign in, these host keys and no others.
const PINNED: &[&str] = &[
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "PreferredAuthentications=publickey",
];
const SSH: &[&str] = &["ConnectTimeout=15", "ServerAliveInterval=15", "ClearAllForwardings=yes"];

/// A path as ssh reads it in an option: in quotes, and without the meaning that `%` has there.
fn for_ssh(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

/// User and token as https sends them.
fn basic(way: &Way) -> Option<Secret> {
    let Way::Token { username, token } = way else { return None };
    Some(Secret::new(STANDARD.encode(format!("{username}:{}", token.expose("it is encoded for https")))))
}

/// A file that nobody else may read, replacing the one that was there.
fn private_file(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
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
    // A pack stays one, as with a clone: its objects one by one would be compressed again.
    "fetch.unpackLimit=1",
    // All of it is gone when the build is over.
    "core.fsync=none",
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
            access: None,
        }
    }

    fn with(way: Way) -> Option<Opened> {
        Some(Opened { id: app::model::id::GitAccessId::from_random([1; 8]), name: "Shop".into(), way })
    }

    #[test]
    fn a_token_is_in_one_file_and_for_one_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let token = Secret::new("ghp_hunter2".into());
        let access = with(Way::Token { username: "x-access-token".into(), token });
        let cage = Cage { home: folder.path().into(), access, ..cage("https", "https://github.com/acme/web") };
        cage.write().expect("written");
        let encoded = STANDARD.encode("x-access-token:ghp_hunter2");
        let text = std::fs::read_to_string(cage.configuration_file()).expect("the file");
        let expected =
            format!("[http \"https://github.com/acme/web\"]\n\textraHeader = \"Authorization: Basic {encoded}\"\n");
        assert_eq!(text, expected);
        assert_eq!(mode(&cage.configuration_file()), 0o600);
        let commit: CommitSha = "c".repeat(40).parse().expect("a commit");
        for invocation in [cage.ask_branches(), cage.fetch_commit(Path::new("/b/source"), &commit)] {
            let told = format!("{invocation:?}");
            assert!(!told.contains("hunter2") && !told.contains(&encoded), "{told}");
        }
        assert_eq!(cage.secrets().len(), 2);
        cage.forget().expect("forgotten");
        assert_eq!(std::fs::read_to_string(cage.configuration_file()).expect("the file"), "");
    }

    #[test]
    fn a_deploy_key_comes_with_the_only_keys_that_its_host_may_show() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("50% of \"x\"");
        std::fs::create_dir(&home).expect("a folder");
        let private = Secret::new("-----BEGIN\nc2VjcmV0\n-----END\n".into());
        let access = with(Way::Key { private, known_hosts: "a.example ssh-ed25519 AAAA\n".into() });
        let cage = Cage { home: home.clone(), access, ..cage("ssh", "git@a.example:b") };
        cage.write().expect("written");
        assert_eq!((mode(&home.join("deploy_key")), mode(&home.join("known_hosts"))), (0o600, 0o600));
        let invocation = cage.ask_branches();
        assert_eq!(env(&invocation, "SSH_AUTH_SOCK"), None, "no other key is tried");
        let words = shell_words::split(&env(&invocation, "GIT_SSH_COMMAND").expect("ssh")).expect("words");
        let home = home.display().to_string().replace('"', "\\\"").replace('%', "%%");
        for option in [
            format!("IdentityFile=\"{home}/deploy_key\""),
            format!("UserKnownHostsFile=\"{home}/known_hosts\""),
            "StrictHostKeyChecking=yes".into(),
            "IdentitiesOnly=yes".into(),
            "UpdateHostKeys=no".into(),
        ] {
            assert!(words.contains(&option), "{option}: {words:?}");
        }
        assert!(!words.iter().any(|word| word.contains("accept-new")), "{words:?}");
        assert!(!format!("{invocation:?}").contains("c2VjcmV0"));
        cage.forget().expect("forgotten");
        assert!(!cage.key_file().exists());
    }

    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
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
        assert_eq!(cage("https", "x").configuration().expose("it is compared"), "");
        assert_eq!(
            cage("file", "/a \"b\\c").configuration().expose("it is compared"),
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
