//! Why a builder doesn't build, in plain words. Pure.

use super::buildx::Definition;
use app::error::Problem;
use app::paths;

/// What buildx wrote when it couldn't make or start a builder.
pub(super) fn of(written: &str, of: &Definition) -> Problem {
    let said = last_error(written);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let machine = of
        .nodes
        .iter()
        .find(|node| written.contains(&of.node_name(node.number)) || said.contains(node.endpoint.as_str()))
        .or_else(|| of.nodes.first());
    let there = machine.map_or_else(|| "This engine".to_owned(), |node| node.endpoint.to_string());
    let problem = if has(&["Host key verification failed"]) {
        Problem::new(
            "builder.host_key",
            format!("{there}: the SSH key of that machine isn't known here."),
            "As the account that Slipway runs as, sign in there once by hand with ssh, compare the key, and accept it. Then \
             check again.",
        )
    } else if has(&["Permission denied"]) {
        Problem::new(
            "builder.ssh_denied",
            format!("{there}: SSH refused to sign in."),
            "Put the public key of the account that Slipway runs as (or of its SSH agent) into that user's \
             ~/.ssh/authorized_keys, then check again.",
        )
    } else if has(&["dial-stdio"]) && has(&["not found", "is not a docker command", "permission denied while"]) {
        Problem::new(
            "builder.no_docker",
            format!("{there}: there is no docker command for that user."),
            "Install Docker there, and let the user use it (group docker). Then check again.",
        )
    } else if has(&[
        "failed to resolve reference",
        "pull access denied",
        "manifest unknown",
        "No such image",
        "pulling image",
    ]) {
        Problem::new(
            "builder.image",
            format!("{there} can't pull the image {}.", of.image),
            "Check its name, and that the engine reaches its registry; or keep a copy in a registry that it does reach, and \
             give that name.",
        )
    } else if has(&["Could not resolve hostname", "no such host", "Name or service not known"]) {
        Problem::new(
            "builder.dns",
            format!("The name in {there} can't be resolved."),
            "Check its spelling, then check again.",
        )
    } else if has(&["onnection refused"]) {
        Problem::new(
            "builder.refused",
            format!("{there}: nothing answers at this port."),
            "Start what should answer there, and see whether a firewall lets this machine through. Then check again.",
        )
    } else if has(&["x509", "tls:", "certificate", "PEM"]) {
        Problem::new(
            "builder.tls",
            format!("{there}: TLS failed."),
            "The authority has to be the one that signed that machine's certificate for this very name, and the machine has to \
             trust the authority of ours. Paste the three texts anew, then check again.",
        )
    } else if has(&["deadline exceeded", "timed out", "i/o timeout", "timeout"]) {
        Problem::new(
            "builder.timeout",
            format!("{there} didn't answer in time, or TLS failed."),
            "See whether BuildKit runs there, whether a firewall lets this machine through, and whether both sides trust each \
             other's authority. Then check again.",
        )
    } else if has(&["Cannot connect to the Docker daemon", "Is the docker daemon running"]) {
        Problem::new("builder.engine", "Docker can't be reached.", "Start it, then check again.")
            .with_link(paths::SETTINGS, "See Settings")
    } else {
        Problem::new(
            "builder.fails",
            format!("{there}: buildx can't use this builder."),
            "See the details, then check again.",
        )
    };
    problem.with_details(said)
}

/// buildx isn't there, or took too long.
pub(super) fn of_process(error: &crate::process::ProcessError) -> Problem {
    Problem::new(
        "builder.buildx",
        format!("{error}."),
        "See in Settings whether Docker and buildx are there, then check again.",
    )
    .with_link(paths::SETTINGS, "See Settings")
}

/// The last line that says what is wrong, and what follows it.
fn last_error(written: &str) -> String {
    let lines: Vec<&str> = written.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let found = lines.iter().rposition(|line| line.starts_with("ERROR: ") || line.starts_with("error: "));
    let text = match found {
        Some(at) => lines[at..].join("\n"),
        None => lines.last().copied().unwrap_or("It said nothing.").to_owned(),
    };
    text.trim_start_matches("ERROR: ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::buildx::Node;
    use super::*;
    use app::model::builder::Caps;

    fn definition(endpoints: &[&str]) -> Definition {
        let node = |(number, endpoint): (u32, &&str)| Node {
            number,
            platform: "linux/arm64".parse().expect("a platform"),
            endpoint: endpoint.parse().expect("an endpoint"),
            keys: None,
        };
        Definition {
            name: "slipway-x".into(),
            image: "moby/buildkit:buildx-stable-1".parse().expect("an image"),
            caps: Caps::default(),
            nodes: (0..).zip(endpoints).map(node).collect(),
        }
    }

    /// What buildx 0.13 and ssh really write.
    #[test]
    fn every_known_failure_has_its_words() {
        let ssh = |why: &str| {
            format!(
                "ERROR: failed to initialize builder slipway-x (slipway-x-1): error during connect: Get \
                 \"http://docker.example.com/v1.45/containers/x/json\": command [ssh -o ConnectTimeout=30 -l ada -p 2 -- arm docker \
                 system dial-stdio] has exited with exit status 255, please make sure the URL is valid, and Docker 18.09 or later \
                 is installed on the remote host: stderr={why}\n"
            )
        };
        let pull = "#1 [internal] booting buildkit\n#1 ERROR: Error response from daemon: failed to resolve reference \
                    \"docker.io/moby/buildkit:buildx-stable-1\": failed to do request: dial tcp: lookup registry-1.docker.io: no \
                    such host\n------\nERROR: Error response from daemon: failed to resolve reference \
                    \"docker.io/moby/buildkit:buildx-stable-1\": failed to do request: dial tcp: lookup registry-1.docker.io: no \
                    such host\n";
        let wait = "#1 [slipway-x-0 internal] waiting for connection\n#1 ERROR: context deadline exceeded\nERROR: context deadline exceeded\n";
        let both: &[&str] = &["ssh://ada@amd", "ssh://ada@arm:2"];
        for (written, endpoints, code, names) in [
            (pull.to_owned(), &[][..], "builder.image", "moby/buildkit:buildx-stable-1"),
            (wait.to_owned(), &["tcp://arm:1234"], "builder.timeout", "tcp://arm:1234"),
            (ssh("ssh: connect to host arm port 2: Connection refused"), both, "builder.refused", "ssh://ada@arm:2"),
            (
                ssh("ssh: Could not resolve hostname arm: Name or service not known"),
                both,
                "builder.dns",
                "ssh://ada@arm:2",
            ),
            (ssh("Host key verification failed."), both, "builder.host_key", "ssh://ada@arm:2"),
            (ssh("ada@arm: Permission denied (publickey)."), both, "builder.ssh_denied", "ssh://ada@arm:2"),
            (ssh("bash: line 1: docker: command not found"), both, "builder.no_docker", "ssh://ada@arm:2"),
            (
                "ERROR: tls: failed to find any PEM data in certificate input".into(),
                &["tcp://arm:1"],
                "builder.tls",
                "tcp://arm:1",
            ),
            (
                "ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?".into(),
                &[],
                "builder.engine",
                "Docker",
            ),
            ("who knows".into(), &[], "builder.fails", "This engine"),
        ] {
            let problem = of(&written, &definition(endpoints));
            assert_eq!(problem.code, code, "{written}");
            assert!(problem.cause.contains(names), "{problem}");
            assert!(
                problem.details.is_some_and(|details| !details.is_empty() && !details.contains("------")),
                "{written}"
            );
        }
    }
}
