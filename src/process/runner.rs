//! Starts a program under the supervisor, hands its output on in pieces, and ends it when it is told to.

use super::supervisor::GRACE;
use async_trait::async_trait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How much is read at once.
const PIECE: usize = 16 * 1_024;
/// How much of an output [`Runner::capture`] keeps.
const CAPTURED: usize = 256 * 1_024;

/// What may be started. Nothing else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `git`.
    Git,
    /// `docker`, for its buildx plugin.
    Docker,
    /// `ssh-keyscan`, which asks an ssh server for its keys.
    SshKeyscan,
}

impl Program {
    /// Its name on PATH.
    pub fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Docker => "docker",
            Self::SshKeyscan => "ssh-keyscan",
        }
    }
}

/// One start of a program: arguments as they are, an environment of nothing but what is named, and a time limit.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// What is started.
    pub program: Program,
    /// Each is one element of the argument vector, whatever is in it.
    pub args: Vec<OsString>,
    /// All that the program finds in its environment, but for PATH.
    pub env: Vec<(&'static str, OsString)>,
    /// Where it runs.
    pub folder: PathBuf,
    /// When it is ended.
    pub within: Duration,
}

impl Invocation {
    /// A program without arguments in `/`, with a minute's time.
    pub fn new(program: Program) -> Self {
        Self { program, args: Vec::new(), env: Vec::new(), folder: "/".into(), within: Duration::from_secs(60) }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// With one more environment variable. The name is fixed in the code; users never choose one.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name, value.as_ref().to_owned()));
        self
    }

    /// In this folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// With this much time.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }
}

/// Which output something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Takes what a program writes, in pieces that may end anywhere. The program waits while a piece is taken.
#[async_trait]
pub trait Sink: Send {
    /// One piece.
    async fn take(&mut self, from: Output, piece: &[u8]);
}

/// How a program ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 + n after signal n.
    pub code: i32,
}

impl Ended {
    /// Whether it says that all went well.
    pub fn is_success(self) -> bool {
        self.code == 0
    }
}

/// What a short program wrote, each output cut at 256 KiB.
#[derive(Clone, Debug)]
pub struct Captured {
    /// How it ended.
    pub ended: Ended,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Why a program didn't run to its end. Never tells arguments: they may hold what people typed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It isn't installed.
    #[error("{0} isn't installed, or not on PATH")]
    NotInstalled(&'static str),
    /// The operating system refuses.
    #[error("{program} can't be started")]
    Start {
        /// Which.
        program: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Reading its output or waiting for it failed.
    #[error("{program} was lost")]
    Lost {
        /// Which.
        program: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was told to end.
    #[error("{0} was stopped")]
    Cancelled(&'static str),
    /// It took too long.
    #[error("{program} took longer than {} s", within.as_secs())]
    TimedOut {
        /// Which.
        program: &'static str,
        /// How long it may take.
        within: Duration,
    },
}

/// Starts programs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Runner {
    inner: Arc<Found>,
}

#[derive(Debug)]
struct Found {
    supervisor: PathBuf,
    path: OsString,
    git: Option<PathBuf>,
    docker: Option<PathBuf>,
    ssh_keyscan: Option<PathBuf>,
}

impl Runner {
    /// The runner of this very program: it is its own supervisor, also after its file was replaced by an upgrade.
    pub fn of_this_program() -> Self {
        Self::new("/proc/self/exe")
    }

    /// A runner whose supervisor is this executable. Looks for the programs on PATH once.
    pub fn new(supervisor: impl Into<PathBuf>) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let git = find(Program::Git.name(), &path);
        let docker = find(Program::Docker.name(), &path);
        let ssh_keyscan = find(Program::SshKeyscan.name(), &path);
        Self { inner: Arc::new(Found { supervisor: supervisor.into(), path, git, docker, ssh_keyscan }) }
    }

    /// Runs a program to its end and hands its output on. On cancel or time-out everything it started is told to end,
    /// and killed after 10 s; this returns when nothing of it is left. Dropping the future has the same effect, sooner.
    pub async fn run(
        &self,
        invocation: Invocation,
        cancel: &CancellationToken,
        sink: &mut dyn Sink,
    ) -> Result<Ended, ProcessError> {
        let program = invocation.program.name();
        if cancel.is_cancelled() {
            return Err(ProcessError::Cancelled(program));
        }
        let lost = |source| ProcessError::Lost { program, source };
        let mut child = self.start(&invocation)?;
        // Held to the end: when it is dropped, the supervisor takes us for dead.
        let _alive = child.stdin.take();
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        let (mut out_piece, mut err_piece) = (vec![0; PIECE], vec![0; PIECE]);
        let started = Instant::now();
        let mut stop: Option<ProcessError> = None;
        let mut deadline = started + invocation.within;
        while out.is_some() || err.is_some() {
            tokio::select! {
                () = cancel.cancelled(), if stop.is_none() => {
                    stop = Some(ProcessError::Cancelled(program));
                    deadline = Instant::now() + GRACE + Duration::from_secs(2);
                    send(&child, Signal::SIGTERM);
                }
                () = tokio::time::sleep_until(deadline) => {
                    if stop.is_none() {
                        stop = Some(ProcessError::TimedOut { program, within: invocation.within });
                        deadline = Instant::now() + GRACE + Duration::from_secs(2);
                        send(&child, Signal::SIGTERM);
                    } else {
                        // The supervisor itself hangs; the program dies with it.
                        send(&child, Signal::SIGKILL);
                        break;
                    }
                }
                read = read(&mut out, &mut out_piece), if out.is_some() => {
                    match read.map_err(lost)? {
                        0 => out = None,
                        n => sink.take(Output::Out, &out_piece[..n]).await,
                    }
                }
                read = read(&mut err, &mut err_piece), if err.is_some() => {
                    match read.map_err(lost)? {
                        0 => err = None,
                        n => sink.take(Output::Err, &err_piece[..n]).await,
                    }
                }
            }
        }
        let status = child.wait().await.map_err(lost)?;
        match stop {
            Some(error) => Err(error),
            None => Ok(Ended { code: code(status) }),
        }
    }

    /// Runs a short program and keeps what it wrote.
    pub async fn capture(&self, invocation: Invocation, cancel: &CancellationToken) -> Result<Captured, ProcessError> {
        let mut buffers = Buffers::default();
        let ended = self.run(invocation, cancel, &mut buffers).await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Captured { ended, out: text(buffers.out), err: text(buffers.err) })
    }

    fn start(&self, invocation: &Invocation) -> Result<Child, ProcessError> {
        let program = invocation.program.name();
        let file = match invocation.program {
            Program::Git => &self.inner.git,
            Program::Docker => &self.inner.docker,
            Program::SshKeyscan => &self.inner.ssh_keyscan,
        };
        let file = file.as_ref().ok_or(ProcessError::NotInstalled(program))?;
        #[expect(clippy::disallowed_methods, reason = "this is where programs start")]
        let mut command = tokio::process::Command::new(&self.inner.supervisor);
        command
            .arg0("slipway")
            .args(["supervise", "--"])
            .arg(file)
            .args(&invocation.args)
            .env_clear()
            .env("PATH", &self.inner.path)
            .envs(invocation.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&invocation.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command.spawn().map_err(|source| ProcessError::Start { program, source })
    }
}

#[derive(Default)]
struct Buffers {
    out: Vec<u8>,
    err: Vec<u8>,
}

#[async_trait]
impl Sink for Buffers {
    async fn take(&mut self, from: Output, piece: &[u8]) {
        let buffer = match from {
            Output::Out => &mut self.out,
            Output::Err => &mut self.err,
        };
        let room = CAPTURED.saturating_sub(buffer.len());
        buffer.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

async fn read(from: &mut Option<impl AsyncRead + Unpin>, into: &mut [u8]) -> std::io::Result<usize> {
    match from {
        Some(from) => from.read(into).await,
        None => Ok(0),
    }
}

fn send(child: &Child, signal: Signal) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // ESRCH: it ended by itself just now, and is reaped by us alone.
        let _ = kill(Pid::from_raw(id), signal);
    }
}

fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stay_one_element_each() {
        let hostile = ["$(id)", "a b", "", "--upload-pack=x", "`x`\n;", "\"'"];
        let invocation = Invocation::new(Program::Git).arg("--").args(hostile);
        assert_eq!(invocation.args[1..], hostile.map(OsString::from));
    }

    #[test]
    fn programs_are_found_only_in_absolute_folders_and_only_when_executable() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("git"), "").expect("a file");
        assert_eq!(find("git", folder.path().as_os_str()), None);
        assert_eq!(find("git", OsStr::new(".:")), None);
    }
}
