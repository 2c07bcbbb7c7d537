//! `slipway supervise -- PROGRAM ARGS…`: runs one program and leaves nothing of it behind.
//!
//! A second, small process between Slipway and the program, because a killed Slipway can't tidy up after itself:
//!
//! - its standard input is a pipe that only Slipway holds open; when Slipway dies, the kernel closes it, and the
//!   supervisor ends the program. (A parent-death signal to the supervisor would come when the *thread* that started it
//!   ends, which in Slipway may happen at any time.)
//! - it adopts orphans of the program (child subreaper), so that daemons and detached children are ended too;
//! - the program gets a parent-death signal, so that it ends also when somebody kills the supervisor. The supervisor
//!   starts it from its only thread. Without `unsafe` this takes one more `exec`: see `become_program`.
//!
//! SIGTERM: the program's group is told to end and killed 10 s later. Its exit code is passed on; a signal is 128 + n.

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getpid, getppid};
use std::ffi::OsString;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

/// How long a program may take to end after SIGTERM.
pub const GRACE: Duration = Duration::from_secs(10);
/// The same when Slipway is gone and the next one may already be starting.
const GRACE_WITHOUT_SLIPWAY: Duration = Duration::from_secs(2);
/// First argument of the inner call, which becomes the program.
const BECOME: &str = ":become";
const CANNOT_START: u8 = 127;

/// The hidden subcommand; `args` is what stands behind `supervise`.
pub fn supervise(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.first().is_some_and(|first| first == "--") {
        args.remove(0);
    }
    match args.first() {
        None => failed("supervise needs a program", &"nothing follows --"),
        Some(first) if first == BECOME => become_program(&args[1..]),
        Some(_) => watch_over(&args),
    }
}

/// Sets the parent-death signal and turns into the program: `<supervisor's pid> PROGRAM ARGS…`.
fn become_program(args: &[OsString]) -> ExitCode {
    let [parent, program, rest @ ..] = args else { return failed("supervise needs a program", &"none is named") };
    if let Err(error) = prctl::set_pdeathsig(Signal::SIGKILL) {
        return failed("the parent-death signal can't be set", &error);
    }
    if parent.to_str() != Some(getppid().to_string().as_str()) {
        return failed("the supervisor is gone", &"nothing was started");
    }
    // Slipway's own files are for itself alone, but what git checks out keeps its modes in an image, where another user
    // may have to read it. The folder around it is private.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    #[expect(clippy::disallowed_methods, reason = "this is where programs start")]
    let error = std::process::Command::new(program).args(rest).exec();
    failed(&format!("{} can't be started", program.to_string_lossy()), &error)
}

fn watch_over(args: &[OsString]) -> ExitCode {
    if let Err(error) = prctl::set_child_subreaper(true) {
        return failed("orphans can't be adopted", &error);
    }
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(tend(args)));
    end_descendants();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed("the program can't be watched", &error),
    }
}

/// Starts the program and waits for its end, for an order to end it, or for Slipway's death.
async fn tend(args: &[OsString]) -> std::io::Result<u8> {
    let mut told = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let slipway = pipe::Receiver::from_owned_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
    #[expect(clippy::disallowed_methods, reason = "this is where programs start")]
    let mut program = tokio::process::Command::new("/proc/self/exe")
        .arg0("slipway")
        .args(["supervise", "--", BECOME])
        .arg(getpid().to_string())
        .args(args)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let group = program.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    let end_group = |signal: Signal| {
        if let Some(group) = group {
            // ESRCH: it ended by itself just now.
            let _ = killpg(group, signal);
        }
    };
    let mut deadline: Option<Instant> = None;
    let mut slipway_lives = true;
    loop {
        let until = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        tokio::select! {
            status = program.wait() => return status.map(code),
            Some(()) = told.recv(), if deadline.is_none() => {
                deadline = Some(Instant::now() + GRACE);
                end_group(Signal::SIGTERM);
            }
            Some(()) = interrupted.recv(), if deadline.is_none() => {
                deadline = Some(Instant::now() + GRACE);
                end_group(Signal::SIGTERM);
            }
            () = closed(&slipway), if slipway_lives => {
                slipway_lives = false;
                let soon = Instant::now() + GRACE_WITHOUT_SLIPWAY;
                deadline = Some(deadline.map_or(soon, |deadline| deadline.min(soon)));
                end_group(Signal::SIGTERM);
            }
            () = tokio::time::sleep(until.min(Duration::from_secs(3_600))), if deadline.is_some() => {
                deadline = Some(Instant::now() + Duration::from_secs(1));
                end_group(Signal::SIGKILL);
            }
        }
    }
}

/// Returns when nobody holds the other end any more.
async fn closed(line: &pipe::Receiver) {
    let mut bytes = [0; 64];
    loop {
        if line.readable().await.is_err() {
            return;
        }
        match line.try_read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

fn code(status: std::process::ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(1)
}

/// Kills whatever the program left, in its group or out of it: orphans have become our children by then, and killing
/// those makes theirs ours, so this comes to an end.
fn end_descendants() {
    let give_up = Instant::now() + Duration::from_secs(3);
    while Instant::now() < give_up {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(nix::sys::wait::WaitStatus::StillAlive) => {
                for child in children() {
                    let _ = kill(child, Signal::SIGKILL);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            _ => {}
        }
    }
}

/// Our children, by the fourth field of `/proc/<pid>/stat` (the second is the name, in brackets).
fn children() -> Vec<Pid> {
    let me = getpid().to_string();
    let Ok(folders) = std::fs::read_dir("/proc") else { return Vec::new() };
    folders
        .flatten()
        .filter_map(|folder| {
            let pid: i32 = folder.file_name().to_str()?.parse().ok()?;
            let mut stat = String::new();
            std::fs::File::open(folder.path().join("stat")).ok()?.read_to_string(&mut stat).ok()?;
            let (_, fields) = stat.rsplit_once(')')?;
            (fields.split_whitespace().nth(1) == Some(me.as_str())).then(|| Pid::from_raw(pid))
        })
        .collect()
}

fn failed(what: &str, why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("slipway: {what}: {why}");
    ExitCode::from(CANNOT_START)
}
