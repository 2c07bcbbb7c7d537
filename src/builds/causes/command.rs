//! Why a command of the Dockerfile failed: from its exit code and from what it wrote last.

use super::{Known, find, known};
use app::error::Problem;

const FAILED: &str = "did not complete successfully: ";
/// How many of the command's last lines may tell.
const LAST: usize = 60;

/// What the command's own output says. `{}` is the command and its exit code.
const OUTPUT: &[Known] = &[
    known(
        &["exec format error"],
        "build.exec_format",
        "{} It is a program for another kind of processor than this platform's.",
        "Use a base image and programs for the platform that is built for.",
    ),
    known(
        &["invalid elf image for this architecture"],
        "build.exec_format",
        "{} It is a program for another kind of processor than this platform's.",
        "Use a base image and programs for the platform that is built for.",
    ),
    known(
        &["javascript heap out of memory"],
        "build.memory",
        "{} Node.js had no memory left.",
        "Raise its limit (ENV NODE_OPTIONS=--max-old-space-size=4096), or give the builder more memory.",
    ),
    known(
        &["no space left on device"],
        "disk.full",
        "{} The builder's disk is full.",
        "Make room (docker buildx prune, docker system prune), and build again.",
    ),
    known(
        &["disk quota exceeded"],
        "disk.quota",
        "{} The builder's disk quota is used up.",
        "Raise the quota, or make room, and build again.",
    ),
    known(
        &["/run/secrets/", "no such file or directory"],
        "build.secret",
        "{} It reads a build secret that the service doesn't have.",
        "Add the secret to the service, with the id that the Dockerfile mounts.",
    ),
    known(
        &["stat /bin/sh: no such file or directory"],
        "build.no_shell",
        "{} The image has no shell (it is built FROM scratch, or is distroless).",
        "Write RUN as a list (RUN [\"/program\"]), or do this in a stage before.",
    ),
    known(
        &["executable file not found in $path"],
        "build.not_found",
        "{} The image doesn't have this program.",
        "Install it in a line before, or correct its name.",
    ),
    known(&["temporary failure resolving"], "build.dns", DNS, DNS_REMEDY),
    known(&["temporary failure in name resolution"], "build.dns", DNS, DNS_REMEDY),
    known(&["could not resolve host"], "build.dns", DNS, DNS_REMEDY),
    known(&["getaddrinfo"], "build.dns", DNS, DNS_REMEDY),
    known(&["eai_again"], "build.dns", DNS, DNS_REMEDY),
    known(&["wget: bad address"], "build.dns", DNS, DNS_REMEDY),
    known(&["dns: transient error"], "build.dns", DNS, DNS_REMEDY),
    known(&["no such host"], "build.dns", DNS, DNS_REMEDY),
    known(&["certificate verify failed"], "build.tls", TLS, TLS_REMEDY),
    known(&["self-signed certificate"], "build.tls", TLS, TLS_REMEDY),
    known(&["self signed certificate"], "build.tls", TLS, TLS_REMEDY),
    known(&["unable to get local issuer certificate"], "build.tls", TLS, TLS_REMEDY),
    known(&["etimedout"], "build.network", NETWORK, NETWORK_REMEDY),
    known(&["connection timed out"], "build.network", NETWORK, NETWORK_REMEDY),
    known(&["network is unreachable"], "build.network", NETWORK, NETWORK_REMEDY),
    known(&["network unreachable"], "build.network", NETWORK, NETWORK_REMEDY),
    known(&["read timed out"], "build.network", NETWORK, NETWORK_REMEDY),
    known(
        &["429 too many requests"],
        "build.rate_limit",
        "{} A server that it downloads from gets too many requests.",
        "Wait some minutes, and build again.",
    ),
    known(
        &["api rate limit exceeded"],
        "build.rate_limit",
        "{} A server that it downloads from gets too many requests.",
        "Wait, or give it a token as a build secret.",
    ),
];
const DNS: &str = "{} Inside the build a host name can't be resolved.";
const DNS_REMEDY: &str = "Check the DNS servers of Docker on the builder (\"dns\" in daemon.json); behind a proxy give HTTP_PROXY and HTTPS_PROXY as build arguments.";
const TLS: &str = "{} A server that it downloads from has a certificate that the image doesn't trust.";
const TLS_REMEDY: &str =
    "Install ca-certificates in a line before; a proxy that opens TLS needs its authority in the image.";
const NETWORK: &str = "{} A server that it downloads from can't be reached from inside the build.";
const NETWORK_REMEDY: &str =
    "Check the builder's network and firewall; behind a proxy give HTTP_PROXY and HTTPS_PROXY as build arguments.";
const MEMORY_REMEDY: &str = "Give the builder more memory (or raise its cap in Settings), let fewer builds run at once, or let the command do less at once.";

/// `process "/bin/sh -c make" did not complete successfully: exit code: 7`; None: it was no command that failed.
pub(super) fn of_command(error: &str, output: &[&str]) -> Option<Problem> {
    let line = error.lines().rev().find(|line| line.contains(FAILED))?;
    let (before, after) = line.rsplit_once(FAILED)?;
    let command = before.split_once("process \"").map_or(before, |(_, command)| command);
    let command = command.trim_end().trim_end_matches('"');
    let command: String = command.strip_prefix("/bin/sh -c ").unwrap_or(command).chars().take(200).collect();
    let code = after.strip_prefix("exit code: ").map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits
    });
    let memory = |what: &str| {
        let cause = format!("{what} It was killed: the builder had no memory left for it: {command}");
        Some(Problem::new("build.memory", cause, MEMORY_REMEDY))
    };
    let Some(code) = code else {
        return if after.contains("cannot allocate memory") || after.contains("signal: killed") {
            memory("A command of the Dockerfile failed.")
        } else {
            None
        };
    };
    let failed = format!("A command of the Dockerfile ended with exit code {code}");
    let last = output[output.len().saturating_sub(LAST)..].join("\n");
    if let Some(known) = find(OUTPUT, &last) {
        let mut problem = known.problem(&format!("{failed}."));
        problem.cause = format!("{}: {command}", problem.cause.trim_end_matches('.'));
        return Some(problem);
    }
    let is_killed = output.iter().rev().take(LAST).any(|line| {
        let line = line.trim();
        line == "Killed"
            || line.ends_with(" Killed")
            || line.contains("signal: killed")
            || line.contains("Cannot allocate memory")
    });
    match code.as_str() {
        "137" => memory(&format!("{failed}.")),
        _ if is_killed => memory(&format!("{failed}.")),
        "127" => Some(Problem::new(
            "build.not_found",
            format!("{failed}, which means that a program wasn't found: {command}"),
            "Install the program in a line before, or correct its name; the log shows which one it is.",
        )),
        "126" => Some(Problem::new(
            "build.not_executable",
            format!("{failed}, which means that a file may not be run: {command}"),
            "Make it executable (git update-index --chmod=+x, or RUN chmod +x); the log shows which one it is.",
        )),
        "139" => Some(Problem::new(
            "build.crashed",
            format!("{failed}: it crashed (segmentation fault): {command}"),
            "Under emulation some programs crash: use a builder of the platform itself. Else look for a newer version.",
        )),
        _ => Some(Problem::new(
            "build.command",
            format!("{failed}: {command}"),
            "The log shows what it wrote. Correct it in the repository and build again.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::causes::of_build;

    const PLAIN: &str =
        "ERROR: failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 1";

    // What real programs wrote last.
    const OUTPUTS: &[(&str, &str)] = &[
        ("exec /xarm: exec format error", "build.exec_format"),
        ("aarch64-binfmt-P: /xarm: Invalid ELF image for this architecture", "build.exec_format"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "build.memory"),
        ("dd: error writing '/t/x': No space left on device\n2+0 records in\n1+0 records out", "disk.full"),
        ("cp: error writing '/x': Disk quota exceeded", "disk.quota"),
        ("cat: can't open '/run/secrets/npmrc': No such file or directory", "build.secret"),
        (
            "runc run failed: unable to start container process: exec: \"/bin/sh\": stat /bin/sh: no such file or directory",
            "build.no_shell",
        ),
        (
            "runc run failed: unable to start container process: exec: \"nosuchprogram\": executable file not found in $PATH",
            "build.not_found",
        ),
        (
            "W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.debian.org'",
            "build.dns",
        ),
        (
            "pip._vendor.urllib3.connection.HTTPSConnection: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
            "build.dns",
        ),
        ("curl: (6) Could not resolve host: example.org", "build.dns"),
        (
            "npm error request to https://registry.npmjs.org/left-pad failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org",
            "build.dns",
        ),
        ("npm ERR! code EAI_AGAIN", "build.dns"),
        ("wget: bad address 'deb.invalid'", "build.dns"),
        (
            "WARNING: fetching https://dl-cdn.alpinelinux.org/alpine/v3.20/main: DNS: transient error (try again later)",
            "build.dns",
        ),
        (
            "go: github.com/a/b@v1.0.0: Get \"https://proxy.golang.org/github.com/a/b/@v/v1.0.0.mod\": dial tcp: lookup proxy.golang.org: no such host",
            "build.dns",
        ),
        (
            "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1007)",
            "build.tls",
        ),
        (
            "npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to https://registry.npmjs.org/x failed, reason: self-signed certificate in certificate chain",
            "build.tls",
        ),
        ("npm ERR! request failed, reason: self signed certificate in certificate chain", "build.tls"),
        ("curl: (60) SSL certificate problem: unable to get local issuer certificate", "build.tls"),
        ("npm ERR! code ETIMEDOUT", "build.network"),
        (
            "E: Failed to fetch http://deb.debian.org/x  Could not connect to deb.debian.org:80 (151.101.2.132), connection timed out",
            "build.network",
        ),
        ("curl: (7) Failed to connect to example.org port 443: Network is unreachable", "build.network"),
        ("fetch error: network unreachable", "build.network"),
        (
            "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='files.pythonhosted.org', port=443): Read timed out.",
            "build.network",
        ),
        ("curl: (22) The requested URL returned error: 429 Too Many Requests", "build.rate_limit"),
        ("{\"message\":\"API rate limit exceeded for 192.0.2.1.\"}", "build.rate_limit"),
        ("Error: cannot find module teapot", "build.command"),
    ];

    #[test]
    fn outputs_of_commands_are_known() {
        for (text, code) in OUTPUTS {
            let lines: Vec<&str> = text.lines().collect();
            let problem = of_build(PLAIN, &lines, 1);
            assert_eq!(problem.code, *code, "{text}");
            assert!(problem.cause.contains("exit code 1") && problem.cause.ends_with(": make"), "{}", problem.cause);
        }
        for known in OUTPUT {
            let seen = OUTPUTS.iter().any(|(text, _)| find(OUTPUT, text).is_some_and(|found| found.says == known.says));
            assert!(seen, "no text for {known:?}");
        }
    }

    #[test]
    fn exit_codes_are_explained() {
        let with = |end: &str, output: &[&str]| {
            of_build(
                &format!("ERROR: failed to solve: process \"/bin/sh -c make x\" did not complete successfully: {end}"),
                output,
                1,
            )
        };
        assert_eq!(with("exit code: 7", &[]).code, "build.command");
        assert_eq!(with("exit code: 127", &["/bin/sh: nosuchprogram: not found"]).code, "build.not_found");
        assert_eq!(with("exit code: 126", &["/bin/sh: /plain: Permission denied"]).code, "build.not_executable");
        assert_eq!(with("exit code: 137", &[]).code, "build.memory");
        assert_eq!(with("exit code: 139", &["Segmentation fault (core dumped)"]).code, "build.crashed");
        assert_eq!(
            with("exit code: 1", &["c++: fatal error: Killed signal terminated program cc1plus", "Killed"]).code,
            "build.memory"
        );
        assert_eq!(with("exit code: 1", &["go: build failed: compile: signal: killed"]).code, "build.memory");
        // As newer BuildKits tell it.
        let told = of_build(
            "ERROR: failed to build: failed to solve: ResourceExhausted: process \"/bin/sh -c pnpm build:docker\" did not complete successfully: cannot allocate memory",
            &[],
            1,
        );
        assert_eq!(told.code, "build.memory");
        assert!(told.cause.ends_with(": pnpm build:docker"), "{}", told.cause);
    }

    #[test]
    fn a_failed_command_is_named_with_its_code() {
        let text = "Dockerfile:3\n--------\n>>> RUN make x && exit 7\n--------\nERROR: failed to solve: process \"/bin/sh -c make \\\"x\\\" && exit 7\" did not complete successfully: exit code: 7";
        let problem = of_build(text, &[], 1);
        assert_eq!(problem.code, "build.command");
        assert_eq!(problem.cause, "A command of the Dockerfile ended with exit code 7: make \\\"x\\\" && exit 7");
        assert!(problem.details.is_some_and(|details| details.contains("Dockerfile:3")));
    }
}
