//! Swarm's words about a registry's task → plain ones. Pure.

use super::record::Record;
use crate::docker::{Task, TaskState};
use app::error::Problem;
use app::model::registry::Storage;

/// Why the task isn't well, and what to do. None: it is well, or was stopped on purpose.
pub(super) fn why(task: &Task, record: &Record) -> Option<Problem> {
    let own = task.error.as_deref().unwrap_or_default();
    let problem = match (own.is_empty(), task.state) {
        (false, _) => explain(own, task, record),
        (true, TaskState::Failed | TaskState::Rejected | TaskState::Complete) => ended(task.exit_code),
        (true, TaskState::Orphaned) => node_gone(record),
        _ => return None,
    };
    Some(if own.is_empty() { problem } else { problem.with_details(own) })
}

fn explain(own: &str, task: &Task, record: &Record) -> Problem {
    let lower = own.to_lowercase();
    let has = |part: &str| lower.contains(part);
    let (port, image) = (record.port, &record.wanted.image);
    if has("no such image") || has("pull access denied") || has("manifest unknown") {
        Problem::new(
            "registry.no_image",
            format!("The node couldn't get the registry's image {image}."),
            "Check the name of the image, and whether the node reaches the place it comes from; without a connection, load \
             the image there with docker load.",
        )
    } else if has("port is already allocated") || has("address already in use") || has("already in use on") {
        Problem::new(
            "registry.port_taken",
            format!("Port {port} is taken on the node by something else."),
            format!("Stop what listens on port {port} and try again, or create the registry with another port."),
        )
    } else if has("no suitable node") || has("not available for new tasks") {
        no_node(&lower, record)
    } else if has("unhealthy") {
        match &record.wanted.storage {
            Storage::S3(place) => Problem::new(
                "registry.unhealthy",
                format!("The registry runs but isn't well: most often it can't use its bucket {}.", place.bucket),
                "Look at the registry's log and at the store of the bucket; new keys are given by editing the registry.",
            ),
            Storage::Volume { .. } => Problem::new(
                "registry.unhealthy",
                "The registry runs but isn't well: most often its disk is full or can't be written.",
                "Look at the registry's log and at the disk of its volume.",
            ),
        }
    } else if has("secret") && has("not found") {
        Problem::new(
            "registry.secret_gone",
            "A secret of the registry was removed from the Swarm.",
            "Restart the registry: what is missing is made anew.",
        )
    } else if has("network") && (has("not found") || has("no such")) {
        Problem::new(
            "registry.network_gone",
            "The network of the registries was removed.",
            "Restart the registry: what is missing is made anew.",
        )
    } else if has("no space left") {
        Problem::new(
            "registry.disk_full",
            "The disk of the node is full.",
            "Free some space on it; the registry starts again by itself.",
        )
    } else if has("out of memory") || has("oom") {
        Problem::new(
            "registry.memory",
            "The registry was killed for using more than 1 GiB of memory.",
            "Push fewer images at the same time; look at the registry's log.",
        )
    } else if has("non-zero exit") {
        ended(task.exit_code)
    } else {
        Problem::new("registry.task_failed", format!("Docker says: {own}"), "Look at Docker's own log on the node.")
    }
}

fn no_node(lower: &str, record: &Record) -> Problem {
    if lower.contains("insufficient resources") {
        return Problem::new(
            "registry.no_node",
            "No node has enough free memory or processor time for the registry.",
            "Free some on the node, or add a node.",
        );
    }
    if lower.contains("unsupported platform") {
        return Problem::new(
            "registry.no_node",
            format!("The image {} isn't made for the node's kind of processor.", record.wanted.image),
            "Choose an image that is.",
        );
    }
    node_gone(record)
}

fn node_gone(record: &Record) -> Problem {
    match &record.node {
        Some((_, name)) => Problem::new(
            "registry.node_away",
            format!("The node {name}, which has the registry's volume, is down, paused, drained or gone."),
            format!("Bring {name} back, or set it to active again: docker node update --availability active {name}"),
        ),
        None => Problem::new(
            "registry.no_node",
            "No node takes the registry: all are down, paused or drained.",
            "Bring a node back, or set one to active again with docker node update --availability active.",
        ),
    }
}

fn ended(code: Option<i64>) -> Problem {
    let cause = match code {
        Some(137) => "The registry was killed, often for using too much memory.".to_owned(),
        Some(code) => format!("The registry ended by itself with exit code {code}."),
        None => "The registry ended by itself.".to_owned(),
    };
    Problem::new("registry.ended", cause, "The last lines of its log say why.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registries::spec::tests::record;
    use app::model::registry::Reach;

    /// Left: what engines really say.
    #[test]
    fn dockers_words_become_plain_ones() {
        let task = |error: Option<&str>, state| Task {
            id: "t".into(),
            service: "s".into(),
            node: None,
            state,
            should_run: false,
            error: error.map(Into::into),
            exit_code: Some(1),
            labels: Default::default(),
            image: String::new(),
            since: 0,
            created: String::new(),
        };
        let record = record(Reach::Host);
        for (error, code, part) in [
            ("No such image: registry:9", "registry.no_image", "registry:2"),
            (
                "driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:5000 failed: port is already allocated",
                "registry.port_taken",
                "Port 5000",
            ),
            ("no suitable node (host-mode port already in use on 1 node)", "registry.port_taken", "Port 5000"),
            ("no suitable node (scheduling constraints not satisfied on 1 node)", "registry.node_away", "one"),
            ("no suitable node (1 node not available for new tasks)", "registry.node_away", "one"),
            ("no suitable node (insufficient resources on 2 nodes)", "registry.no_node", "memory"),
            ("task: non-zero exit (137): dockerexec: unhealthy container", "registry.unhealthy", "disk"),
            ("task: non-zero exit (1)", "registry.ended", "exit code 1"),
            ("something new", "registry.task_failed", "something new"),
        ] {
            let problem = why(&task(Some(error), TaskState::Rejected), &record).expect("there is a reason");
            assert_eq!(problem.code, code, "{error}");
            assert!(problem.cause.contains(part), "{error} → {}", problem.cause);
        }
        assert_eq!(why(&task(None, TaskState::Running), &record), None);
        assert!(why(&task(None, TaskState::Orphaned), &record).is_some_and(|problem| problem.cause.contains("one")));
    }
}
