//! Which failed pushes are worth another try, from buildx's final text: those where the registry or the network failed for
//! a moment. What a registry refuses, it refuses again.

use super::causes;
use std::time::Duration;

/// Pauses before the second try, the third, and so on; the last one counts for all that follow. BuildKit itself has tried
/// each request for some seconds by then.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(60)];

/// Statuses of the server's that stay: it can't do that at all, or has no room.
const LASTING: [u16; 3] = [501, 505, 507];

/// What a connection that broke or never came about leaves in the text.
const NETWORK: [&str; 15] = [
    "connection reset",
    "connection refused",
    "broken pipe",
    "unexpected eof",
    ": eof",
    "i/o timeout",
    "tls handshake timeout",
    "timeout awaiting response headers",
    "client.timeout exceeded",
    "no route to host",
    "network is unreachable",
    "temporary failure in name resolution",
    "server misbehaving",
    "server closed idle connection",
    "use of closed network connection",
];

/// Whether the same push may go through in a moment.
pub(super) fn may_help(written: &str) -> bool {
    if !causes::is_push(written) {
        return false;
    }
    let error = written.lines().rev().find(|line| line.starts_with("ERROR")).unwrap_or(written).to_lowercase();
    match status(&error) {
        Some(status) => (500..600).contains(&status) && !LASTING.contains(&status),
        None => NETWORK.iter().any(|text| error.contains(text)),
    }
}

/// How long to wait after so many tries.
pub(super) fn pause(tries: u32) -> Duration {
    let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    PAUSES[index.min(PAUSES.len() - 1)]
}

/// The registry's answer: `unexpected status from PUT request to https://…: 503 Service Unavailable`. The last one counts,
/// as texts of outer errors stand before those of inner ones.
fn status(error: &str) -> Option<u16> {
    let (_, rest) = error.rsplit_once("unexpected status")?;
    rest.split(": ").skip(1).find_map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let ends = part[digits.len()..].chars().next().is_none_or(|next| !next.is_alphanumeric());
        digits.parse().ok().filter(|status| ends && (100..600).contains(status))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_from_refusals() {
        for (text, again) in [
            (
                "ERROR: failed to solve: failed to push 127.0.0.1:5000/a:1: unexpected status from PUT request to http://127.0.0.1:5000/v2/a/blobs/uploads/x?digest=sha256%3A00: 503 Service Unavailable",
                true,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from POST request to https://x/v2/a/blobs/uploads/: 502 Bad Gateway",
                true,
            ),
            ("ERROR: failed to solve: failed to push x/a:1: unexpected status: 500 Internal Server Error", true),
            (
                "ERROR: unexpected status from HEAD request to http://x/v2/a/manifests/1: 500 Internal Server Error",
                true,
            ),
            ("ERROR: unexpected status from HEAD request to http://x/v2/a/manifests/1: 401 Unauthorized", false),
            (
                "ERROR: failed to solve: failed to push x/a:1: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.x/token?scope=a%3Apush: 504 Gateway Timeout",
                true,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: failed to do request: Put \"http://x/v2/a/blobs/uploads/1\": EOF",
                true,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: failed to do request: Put \"http://x/v2/\": read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer",
                true,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: failed to do request: Head \"http://x/v2/\": dial tcp 127.0.0.1:5999: connect: connection refused",
                true,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: failed to do request: Put \"https://x/v2/\": net/http: TLS handshake timeout",
                true,
            ),
            (
                "ERROR: failed to push x/a:1: failed to copy: io: read/write on closed pipe: write tcp 1: write: broken pipe",
                true,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from HEAD request to http://x/v2/a/blobs/sha256:00: 401 Unauthorized",
                false,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from POST request to http://x/v2/a/blobs/uploads/: 403 Forbidden",
                false,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from PUT request to http://x/v2/a/manifests/1: 404 Not Found",
                false,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from PUT request to http://x/v2/: 413 Request Entity Too Large",
                false,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from PUT request to http://x/v2/: 429 Too Many Requests",
                false,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: unexpected status from PUT request to http://x/v2/: 507 Insufficient Storage",
                false,
            ),
            (
                "ERROR: failed to solve: failed to push x/a:1: push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                false,
            ),
            ("ERROR: failed to solve: failed to push x/a:1: server gave HTTP response to HTTPS client", false),
            (
                "ERROR: failed to solve: failed to push x/a:1: tls: failed to verify certificate: x509: certificate signed by unknown authority",
                false,
            ),
            ("ERROR: failed to push x.test/a:1: dial tcp: lookup x.test: no such host", false),
            // Not the push: a base image, a command.
            (
                "ERROR: failed to solve: x/base:1: failed to resolve source metadata for x/base:1: unexpected status from HEAD request to http://x/v2/base/manifests/1: 503 Service Unavailable",
                false,
            ),
            (
                "ERROR: failed to solve: process \"/bin/sh -c echo connection reset\" did not complete successfully: exit code: 1",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(may_help(text), again, "{text}");
        }
    }

    #[test]
    fn pauses_grow_and_have_an_end() {
        let pauses: Vec<_> = (1..=6).map(|tries| pause(tries).as_secs()).collect();
        assert_eq!(pauses, [3, 10, 30, 60, 60, 60]);
    }
}
