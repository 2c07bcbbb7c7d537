//! What should be, compared with what is: nothing to do, something that a repair puts right, or something that people have to
//! know. Pure.
//!
//! What must always hold: a registry that somebody scaled to zero stays so; nothing is repaired over a volume that isn't the
//! one of before, so that an empty registry never passes for the old one.

use super::look::{Seen, VolumeSeen};
use super::record::Record;
use super::{causes, names};
use crate::docker::{Found, Task};
use app::error::Problem;
use app::model::image_ref::ImageRef;
use app::model::registry::{Managed, Reach, Storage};

/// So many repairs…
const TRIES: usize = 3;
/// …within so many seconds are enough;
const SOON: i64 = 600;
/// then Slipway waits so long before it tries again, in seconds.
const REST: i64 = 1_800;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing.
    Fine,
    /// A repair; why, in a sentence.
    Repair(String),
    /// Nothing that Slipway could do.
    Say(Box<Problem>),
    /// Nothing: it was scaled to zero.
    Stopped,
}

/// Compares. `reach`: what [`super::reach::review`] says about how it is reached.
pub(super) fn decide(record: &Record, seen: &Seen, reach: Result<Option<(Reach, String)>, Box<Problem>>) -> Decision {
    if let Some(problem) = lost_volume(record, seen) {
        return Decision::Say(Box::new(problem));
    }
    let Some(service) = &seen.service else {
        return Decision::Repair("Its service is gone.".into());
    };
    if service.replicas == 0 {
        return Decision::Stopped;
    }
    if let Some(why) = changed(record, seen, service) {
        return Decision::Repair(why);
    }
    if record.reach == Reach::Proxy && seen.proxy.is_none() {
        return Decision::Repair("The proxy that every node reaches it through is gone.".into());
    }
    if let Ok(Some((_, why))) = &reach {
        return Decision::Repair(format!("The Swarm's nodes changed. {why}"));
    }
    let stuck = if seen.runs() { None } else { node_trouble(record, seen).or_else(|| task_trouble(record, seen)) };
    match (stuck, reach) {
        (Some(problem), _) => Decision::Say(Box::new(problem)),
        (None, Err(problem)) => Decision::Say(problem),
        (None, Ok(_)) => Decision::Fine,
    }
}

/// Whether another repair may be asked for, when these were (Unix seconds, oldest first).
pub(super) fn may_repair(asked: &[i64], now: i64) -> bool {
    let Some(recent) = asked.len().checked_sub(TRIES).map(|from| &asked[from..]) else { return true };
    let (Some(first), Some(last)) = (recent.first(), recent.last()) else { return true };
    last - first > SOON || now - last > REST
}

/// The volume isn't the one of before.
fn lost_volume(record: &Record, seen: &Seen) -> Option<Problem> {
    let (Storage::Volume { name }, Some(known)) = (&record.wanted.storage, &record.volume_created) else { return None };
    let cause = match &seen.volume {
        VolumeSeen::There(created) if created != known => format!(
            "The volume {name} isn't the one that held the images: somebody removed that one, and Docker made an empty one. \
             All images that were pushed before are gone."
        ),
        VolumeSeen::Gone => {
            format!("The volume {name} with all images that were pushed is gone: somebody removed it.")
        }
        _ => return None,
    };
    let remedy = "If there is a backup, stop the registry, restore the volume's files and start it again. Else go on with the \
                  volume that is there: what runs keeps running, but services can't be moved, scaled or rolled back until \
                  their images are built again.";
    Some(Problem::new(Managed::VOLUME_CHANGED, cause, remedy))
}

/// What of the service somebody changed.
fn changed(record: &Record, seen: &Seen, service: &Found) -> Option<String> {
    let revision = service.labels.get(names::REVISION).and_then(|text| text.parse::<i64>().ok());
    if revision != Some(record.revision) {
        return Some("Its service has settings of another time.".into());
    }
    if !is_same_image(&service.image, &record.wanted.image) {
        return Some(format!("Its image was changed to {}.", service.image));
    }
    for file in ["config", "htpasswd"] {
        let begin = names::secret(&record.id, file, 0);
        let begin = begin.trim_end_matches('0');
        match service.secrets.iter().find(|name| name.starts_with(begin)) {
            None => return Some(format!("Its service was given no {file} any more.")),
            Some(name) if !seen.secrets.contains(name) => return Some(format!("Its secret {name} is gone.")),
            Some(_) => {}
        }
    }
    match &seen.network {
        None => Some("The network of the registries is gone.".into()),
        Some(network) if !service.networks.contains(network) => {
            Some("It isn't on the network of the registries any more.".into())
        }
        Some(_) => None,
    }
}

/// Docker's own tools write an image's name shorter whenever they touch a service, and add the digest they found.
fn is_same_image(found: &str, wanted: &str) -> bool {
    match (found.parse::<ImageRef>(), wanted.parse::<ImageRef>()) {
        (Ok(found), Ok(wanted)) if wanted.digest.is_none() => ImageRef { digest: None, ..found } == wanted,
        (Ok(found), Ok(wanted)) => found == wanted,
        _ => found == wanted,
    }
}

/// Its images are on a node that doesn't run it.
fn node_trouble(record: &Record, seen: &Seen) -> Option<Problem> {
    let (Storage::Volume { .. }, Some((id, name))) = (&record.wanted.storage, &record.node) else { return None };
    let found = seen.nodes.iter().find(|node| node.id == *id);
    let (code, what, remedy) = match found {
        None => (
            "registry.node_gone",
            "isn't in the Swarm any more",
            format!(
                "Let {name} join again under its old identity, or create another registry and build the images anew."
            ),
        ),
        Some(node) if !node.is_ready => (
            "registry.node_down",
            "is down",
            format!("Bring {name} up again; the registry starts by itself. With a bucket it could have moved."),
        ),
        Some(node) if !node.takes_tasks => (
            "registry.node_drained",
            "takes no tasks: it was drained or paused",
            format!(
                "Make it active again (docker node update --availability active {name}); the registry starts by itself."
            ),
        ),
        Some(_) => return None,
    };
    let cause = format!("The images are in a volume on {name}, so it can run there alone, and {name} {what}.");
    Some(Problem::new(code, cause, remedy))
}

/// Why no task of it runs, in what its newest failed task says.
fn task_trouble(record: &Record, seen: &Seen) -> Option<Problem> {
    let said = seen.tasks.iter().find_map(|task: &Task| task.error.as_deref())?;
    let lower = said.to_lowercase();
    let has = |part: &str| lower.contains(part);
    let port = record.port;
    let problem = if has("port is already allocated")
        || has("address already in use")
        || has("host-mode port already in use")
    {
        Problem::new(
            "registry.port_taken",
            format!("Another program or service has port {port} on its node, so it can't start."),
            format!(
                "Find out which (ss -ltnp, docker ps) and stop it; the registry starts by itself within seconds. Images are \
                     named after the port, so it stays {port}."
            ),
        )
    } else if has("no such image") || has("pull access denied") || has("manifest unknown") {
        Problem::new(
            "registry.no_image",
            format!("The node can't get the registry's image {}.", record.wanted.image),
            "Check that the image exists and that the node reaches its registry; or choose another one: edit the registry.",
        )
    } else if has("no such volume") || has("error while mounting volume") || has("failed to mount local volume") {
        Problem::new(
            "registry.no_mount",
            "Its volume can't be mounted.",
            "Look at what the volume is made of (docker volume inspect) and put that right; the registry starts by itself.",
        )
    } else if has("no suitable node") {
        Problem::new(
            "registry.no_node",
            "No node of the Swarm can run it.",
            "Make a node active (docker node ls shows them), or give it more memory; the registry starts by itself.",
        )
    } else if has("unhealthy container") {
        Problem::new(
            "registry.unhealthy_container",
            "It starts, but its own health check fails, so the Swarm stops it again and again.",
            "Its log says why; with a bucket, check the store and the keys.",
        )
    } else if has("non-zero exit") {
        Problem::new("registry.ends", "It starts and ends again at once.", "Its log says why. Edit it, or restart it.")
    } else {
        return None;
    };
    Some(problem.with_details(said).with_link(causes::log_page(record), "Open its log"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{Node, TaskState, Update};
    use crate::registries::causes::tests::sample;
    use std::collections::HashMap;

    fn secrets(record: &Record) -> Vec<String> {
        vec![names::secret(&record.id, "config", 1), names::secret(&record.id, "htpasswd", 1)]
    }

    fn task(state: TaskState, error: Option<&str>) -> Task {
        Task {
            id: "t".into(),
            service: "s".into(),
            node: Some("n1".into()),
            state,
            should_run: true,
            error: error.map(str::to_owned),
            exit_code: None,
            labels: HashMap::new(),
            image: String::new(),
            since: 0,
            created: String::new(),
        }
    }

    /// A registry as it should be.
    fn well(record: &Record) -> Seen {
        Seen {
            service: Some(Found {
                id: "s".into(),
                name: names::service(&record.id),
                version: 1,
                labels: HashMap::from([(names::REVISION.to_owned(), "1".to_owned())]),
                replicas: 1,
                update: Update::Settled,
                image: record.wanted.image.clone(),
                secrets: secrets(record),
                networks: vec!["net".into()],
                force: 0,
                platforms: Vec::new(),
            }),
            proxy: None,
            tasks: vec![task(TaskState::Running, None)],
            secrets: secrets(record),
            network: Some("net".into()),
            nodes: vec![Node {
                id: "n1".into(),
                name: "one".into(),
                is_ready: true,
                takes_tasks: true,
                platform: None,
            }],
            volume: VolumeSeen::There("2026-11-24T12:00:00Z".into()),
        }
    }

    /// What is decided when this is different from what should be.
    fn after(change: impl FnOnce(&mut Record, &mut Seen)) -> Decision {
        let mut record = sample();
        let mut seen = well(&record);
        change(&mut record, &mut seen);
        decide(&record, &seen, Ok(None))
    }

    fn service(seen: &mut Seen) -> &mut Found {
        seen.service.as_mut().expect("a service")
    }

    #[test]
    fn what_is_as_it_should_be_is_left_alone() {
        assert_eq!(after(|_, _| {}), Decision::Fine);
        assert_eq!(after(|_, seen| seen.volume = VolumeSeen::Unseen), Decision::Fine, "on another node");
        // A volume whose making wasn't noted yet.
        assert_eq!(after(|record, _| record.volume_created = None), Decision::Fine);
        // More networks or secrets than ours are nobody's harm.
        assert_eq!(after(|_, seen| service(seen).networks.push("other".into())), Decision::Fine);
    }

    #[test]
    fn what_outside_hands_took_away_is_repaired() {
        let repairs = |what: &str, part: &str, decision: Decision| match decision {
            Decision::Repair(why) => assert!(why.contains(part), "{what}: {why}"),
            other => panic!("{what}: {other:?}"),
        };
        repairs("service", "service is gone", after(|_, seen| seen.service = None));
        repairs("image", "changed to evil", after(|_, seen| service(seen).image = "evil:1".into()));
        repairs("secret", "given no htpasswd", after(|_, seen| service(seen).secrets.truncate(1)));
        repairs("secret gone", "is gone", after(|_, seen| seen.secrets.clear()));
        repairs("network", "network of the registries is gone", after(|_, seen| seen.network = None));
        repairs("other network", "isn't on the network", after(|_, seen| service(seen).networks = vec!["x".into()]));
        repairs("rolled back", "another time", after(|record, _| record.revision = 2));
        repairs("proxy", "proxy", after(|record, _| record.reach = Reach::Proxy));
        let record = sample();
        let reach = Ok(Some((Reach::Mesh, "The mesh it is.".to_owned())));
        repairs("nodes", "nodes changed", decide(&record, &well(&record), reach));
        // Its loss was accepted.
        repairs(
            "volume and service",
            "service is gone",
            after(|record, seen| {
                record.volume_created = None;
                seen.volume = VolumeSeen::Gone;
                seen.service = None;
            }),
        );
    }

    #[test]
    fn an_operator_who_stopped_it_is_not_fought() {
        assert_eq!(after(|_, seen| service(seen).replicas = 0), Decision::Stopped);
        let changed_too = after(|_, seen| {
            service(seen).replicas = 0;
            service(seen).image = "other".into();
            seen.tasks.clear();
        });
        assert_eq!(changed_too, Decision::Stopped);
    }

    #[test]
    fn what_cannot_be_repaired_is_said() {
        let says = |what: &str, code: &str, decision: Decision| match decision {
            Decision::Say(problem) => {
                assert_eq!(problem.code, code, "{what}: {problem:?}");
                assert!(!problem.remedy.is_empty());
            }
            other => panic!("{what}: {other:?}"),
        };
        let another = || VolumeSeen::There("2026-11-25T00:00:00Z".into());
        says("another volume", Managed::VOLUME_CHANGED, after(|_, seen| seen.volume = another()));
        says("no volume", Managed::VOLUME_CHANGED, after(|_, seen| seen.volume = VolumeSeen::Gone));
        // Bringing the service back would make an empty registry that looks like the old one.
        says(
            "neither volume nor service",
            Managed::VOLUME_CHANGED,
            after(|_, seen| {
                seen.volume = VolumeSeen::Gone;
                seen.service = None;
            }),
        );
        let waits = |error: &'static str| {
            after(move |_, seen| {
                seen.tasks = vec![task(TaskState::Pending, Some(error)), task(TaskState::Shutdown, None)];
            })
        };
        for (error, code) in [
            ("no suitable node (host-mode port already in use on 1 node)", "registry.port_taken"),
            (
                "Error starting userland proxy: listen tcp4 0.0.0.0:5000: bind: address already in use",
                "registry.port_taken",
            ),
            ("Bind for 0.0.0.0:5000 failed: port is already allocated", "registry.port_taken"),
            ("No such image: registry:9", "registry.no_image"),
            ("no suitable node (insufficient resources on 1 node)", "registry.no_node"),
            ("task: non-zero exit (1): dockerexec: unhealthy container", "registry.unhealthy_container"),
            ("task: non-zero exit (2)", "registry.ends"),
            ("failed to mount local volume: mount /dev/loop0: no such device", "registry.no_mount"),
        ] {
            says(error, code, waits(error));
        }
        let node = |change: fn(&mut Node)| {
            after(|_, seen| {
                seen.tasks =
                    vec![task(TaskState::Pending, Some("no suitable node (scheduling constraints not satisfied)"))];
                change(&mut seen.nodes[0]);
            })
        };
        says("down", "registry.node_down", node(|node| node.is_ready = false));
        says("drained", "registry.node_drained", node(|node| node.takes_tasks = false));
        says("gone", "registry.node_gone", node(|node| node.id = "n2".into()));
        let record = sample();
        let no_way = Err(Box::new(Problem::new("registry.no_reach", "There is none.", "Make one.")));
        says("no way", "registry.no_reach", decide(&record, &well(&record), no_way));
    }

    #[test]
    fn a_node_that_is_paused_while_it_runs_there_is_no_trouble() {
        assert_eq!(after(|_, seen| seen.nodes[0].takes_tasks = false), Decision::Fine);
        // Old failures of a registry that runs are history.
        let old = after(|_, seen| seen.tasks.push(task(TaskState::Failed, Some("task: non-zero exit (2)"))));
        assert_eq!(old, Decision::Fine);
    }

    #[test]
    fn an_image_by_another_spelling_is_the_same() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (found, wanted, same) in [
            ("slipway-lab/registry:2", "docker.io/slipway-lab/registry:2", true),
            ("registry:2", "docker.io/library/registry:2", true),
            (&format!("registry:2@{digest}"), "registry:2", true),
            ("registry:2", &format!("registry:2@{digest}"), false),
            ("registry:3", "registry:2", false),
            ("evil.example/registry:2", "registry:2", false),
            ("?", "?", true),
        ] {
            assert_eq!(is_same_image(found, wanted), same, "{found} {wanted}");
        }
    }

    #[test]
    fn repairs_that_do_not_help_stop() {
        for (asked, now, may) in [
            (&[][..], 0, true),
            (&[0, 100], 101, true),
            (&[0, 100, 200], 201, false),
            (&[0, 100, 200], 200 + REST, false),
            (&[0, 100, 200], 201 + REST, true),
            (&[0, 100, 700], 701, true),
            (&[0, 100, 700, 705, 710], 711, false),
        ] {
            assert_eq!(may_repair(asked, now), may, "{asked:?} at {now}");
        }
    }
}
