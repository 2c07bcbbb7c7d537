//! Swarm's words about a task → plain ones. Pure.

use crate::docker::{Task, TaskState};
use app::model::service::Port;

/// Why a task isn't well, and what to do. None: it is well, or was stopped on purpose.
pub(super) fn why(task: &Task, ports: &[Port]) -> Option<String> {
    if let Some(error) = task.error.as_deref() {
        // A task that was replaced keeps its last error; what matters is whether it says something.
        return Some(explain(error, task.exit_code, ports));
    }
    match task.state {
        TaskState::Complete => Some(
            "The program ended by itself with exit code 0. A service's program has to keep running; \
             don't let it go to the background."
                .into(),
        ),
        TaskState::Orphaned => Some("Its node is gone. The Swarm starts another one elsewhere.".into()),
        TaskState::Failed | TaskState::Rejected => Some("It failed; Docker doesn't say why.".into()),
        _ => None,
    }
}

/// Whether the node couldn't get the image; the registry knows more than the task.
pub(super) fn is_pull_failure(error: &str) -> bool {
    error.contains("No such image") || error.contains("pull access denied") || error.contains("manifest unknown")
}

fn explain(error: &str, exit_code: Option<i64>, ports: &[Port]) -> String {
    let lower = error.to_lowercase();
    let has = |part: &str| lower.contains(part);
    if is_pull_failure(error) {
        "The node couldn't pull the image.".into()
    } else if has("port is already allocated") || has("address already in use") || has("host-mode port already in use")
    {
        format!("{} taken on the node. Stop what holds it, or publish another port.", named(ports, &lower))
    } else if has("no suitable node") {
        no_node(&lower, error)
    } else if has("unhealthy container") {
        "The health check failed, so the Swarm stopped the container. Look at the program's log and run the check's \
         command in the container."
            .into()
    } else if has("exec format error") {
        "The image is for another kind of processor than the node's. Build it for the node's platform.".into()
    } else if has("executable file not found") || has("no such file or directory: unknown") {
        "The image's start command doesn't exist in the image. Correct ENTRYPOINT or CMD in the Dockerfile.".into()
    } else if has("permission denied: unknown") {
        "The image's start command may not be executed. Make it executable in the Dockerfile (chmod +x).".into()
    } else if has("out of memory") || has("oom") {
        "It was killed for using too much memory.".into()
    } else if has("non-zero exit") {
        exited(exit_code.or_else(|| number_in(error)))
    } else if has("network") && has("not found") {
        "Its network is gone. Deploy again; that makes a new one.".into()
    } else {
        format!("Docker says: {error}")
    }
}

fn exited(code: Option<i64>) -> String {
    let Some(code) = code else { return "The program ended with an error. Look at its log.".into() };
    let meaning = match code {
        125 => "Docker couldn't start it",
        126 => "its start command may not be executed",
        127 => "its start command wasn't found",
        134 => "it aborted",
        137 => "it was killed, often for using too much memory",
        139 => "it crashed with a memory fault",
        143 => "it was told to stop",
        _ => return format!("The program ended with exit code {code}. Look at its log."),
    };
    format!("The program ended with exit code {code}: {meaning}. Look at its log.")
}

fn no_node(lower: &str, error: &str) -> String {
    let reason = if lower.contains("insufficient resources") {
        "no node has enough free memory or processor time"
    } else if lower.contains("unsupported platform") {
        "no node has the platform that the image was built for"
    } else if lower.contains("constraints not satisfied") {
        "no node fits its constraints"
    } else if lower.contains("not available for new tasks") {
        "all nodes are down, paused or drained"
    } else {
        return format!("No node can run it. Docker says: {error}");
    };
    format!("No node can run it: {reason}.")
}

/// The port that the message names, or all published ones.
fn named(ports: &[Port], message: &str) -> String {
    let published: Vec<String> = ports
        .iter()
        .map(|port| port.published.to_string())
        .filter(|port| ports.len() == 1 || message.contains(&format!(":{port} ")) || !message.contains(':'))
        .collect();
    match published.as_slice() {
        [] => "A published port is".into(),
        [one] => format!("Port {one} is"),
        [rest @ .., last] => format!("Port {} or {last} is", rest.join(", ")),
    }
}

/// The number in the first parentheses.
fn number_in(text: &str) -> Option<i64> {
    text.split_once('(')?.1.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(state: TaskState, error: Option<&str>) -> Task {
        Task {
            id: "t".into(),
            service: "s".into(),
            node: None,
            state,
            should_run: false,
            error: error.map(Into::into),
            exit_code: None,
            labels: Default::default(),
            image: String::new(),
            since: 0,
            created: String::new(),
        }
    }

    /// Left: what engines really say.
    #[test]
    fn dockers_words_become_plain_ones() {
        let ports = [Port { published: 8080, target: 80, udp: false }];
        for (error, part) in [
            ("No such image: 127.0.0.1:5000/a@sha256:00", "couldn't pull the image"),
            ("task: non-zero exit (1)", "exit code 1."),
            ("task: non-zero exit (137)", "too much memory"),
            ("task: non-zero exit (127)", "wasn't found"),
            ("task: non-zero exit (137): dockerexec: unhealthy container", "health check failed"),
            ("no suitable node (host-mode port already in use on 1 node)", "Port 8080 is taken"),
            ("no suitable node (insufficient resources on 2 nodes)", "enough free memory"),
            ("no suitable node (unsupported platform on 1 node)", "platform"),
            ("no suitable node (scheduling constraints not satisfied on 1 node)", "constraints"),
            ("no suitable node (1 node not available for new tasks)", "down, paused or drained"),
            (
                "driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:8080 failed: port is already allocated",
                "Port 8080 is taken",
            ),
            ("exec /bin/app: exec format error", "processor"),
            (
                "OCI runtime create failed: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
                "start command doesn't exist",
            ),
            ("something new", "Docker says: something new"),
        ] {
            let words = why(&task(TaskState::Rejected, Some(error)), &ports).expect("there is a reason");
            assert!(words.contains(part), "{error} → {words}");
        }
    }

    #[test]
    fn the_port_that_is_named_is_the_one_that_is_shown() {
        let port = |published| Port { published, target: 80, udp: false };
        let message = "bind for 0.0.0.0:9090 failed: port is already allocated";
        assert_eq!(named(&[port(8080), port(9090)], message), "Port 9090 is");
        assert_eq!(named(&[port(1), port(2)], "host-mode port already in use"), "Port 1 or 2 is");
        assert_eq!(named(&[], ""), "A published port is");
    }

    #[test]
    fn a_task_that_is_well_says_nothing() {
        for state in [TaskState::Running, TaskState::Pending, TaskState::Preparing, TaskState::Shutdown] {
            assert_eq!(why(&task(state, None), &[]), None);
        }
        assert!(why(&task(TaskState::Complete, None), &[]).is_some_and(|words| words.contains("keep running")));
    }
}
