//! What a managed registry's refusal means, and what to do. Pure.

use super::record::Record;
use crate::oci::OciError;
use app::error::Problem;
use app::model::registry::{Disk, Storage};
use app::paths;

/// The code when a volume takes no writes and the registry doesn't say why.
const STORAGE_FAILS: &str = "registry.storage_fails";
/// With fewer bytes nothing can be written.
const NO_ROOM: u64 = 1 << 20;

/// Why a step of the probe failed.
pub(super) fn of(error: &OciError, record: &Record) -> Problem {
    let own_words = error.to_string();
    let problem = match error {
        OciError::WrongCredentials { .. } => Problem::new(
            "registry.password_differs",
            "The registry refuses the password that Slipway keeps for it: the one it was given is another.",
            "Rotate the password: that gives both the same new one.",
        ),
        OciError::Refused { .. } | OciError::Dns { .. } => Problem::new(
            "registry.not_listening",
            format!("Nothing listens on 127.0.0.1:{}.", record.port),
            "Look at its tasks: they say why it doesn't run. Restart it if there is none.",
        ),
        OciError::Timeout { .. } => hangs(record),
        OciError::NotARegistry { .. } | OciError::Tls { .. } => stranger(record),
        OciError::NotOffered { .. } => Problem::new(
            "registry.no_delete",
            "The registry deletes nothing: somebody changed its configuration.",
            "Restart it: that brings the configuration back.",
        ),
        OciError::Unexpected { answer, .. } | OciError::Denied { answer, .. } => refused(answer, record),
        other => {
            let usual = other.problem();
            Problem::new("registry.probe_failed", usual.cause, "Look into its log; restart it if it stays so.")
        }
    };
    let problem = if problem.link.is_none() { problem.with_link(log_page(record), "Open its log") } else { problem };
    problem.with_details(own_words)
}

/// What a status and the registry's words mean.
fn refused(answer: &str, record: &Record) -> Problem {
    if answer.contains("no space left") || answer.contains("quota exceeded") {
        full(record)
    } else if answer.contains("read-only file system") {
        Problem::new(
            "registry.read_only",
            format!("The file system{} that keeps the images takes no writes.", on_node(record)),
            "Look at the kernel's log there: a disk that fails is often turned read-only. Restart the registry afterwards.",
        )
    } else if answer.contains("permission denied") {
        Problem::new(
            "registry.storage_refuses",
            format!("The registry may not write to the volume{} that keeps the images.", on_node(record)),
            "Give the volume's folder back to root, then restart the registry.",
        )
    } else if answer.starts_with("503") {
        unhealthy(record)
    } else if answer.starts_with("500") {
        storage_fails(record)
    } else {
        Problem::new(
            "registry.probe_failed",
            format!("The registry answered something that registries don't: {answer}."),
            "Look into its log; restart it if it stays so.",
        )
    }
}

/// The page of a registry's log.
pub(super) fn log_page(record: &Record) -> String {
    format!("{}/logs", paths::registry(&record.id))
}

/// No answer in time.
pub(super) fn hangs(record: &Record) -> Problem {
    Problem::new(
        "registry.hangs",
        format!("The registry on port {} takes too long to answer.", record.port),
        "Look at the load of its machine and into its log; restart it if it stays so.",
    )
    .with_link(log_page(record), "Open its log")
}

/// Another program has the port.
pub(super) fn stranger(record: &Record) -> Problem {
    Problem::new(
        "registry.stranger",
        format!("What answers on 127.0.0.1:{} isn't this registry.", record.port),
        format!("Stop the program that has port {} (ss -ltnp names it), then restart the registry.", record.port),
    )
}

/// It takes no writes because its disk is full.
pub(super) fn full(record: &Record) -> Problem {
    Problem::new(
        "registry.disk_full",
        format!("The disk{} that keeps the images is full. Pulls go on, pushes fail.", on_node(record)),
        "Free room on that disk, or delete images from the registry; pushes work again at once.",
    )
}

/// A storage that fails for no reason that the registry names, on a disk without room: then that is the reason.
pub(super) fn with_room(problem: Problem, room: Option<Disk>, record: &Record) -> Problem {
    if problem.code != STORAGE_FAILS || room.is_none_or(|room| room.free >= NO_ROOM) {
        return problem;
    }
    Problem { link: problem.link, details: problem.details, ..full(record) }
}

fn unhealthy(record: &Record) -> Problem {
    match &record.wanted.storage {
        Storage::S3(place) => Problem::new(
            "registry.bucket_away",
            format!("The registry can't reach the bucket {}; until then it answers nobody.", place.bucket),
            "Check that the S3 store runs and that the keys are still good; edit the registry to give it others.",
        ),
        Storage::Volume { name } => Problem::new(
            "registry.unhealthy",
            format!("The registry says that it can't read its volume {name}; until then it answers nobody."),
            "Look into its log and at the disk of its machine, then restart it.",
        ),
    }
}

fn storage_fails(record: &Record) -> Problem {
    match &record.wanted.storage {
        Storage::S3(place) => Problem::new(
            "registry.bucket_refuses",
            format!("The registry can't write to the bucket {}.", place.bucket),
            "Its log has the store's own words. Check the keys, the bucket and its policy; edit the registry to change them.",
        ),
        Storage::Volume { name } => Problem::new(
            STORAGE_FAILS,
            format!("The registry can't write to its volume {name}."),
            "Its log says why. Look at the disk of its machine.",
        ),
    }
}

/// ` of machine-1`, when it is tied to a machine.
fn on_node(record: &Record) -> String {
    record.node.as_ref().map(|(_, name)| format!(" of {name}")).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::registries::record::Wanted;
    use app::model::id::{CredentialId, RegistryId};
    use app::model::registry::{Phase, Reach, S3Place};

    /// A registry with a volume.
    pub(crate) fn sample() -> Record {
        Record {
            id: RegistryId::from_random([1; 8]),
            name: "Main".into(),
            credential: CredentialId::from_random([2; 8]),
            phase: Phase::Running,
            wants_default: false,
            keep_data: false,
            port: 5_000,
            reach: Reach::Host,
            node: Some(("n1".into(), "one".into())),
            volume_created: Some("2026-11-24T12:00:00Z".into()),
            wanted: Wanted {
                image: "registry:2".into(),
                domain: None,
                storage: Storage::Volume { name: "slipway-registry-1".into() },
                keys: 0,
                read_only: false,
            },
            revision: 1,
            settled: None,
        }
    }

    #[test]
    fn each_refusal_has_its_cause_and_its_remedy() {
        let (host, disk, mut bucket) = ("127.0.0.1:5000".to_owned(), sample(), sample());
        let place = S3Place {
            region: "us-east-1".into(),
            endpoint: None,
            bucket: "images".into(),
            prefix: String::new(),
            path_style: false,
            encrypt: false,
            internal: false,
        };
        bucket.wanted.storage = Storage::S3(place);
        let said = |answer: &str| OciError::Unexpected { host: host.clone(), answer: answer.into() };
        for (error, record, code, part) in [
            (
                OciError::WrongCredentials { host: host.clone(), answer: "401".into() },
                &disk,
                "registry.password_differs",
                "Rotate",
            ),
            (OciError::Refused { host: host.clone() }, &disk, "registry.not_listening", "127.0.0.1:5000"),
            (OciError::Timeout { host: host.clone() }, &disk, "registry.hangs", "too long"),
            (
                OciError::NotARegistry { host: host.clone(), reason: "x".into() },
                &disk,
                "registry.stranger",
                "port 5000",
            ),
            (
                said("500 Internal Server Error: UNKNOWN: unknown error: no space left on device"),
                &disk,
                "registry.disk_full",
                "The disk of one",
            ),
            (said("500 Internal Server Error: UNKNOWN: unknown error"), &disk, "registry.storage_fails", "slipway-reg"),
            (said("500 Internal Server Error: UNKNOWN: unknown error"), &bucket, "registry.bucket_refuses", "images"),
            (said("503 Service Unavailable: UNAVAILABLE"), &bucket, "registry.bucket_away", "images"),
            (said("503 Service Unavailable: UNAVAILABLE"), &disk, "registry.unhealthy", "volume"),
            (said("405 Method Not Allowed: no port 5031"), &disk, "registry.probe_failed", "405"),
            (said("418 I'm a teapot"), &disk, "registry.probe_failed", "418"),
        ] {
            let problem = of(&error, record);
            assert_eq!(problem.code, code, "{error}");
            assert!(problem.to_string().contains(part), "{problem}");
            assert!(problem.details.is_some() && problem.link.is_some(), "{problem:?}");
        }
    }

    #[test]
    fn a_disk_without_room_is_why_its_storage_fails() {
        let record = sample();
        let failed = || Problem::new(STORAGE_FAILS, "It can't.", "Look.").with_details("500");
        let code = |free| with_room(failed(), Some(Disk { free, total: 1 << 30 }), &record).code;
        assert_eq!((code(0).as_str(), code(NO_ROOM).as_str()), ("registry.disk_full", STORAGE_FAILS));
        assert_eq!(with_room(failed(), None, &record).code, STORAGE_FAILS);
        let other = Problem::new("registry.hangs", "It hangs.", "Look.");
        assert_eq!(with_room(other.clone(), Some(Disk { free: 0, total: 1 }), &record), other);
        assert!(with_room(failed(), Some(Disk { free: 0, total: 1 }), &record).details.is_some());
    }
}
