//! Why git or buildx failed, from what they wrote. One table each, with texts taken from real runs.

use app::error::Problem;

/// What a text means: the part that tells it, a code, the cause and the remedy.
struct Known(&'static str, &'static str, &'static str, &'static str);

const GIT: &[Known] = &[
    Known("could not resolve host", "git.dns", "The repository's host name can't be resolved.", CHECK_ADDRESS),
    Known("could not resolve hostname", "git.dns", "The repository's host name can't be resolved.", CHECK_ADDRESS),
    Known("connection refused", "git.refused", "The repository's host refuses connections.", CHECK_ADDRESS),
    Known("failed to connect", "git.refused", "The repository's host can't be reached.", CHECK_ADDRESS),
    Known("connection timed out", "git.timeout", "The repository's host didn't answer in time.", CHECK_ADDRESS),
    Known("operation too slow", "git.timeout", "The repository's host sent nothing for a minute.", "Try again."),
    Known(
        "certificate",
        "git.tls",
        "The repository's host has a certificate that this server doesn't trust.",
        "Put the certificate in order, or start Slipway with GIT_SSL_CAINFO naming the file of its authority.",
    ),
    Known(
        "host key verification failed",
        "git.host_key",
        "The repository's host shows another key than before.",
        HOST_KEY,
    ),
    Known("permission denied (", "git.denied", "The repository's host doesn't accept this server's SSH key.", SSH_KEY),
    Known("could not read username", "git.denied", NEEDS_LOGIN, USE_SSH),
    Known("authentication failed", "git.denied", NEEDS_LOGIN, USE_SSH),
    Known("terminal prompts disabled", "git.denied", NEEDS_LOGIN, USE_SSH),
    Known("the requested url returned error: 403", "git.denied", "The repository's host denies access.", USE_SSH),
    Known("transport '", "git.protocol", "The repository's protocol isn't allowed.", "Use https:// or ssh://."),
    Known("unable to update url base from redirection", "git.redirect", REDIRECT, USE_NEW_ADDRESS),
    Known("redirect", "git.redirect", REDIRECT, USE_NEW_ADDRESS),
    Known("repository not found", "git.not_found", "There is no such repository, or it is private.", CHECK_ADDRESS),
    Known(
        "does not appear to be a git repository",
        "git.not_found",
        "There is no git repository there.",
        CHECK_ADDRESS,
    ),
    Known("does not exist", "git.not_found", "There is no git repository there.", CHECK_ADDRESS),
    Known("not found", "git.not_found", "There is no such repository, or it is private.", CHECK_ADDRESS),
    Known("dubious ownership", "git.owner", "The folder belongs to somebody else than Slipway.", "Check its owner."),
    Known("no space left on device", "disk.full", "The disk is full.", "Make room, and build again."),
];
const CHECK_ADDRESS: &str = "Check the repository's address on the service, and whether this server can reach it.";
const HOST_KEY: &str = "If the change is meant, remove its line from known_hosts in Slipway's data folder.";
const SSH_KEY: &str = "Give the public key of the user that Slipway runs as the right to read the repository.";
const NEEDS_LOGIN: &str = "The repository asks for a login.";
const USE_SSH: &str = "Use its ssh:// address with a deploy key, or make it readable for everybody.";
const REDIRECT: &str = "The repository's host redirects to another address; that isn't followed.";
const USE_NEW_ADDRESS: &str = "Give the new address on the service.";

const BUILD: &[Known] = &[
    Known("unknown flag: --push", "buildx.missing", NO_BUILDX, GET_BUILDX),
    Known("is not a docker command", "buildx.missing", NO_BUILDX, GET_BUILDX),
    Known("cannot connect to the docker daemon", "docker.unreachable", "Docker can't be reached.", "Start Docker."),
    Known(
        "no space left on device",
        "disk.full",
        "The disk is full.",
        "Make room (docker system prune), and build again.",
    ),
    Known("dockerfile parse error", "build.dockerfile", "The Dockerfile can't be read.", CORRECT),
    Known("unknown instruction", "build.dockerfile", "The Dockerfile can't be read.", CORRECT),
    Known(
        "failed to read dockerfile",
        "build.dockerfile",
        "The Dockerfile isn't there.",
        "Check its path on the service.",
    ),
    Known(
        "multi-platform build is not supported",
        "build.platform",
        NO_PLATFORMS,
        "Turn on Docker's containerd image store.",
    ),
    Known(
        "exec format error",
        "build.platform",
        "The base image is for another kind of processor than this machine's.",
        "Use a base image for this platform.",
    ),
    Known(
        "repository name must be lowercase",
        "build.name",
        "The image's name has upper-case letters.",
        "Use lower case.",
    ),
    Known(
        "failed to compute cache key",
        "build.copy",
        "A file that the Dockerfile copies isn't in the context.",
        CORRECT,
    ),
    Known("pull access denied", "build.base", BASE, BASE_REMEDY),
    Known("failed to resolve source metadata", "build.base", BASE, BASE_REMEDY),
];
const NO_BUILDX: &str = "The docker program has no buildx plugin.";
const GET_BUILDX: &str = "Install docker-buildx (Debian) or docker-buildx-plugin (Docker's packages).";
const CORRECT: &str = "The log shows where. Correct it in the repository and build again.";
const NO_PLATFORMS: &str = "Docker's own image store can't build for several platforms.";
const BASE: &str = "A base image can't be pulled.";
const BASE_REMEDY: &str =
    "Check its name; images that need a login must be in the registry that this service builds to.";

const PUSH: &[Known] = &[
    Known("401 unauthorized", "push.denied", "The registry rejects the login.", "Check the registry's credential."),
    Known("403 forbidden", "push.denied", "The registry denies the push.", "Give the account the right to push."),
    Known("denied", "push.denied", "The registry denies the push.", "Give the account the right to push."),
    Known("405 method not allowed", "push.read_only", "The registry is read-only now.", "Try again later."),
    Known(
        "413 request entity too large",
        "push.too_large",
        "The registry refuses layers of this size.",
        "Raise its limit.",
    ),
    Known("connection refused", "push.refused", "The registry refuses connections.", "Check whether it runs."),
    Known("no such host", "push.dns", "The registry's host name can't be resolved.", "Check its address."),
    Known(
        "server gave http response to https client",
        "push.plain_http",
        "The registry speaks plain HTTP, which Docker accepts only from this machine.",
        "Give the registry a certificate.",
    ),
    Known(
        "x509: ",
        "push.tls",
        "Docker doesn't trust the registry's certificate.",
        "Put its authority into Docker's certs.d.",
    ),
    Known("i/o timeout", "push.timeout", "The registry didn't answer in time.", "Try again."),
    Known("eof", "push.broken", "The registry broke the connection off.", "Look into the registry's own log."),
    Known(
        "connection reset",
        "push.broken",
        "The registry broke the connection off.",
        "Look into the registry's own log.",
    ),
];

const EXIT_CODE: &str = "did not complete successfully: exit code: ";

/// Why git failed.
pub(super) fn of_git(written: &str) -> Problem {
    let problem = find(GIT, written).unwrap_or_else(|| {
        Problem::new("git.failed", "git failed.", "The log shows what it said; check the repository and build again.")
    });
    problem.with_details(last_lines(written, 6))
}

/// Why buildx failed; `code` is its exit code.
pub(super) fn of_build(written: &str, code: i32) -> Problem {
    let problem = failed_command(written)
        .or_else(|| if is_push(written) { Some(of_push(written)) } else { None })
        .or_else(|| find(BUILD, written))
        .unwrap_or_else(|| {
            let cause = format!("docker buildx failed with exit code {code}.");
            Problem::new("build.failed", cause, "The log shows why. Correct it and build again.")
        });
    problem.with_details(last_lines(written, 12))
}

/// Whether it was the push that failed, which only the registry can explain.
pub(super) fn is_push(written: &str) -> bool {
    let error = written.lines().rev().find(|line| line.starts_with("ERROR")).unwrap_or(written).to_lowercase();
    error.contains("failed to push") || error.contains("pushing ") || error.contains("failed to do request: put")
}

fn of_push(written: &str) -> Problem {
    find(PUSH, written).unwrap_or_else(|| {
        Problem::new("push.failed", "The image was built, but the push failed.", "The log shows the registry's answer.")
    })
}

/// `process "/bin/sh -c make" did not complete successfully: exit code: 7`.
fn failed_command(written: &str) -> Option<Problem> {
    let line = written.lines().rev().find(|line| line.contains(EXIT_CODE))?;
    let (before, after) = line.split_once(EXIT_CODE)?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    let command = before.rsplit_once("process \"").map_or(before, |(_, command)| command);
    let command = command.trim_end().trim_end_matches('"').trim_start_matches("/bin/sh -c ");
    let command: String = command.chars().take(200).collect();
    Some(Problem::new(
        "build.command",
        format!("A command of the Dockerfile ended with exit code {digits}: {command}"),
        "The log shows what it wrote. Correct it in the repository and build again.",
    ))
}

fn find(table: &[Known], written: &str) -> Option<Problem> {
    let written = written.to_lowercase();
    table
        .iter()
        .find(|Known(text, ..)| written.contains(text))
        .map(|Known(_, code, cause, remedy)| Problem::new(code, *cause, *remedy))
}

fn last_lines(written: &str, count: usize) -> String {
    let lines: Vec<_> = written.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildxs_errors_are_known() {
        for (text, code) in [
            (
                "ERROR: failed to solve: failed to push 127.0.0.1:5000/a:1: unexpected status from HEAD request to http://127.0.0.1:5000/v2/a/blobs/sha256:00: 401 Unauthorized",
                "push.denied",
            ),
            (
                "ERROR: failed to solve: failed to push 127.0.0.1:5999/a:1: failed to do request: Head \"http://127.0.0.1:5999/v2/a\": dial tcp 127.0.0.1:5999: connect: connection refused",
                "push.refused",
            ),
            ("ERROR: failed to push x.test/a:1: dial tcp: lookup x.test: no such host", "push.dns"),
            ("ERROR: failed to push x/a:1: http: server gave HTTP response to HTTPS client", "push.plain_http"),
            ("ERROR: failed to push x/a:1: unexpected status: 405 Method Not Allowed", "push.read_only"),
            ("ERROR: failed to push x/a:1: something new", "push.failed"),
            ("ERROR: invalid tag \"x/A\": repository name must be lowercase", "build.name"),
            ("ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN", "build.dockerfile"),
            (
                "ERROR: failed to solve: failed to read dockerfile: open Dockerfile.nope: no such file or directory",
                "build.dockerfile",
            ),
            ("exec /bin/sh: exec format error", "build.platform"),
            ("ERROR: Multi-platform build is not supported for the docker driver.", "build.platform"),
            ("unknown flag: --push", "buildx.missing"),
            ("docker: 'buildx' is not a docker command.", "buildx.missing"),
            (
                "ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
                "docker.unreachable",
            ),
            ("ERROR: something new", "build.failed"),
            ("", "build.failed"),
        ] {
            let problem = of_build(text, 1);
            assert_eq!(problem.code, code, "{text}");
            assert!(!problem.cause.is_empty() && !problem.remedy.is_empty());
        }
    }

    #[test]
    fn a_failed_command_is_named_with_its_code() {
        let text = "Dockerfile:3\n--------\n>>> RUN make x && exit 7\n--------\nERROR: failed to solve: process \"/bin/sh -c make \\\"x\\\" && exit 7\" did not complete successfully: exit code: 7";
        let problem = of_build(text, 1);
        assert_eq!(problem.code, "build.command");
        assert_eq!(problem.cause, "A command of the Dockerfile ended with exit code 7: make \\\"x\\\" && exit 7");
        assert!(problem.details.is_some_and(|details| details.contains("Dockerfile:3")));
    }

    #[test]
    fn gits_errors_are_known() {
        for (text, code) in [
            ("fatal: unable to access 'https://x.test/a/': Could not resolve host: x.test", "git.dns"),
            ("ssh: Could not resolve hostname x.test: Name or service not known", "git.dns"),
            ("fatal: could not read Username for 'https://x.test': terminal prompts disabled", "git.denied"),
            ("git@x.test: Permission denied (publickey).", "git.denied"),
            ("fatal: '/srv/none' does not appear to be a git repository", "git.not_found"),
            ("fatal: transport 'ext' not allowed", "git.protocol"),
            ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate", "git.tls"),
            ("fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none", "git.tls"),
            ("Host key verification failed.", "git.host_key"),
            ("fatal: something new", "git.failed"),
        ] {
            assert_eq!(of_git(text).code, code, "{text}");
        }
    }
}
