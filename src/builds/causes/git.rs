//! Why git failed.

use super::{Known, find, known, last_lines};
use app::error::Problem;

const GIT: &[Known] = &[
    known(&["could not resolve host"], "git.dns", "The repository's host name can't be resolved.", CHECK_ADDRESS),
    known(
        &["host key verification failed"],
        "git.host_key",
        "The repository's host shows another key than the one that is known.",
        HOST_KEY,
    ),
    known(
        &["remote host identification has changed"],
        "git.host_key",
        "The repository's host shows another key than the one that is known.",
        HOST_KEY,
    ),
    known(&["permission denied ("], "git.denied", "The repository's host doesn't accept the SSH key.", SSH_KEY),
    known(&["load key", "invalid format"], "git.key", "The SSH key can't be read.", "Create a new deploy key."),
    known(
        &["password authentication is not supported"],
        "git.denied",
        "The repository's host takes no passwords, only tokens.",
        USE_TOKEN,
    ),
    known(&["could not read username"], "git.denied", NEEDS_LOGIN, USE_LOGIN),
    known(&["could not read password"], "git.denied", NEEDS_LOGIN, USE_LOGIN),
    known(&["terminal prompts disabled"], "git.denied", NEEDS_LOGIN, USE_LOGIN),
    known(&["authentication failed"], "git.denied", "The repository's host rejects the login.", USE_TOKEN),
    known(&["http basic: access denied"], "git.denied", "The repository's host rejects the login.", USE_TOKEN),
    known(&["the requested url returned error: 403"], "git.denied", "The repository's host denies access.", USE_TOKEN),
    known(
        &["the requested url returned error: 407"],
        "git.proxy",
        "A proxy on the way to the repository asks for a login.",
        "Give the proxy's login in Slipway's environment.",
    ),
    known(
        &["the requested url returned error: 429"],
        "git.rate_limit",
        "The repository's host gets too many requests from this machine.",
        "Wait some minutes, and build again.",
    ),
    known(
        &["the requested url returned error: 5"],
        "git.server",
        "The repository's host has an error of its own.",
        "Try again later.",
    ),
    known(
        &["git-lfs", "not found"],
        "git.lfs",
        "The repository keeps files in Git LFS, and git-lfs isn't installed.",
        "Install git-lfs on this server, or take the files out of LFS.",
    ),
    known(
        &["smudge filter lfs failed"],
        "git.lfs",
        "A file in Git LFS can't be fetched.",
        "Check that it was pushed (git lfs push --all), and that the login may read LFS.",
    ),
    known(
        &["clone of", "into submodule path"],
        "git.submodule",
        "A submodule can't be fetched.",
        "Check the submodule's address, and that the repository's login may read it.",
    ),
    known(
        &["no url found for submodule path"],
        "git.submodule",
        "A submodule has no address in .gitmodules.",
        "Put it into .gitmodules, or remove the submodule.",
    ),
    known(
        &["couldn't find remote ref"],
        "git.branch",
        "The repository doesn't have this branch.",
        "Check the branch on the service, or push it.",
    ),
    known(
        &["not our ref"],
        "git.commit",
        "The repository doesn't have this commit any more.",
        "Build the branch's newest commit.",
    ),
    known(
        &["unadvertised object"],
        "git.commit",
        "The repository doesn't give this commit out.",
        "Build the branch's newest commit.",
    ),
    known(
        &["shallow file has changed"],
        "git.shallow",
        "Something else changed the repository's copy while it was fetched.",
        "Build again.",
    ),
    known(
        &["shallow update not allowed"],
        "git.shallow",
        "The repository is a shallow copy itself and lacks a part of its history.",
        "Complete it (git fetch --unshallow), or use the original.",
    ),
    known(&["ssl certificate problem"], "git.tls", TLS, TLS_REMEDY),
    known(&["server certificate verification failed"], "git.tls", TLS, TLS_REMEDY),
    known(
        &["no alternative certificate subject name matches"],
        "git.tls_name",
        "The certificate of the repository's host is for another name.",
        "Use the name that is in the certificate.",
    ),
    known(&["certificate"], "git.tls", TLS, TLS_REMEDY),
    known(&["connection refused"], "git.refused", "The repository's host refuses connections.", CHECK_ADDRESS),
    known(&["connection timed out"], "git.timeout", "The repository's host didn't answer in time.", CHECK_ADDRESS),
    known(&["operation too slow"], "git.timeout", "The repository's host sent nothing for a minute.", "Try again."),
    known(&["failed to connect"], "git.refused", "The repository's host can't be reached.", CHECK_ADDRESS),
    known(
        &["network is unreachable"],
        "git.refused",
        "There is no way from this machine to the repository's host.",
        CHECK_ADDRESS,
    ),
    known(
        &["transport '", "not allowed"],
        "git.protocol",
        "The repository's protocol isn't allowed.",
        "Use https:// or ssh://.",
    ),
    known(&["unable to update url base from redirection"], "git.redirect", REDIRECT, USE_NEW_ADDRESS),
    known(&["redirect"], "git.redirect", REDIRECT, USE_NEW_ADDRESS),
    known(&["no space left on device"], "disk.full", "The disk of this server is full.", "Make room, and build again."),
    known(
        &["disk quota exceeded"],
        "disk.quota",
        "The disk quota of Slipway's user is used up.",
        "Make room, and build again.",
    ),
    known(&["repository not found"], "git.not_found", "There is no such repository, or it is private.", PRIVATE),
    known(
        &["project you were looking for could not be found"],
        "git.not_found",
        "There is no such repository, or it is private.",
        PRIVATE,
    ),
    known(
        &["does not appear to be a git repository"],
        "git.not_found",
        "There is no git repository there.",
        CHECK_ADDRESS,
    ),
    known(&["does not exist"], "git.not_found", "There is no git repository there.", CHECK_ADDRESS),
    known(&["not found"], "git.not_found", "There is no such repository, or it is private.", PRIVATE),
    known(&["dubious ownership"], "git.owner", "The folder belongs to somebody else than Slipway.", "Check its owner."),
    known(&["early eof"], "git.broken", "The repository's host broke the connection off.", "Build again."),
    known(&["rpc failed"], "git.broken", "The repository's host broke the connection off.", "Build again."),
    known(
        &["remote end hung up unexpectedly"],
        "git.broken",
        "The repository's host broke the connection off.",
        "Build again.",
    ),
];
const CHECK_ADDRESS: &str = "Check the repository's address on the service, and whether this server can reach it.";
const PRIVATE: &str = "Check the repository's address; a private one needs a token or a deploy key.";
const HOST_KEY: &str = "If the change is meant, forget the old key and build again.";
const SSH_KEY: &str =
    "Add the deploy key to the repository, or give the key of the user that Slipway runs as the right to read it.";
const NEEDS_LOGIN: &str = "The repository asks for a login.";
const USE_LOGIN: &str =
    "Give the service a token for it, use its ssh:// address with a deploy key, or make it readable for everybody.";
const USE_TOKEN: &str =
    "Give the service a token that may read the repository, or use its ssh:// address with a deploy key.";
const TLS: &str = "The repository's host has a certificate that this server doesn't trust.";
const TLS_REMEDY: &str =
    "Put the certificate in order, or start Slipway with GIT_SSL_CAINFO naming the file of its authority.";
const REDIRECT: &str = "The repository's host redirects to another address; that isn't followed.";
const USE_NEW_ADDRESS: &str = "Give the new address on the service.";

/// Why git failed.
pub(in crate::builds) fn of_git(written: &str) -> Problem {
    let problem = find(GIT, written).map_or_else(
        || {
            Problem::new(
                "git.failed",
                "git failed.",
                "The log shows what it said; check the repository and build again.",
            )
        },
        |known| known.problem(""),
    );
    problem.with_details(last_lines(written, 6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::causes::tests::all_have_real_texts;

    // As git 2.47 and its hosts wrote them.
    const TEXTS: &[(&str, &str)] = &[
        ("fatal: unable to access 'https://git.invalid/a/': Could not resolve host: git.invalid", "git.dns"),
        (
            "ssh: Could not resolve hostname git.invalid: Name or service not known\nfatal: Could not read from remote repository.",
            "git.dns",
        ),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "git.host_key"),
        ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "git.host_key"),
        ("git@x.test: Permission denied (publickey).\nfatal: Could not read from remote repository.", "git.denied"),
        ("Load key \"/x/id\": invalid format\n", "git.key"),
        (
            "remote: Invalid username or token. Password authentication is not supported for Git operations.\nfatal: Authentication failed for 'https://github.com/a/b/'",
            "git.denied",
        ),
        ("fatal: could not read Username for 'http://127.0.0.1:18999': terminal prompts disabled", "git.denied"),
        ("fatal: could not read Password for 'https://u@x.test': No such device or address", "git.denied"),
        ("fatal: could not read: terminal prompts disabled", "git.denied"),
        ("fatal: Authentication failed for 'http://127.0.0.1:18999/401/a.git/'", "git.denied"),
        (
            "remote: HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect",
            "git.denied",
        ),
        (
            "fatal: unable to access 'http://127.0.0.1:18999/403/a.git/': The requested URL returned error: 403",
            "git.denied",
        ),
        (
            "fatal: unable to access 'http://127.0.0.1:18999/407/a.git/': The requested URL returned error: 407",
            "git.proxy",
        ),
        (
            "fatal: unable to access 'http://127.0.0.1:18999/429/a.git/': The requested URL returned error: 429",
            "git.rate_limit",
        ),
        (
            "fatal: unable to access 'http://127.0.0.1:18999/503/a.git/': The requested URL returned error: 503",
            "git.server",
        ),
        (
            "git-lfs filter-process: 1: git-lfs: not found\nfatal: the remote end hung up unexpectedly\nwarning: Clone succeeded, but checkout failed.",
            "git.lfs",
        ),
        (
            "error: external filter 'git-lfs filter-process' failed\nfatal: Content/a.umap: smudge filter lfs failed",
            "git.lfs",
        ),
        ("fatal: clone of 'ssh://git@x.test/x' into submodule path '/tmp/sub' failed", "git.submodule"),
        ("fatal: No url found for submodule path 'vendor/x' in .gitmodules", "git.submodule"),
        ("fatal: couldn't find remote ref nosuch", "git.branch"),
        ("fatal: remote error: upload-pack: not our ref 0123456789012345678901234567890123456789", "git.commit"),
        (
            "error: Server does not allow request for unadvertised object 23dab81f7a2ec15926db961f8d386ac9df89e976",
            "git.commit",
        ),
        ("fatal: shallow file has changed since we read it", "git.shallow"),
        ("! [rejected] main -> main (shallow update not allowed)", "git.shallow"),
        ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate", "git.tls"),
        (
            "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none CRLfile: none",
            "git.tls",
        ),
        (
            "fatal: unable to access 'https://x/': SSL: no alternative certificate subject name matches target host name 'x'",
            "git.tls_name",
        ),
        (
            "fatal: unable to access 'https://x/': Problem with the SSL CA cert: error adding trust anchors from certificate file",
            "git.tls",
        ),
        (
            "ssh: connect to host 127.0.0.1 port 1: Connection refused\nfatal: Could not read from remote repository.",
            "git.refused",
        ),
        (
            "ssh: connect to host x.test port 22: Connection timed out\nfatal: Could not read from remote repository.",
            "git.timeout",
        ),
        (
            "fatal: unable to access 'https://x/': Operation too slow. Less than 1000 bytes/sec transferred the last 60 seconds",
            "git.timeout",
        ),
        (
            "fatal: unable to access 'https://127.0.0.1:1/a/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
            "git.refused",
        ),
        ("ssh: connect to host 2001:db8::1 port 22: Network is unreachable", "git.refused"),
        ("fatal: transport 'ext' not allowed", "git.protocol"),
        (
            "fatal: unable to update url base from redirection:\n  asked for: http://x/a/info/refs\n   redirect: http://y/",
            "git.redirect",
        ),
        ("warning: redirecting to https://new.test/a.git/\nfatal: The remote asks to go elsewhere", "git.redirect"),
        (
            "error: copy-fd: write returned: No space left on device\nfatal: cannot copy 'a' to 'b': No space left on device",
            "disk.full",
        ),
        ("fatal: write error: Disk quota exceeded", "disk.quota"),
        ("remote: Repository not found.\nfatal: repository 'https://github.com/a/none/' not found", "git.not_found"),
        (
            "remote: The project you were looking for could not be found or you don't have permission to view it.",
            "git.not_found",
        ),
        (
            "fatal: '/tmp/githarv/none' does not appear to be a git repository\nfatal: Could not read from remote repository.",
            "git.not_found",
        ),
        ("fatal: repository '/srv/none' does not exist", "git.not_found"),
        ("fatal: repository 'http://127.0.0.1:18999/404/a.git/' not found", "git.not_found"),
        ("fatal: detected dubious ownership in repository at '/srv/shop'", "git.owner"),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", "git.broken"),
        ("error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly: CANCEL (err 8)", "git.broken"),
        ("fatal: the remote end hung up unexpectedly", "git.broken"),
        ("fatal: something new", "git.failed"),
    ];

    #[test]
    fn gits_errors_are_known() {
        all_have_real_texts(&[GIT], TEXTS, of_git);
    }
}
