//! Registries that Slipway runs, one in each state that their pages can show.

use super::{bits, now, parsed};
use app::error::{AppError, Problem};
use app::model::credential::{Credential, CredentialState};
use app::model::id::{CredentialId, JobId, RegistryId, ServiceId};
use app::model::job::{Job, JobState, Step, StepState};
use app::model::provider::Provider;
use app::model::registry::{
    Disk, LogEntry, Managed, ManagedState, ManagedStatus, Phase, ProbeReport, ProbeStep, Reach, Registry, RegistryUser,
    S3Place, Severity, Storage, Suggestions, TaskLine, UptimeSlot, Usage,
};

/// The number of the first of them.
pub const FIRST: u8 = 20;

/// What each of them shows.
const SHOWN: [(&str, Phase, ManagedState); 9] = [
    ("harbourside", Phase::Running, ManagedState::Healthy),
    ("being made", Phase::Creating, ManagedState::Working),
    ("nearly full", Phase::Running, ManagedState::Warning),
    ("lost its volume", Phase::Running, ManagedState::Failing),
    ("asleep", Phase::Running, ManagedState::Stopped),
    ("never was", Phase::Failed, ManagedState::NotCreated),
    ("on its way out", Phase::Deleting, ManagedState::Working),
    ("a name that is as long as names may be, and <script>pwned()</script>", Phase::Running, ManagedState::Failing),
    ("just born", Phase::Running, ManagedState::Unknown),
];

fn number(index: usize) -> u8 {
    FIRST + u8::try_from(index).unwrap_or_default()
}

/// Their ids.
pub fn ids() -> Vec<RegistryId> {
    (0..SHOWN.len()).map(|index| RegistryId::from_random(bits(number(index)))).collect()
}

fn index_of(id: &RegistryId) -> Option<usize> {
    ids().iter().position(|other| other == id)
}

/// The newest job of the ones that have one.
fn job_of(index: usize) -> Option<JobId> {
    matches!(index, 0 | 1 | 5 | 7).then(|| JobId::from_random(bits(number(index))))
}

/// All of them.
pub fn registries() -> Vec<Registry> {
    let all = SHOWN.into_iter().enumerate();
    all.map(|(index, (name, phase, _))| {
        let port = 5_601 + u16::from(number(index) - FIRST);
        let is_bucket = matches!(index, 1 | 2 | 7);
        let storage = if is_bucket {
            Storage::S3(S3Place {
                region: "eu-central-1".into(),
                endpoint: Some("https://objects.example.com".into()),
                bucket: "acme-images".into(),
                prefix: "registry/of/the/shop".into(),
                path_style: true,
                encrypt: true,
                internal: false,
            })
        } else {
            Storage::Volume { name: format!("slipway-registry-{index}-data") }
        };
        Registry {
            id: RegistryId::from_random(bits(number(index))),
            name: name.into(),
            host: parsed(&format!("127.0.0.1:{port}")),
            provider: Provider::Generic,
            credential: CredentialId::from_random(bits(number(index))),
            credential_name: format!("Registry {name}"),
            credential_works: true,
            base_path: None,
            is_default: false,
            platforms: if index == 2 { vec![parsed("linux/amd64"), parsed("linux/arm64")] } else { Vec::new() },
            managed: Some(Managed {
                phase,
                image: "docker.io/library/registry:2.8.3".into(),
                port,
                reach: [Reach::Host, Reach::Mesh, Reach::Proxy][index % 3],
                storage,
                node: (!is_bucket).then(|| ("n0de1".to_owned(), "swarm-1".to_owned())),
                domain: (index == 2).then(|| parsed("registry.example.com")),
                username: "slipway".into(),
                revision: 3,
                job: job_of(index),
            }),
            created_at: now() - 900_000,
            version: 4,
        }
    })
    .collect()
}

/// The credential of the first of them.
pub fn owned(like: &Credential) -> Credential {
    let mut owned = like.clone();
    owned.id = CredentialId::from_random(bits(FIRST));
    owned.name = "Registry harbourside".into();
    owned.state = CredentialState::Works;
    owned.owned_by = Some(RegistryId::from_random(bits(FIRST)));
    owned
}

/// Who uses it.
pub fn users(id: &RegistryId) -> Vec<RegistryUser> {
    if !matches!(index_of(id), Some(0 | 7)) {
        return Vec::new();
    }
    let user = |n, name: &str, builds, runs| RegistryUser {
        service: ServiceId::from_random(bits(n)),
        name: name.into(),
        builds,
        runs,
    };
    vec![user(1, "web", true, true), user(3, "ledger", false, true)]
}

/// What the form begins with.
pub fn suggestions(is_empty: bool) -> Suggestions {
    Suggestions {
        port: 5_602,
        image: "docker.io/library/registry:2.8.3".into(),
        reach: "It will be reached by a port on this node, since it is the only one.".into(),
        node: "The volume will be on swarm-1, and so will the registry.".into(),
        platforms: if is_empty {
            vec![parsed("linux/amd64")]
        } else {
            vec![parsed("linux/amd64"), parsed("linux/arm64")]
        },
        volumes: if is_empty { Vec::new() } else { vec!["slipway-registry-old-data".into()] },
    }
}

fn problem(index: usize) -> Option<Problem> {
    match index {
        2 => Some(Problem::new(
            "registry.disk_tight",
            "Only 4 % of the disk are free.",
            "Delete images that nobody needs, or give the disk more room.",
        )),
        3 => Some(Problem::new(
            Managed::VOLUME_CHANGED,
            "The volume slipway-registry-3-data is another one than before: it was removed and made anew.",
            "Bring the old volume back, or go on with the one that is there.",
        )),
        4 => Some(Problem::new(
            "registry.stopped",
            "Somebody scaled it to zero.",
            "Start it when it is wanted again. Builds wait for that.",
        )),
        5 => Some(
            Problem::new(
                "registry.port_taken",
                "Port 5606 is taken on swarm-1.",
                "Choose another port, or stop what listens there.",
            )
            .with_details("no suitable node (host-mode port already in use on 1 node)"),
        ),
        7 => Some(
            Problem::new(
                "registry.bucket_refuses",
                "The store refuses the keys.",
                "Make new ones there and save them under Edit.",
            )
            .with_details("403 SignatureDoesNotMatch <script>pwned()</script>"),
        ),
        _ => None,
    }
}

fn probe(fails: bool) -> ProbeReport {
    let step = |name: &str, title: &str, ok, millis, text: &str| ProbeStep {
        name: name.into(),
        title: title.into(),
        ok,
        millis,
        text: text.into(),
    };
    let rest = |text: &str| if fails { (None, "Not reached.".to_owned()) } else { (Some(true), text.to_owned()) };
    let (read, delete) = (rest("64 bytes came back as they were."), rest("What was pushed is gone again."));
    let mut steps = vec![
        step("connect", "Connect", Some(true), 2, "127.0.0.1 answers."),
        step("sign_in", "Sign in", Some(true), 31, "User and password are taken."),
        step(
            "push",
            "Push",
            Some(!fails),
            1_204,
            if fails { "500: <script>pwned()</script> s3 refused" } else { "64 bytes were taken." },
        ),
        step("read", "Read back", read.0, 9, &read.1),
    ];
    steps.push(step("delete", "Delete", delete.0, 12, &delete.1));
    ProbeReport { at: now() - 41, ok: !fails, millis: 1_300, steps, problem: None }
}

/// How it is.
pub fn status(id: &RegistryId) -> Result<ManagedStatus, AppError> {
    let index = index_of(id).ok_or_else(|| AppError::NotFound("registry".into()))?;
    let (_, _, state) = SHOWN[index];
    let headline = match state {
        ManagedState::Healthy => "A push and a pull worked 41 s ago.",
        ManagedState::Warning => "It works, but the disk is nearly full.",
        ManagedState::Failing => "It doesn't work: pushes fail.",
        ManagedState::Stopped => "It is stopped.",
        ManagedState::Working => "A job about it is under way.",
        ManagedState::NotCreated => "It couldn't be created; nothing of it is left behind.",
        ManagedState::Unknown => "Nobody has looked yet.",
    };
    let runs = matches!(state, ManagedState::Healthy | ManagedState::Warning | ManagedState::Failing);
    let fails = state == ManagedState::Failing;
    let slot = |n: i64| UptimeSlot {
        from: now() - (96 - n) * 900,
        good: if fails && n > 90 || n < 3 { 0 } else { 15 },
        bad: if fails && n > 90 { 15 } else { u32::from(n == 40) },
        problem: (n == 40 || n > 90).then(|| "Connection refused, <script>pwned()</script>".to_owned()),
    };
    let task = |id: &str, word: &str, runs, since, error: Option<&str>| TaskLine {
        id: id.into(),
        node: Some("swarm-1".into()),
        state: word.into(),
        runs,
        since: now() - since,
        error: error.map(ToOwned::to_owned),
    };
    Ok(ManagedStatus {
        state,
        headline: headline.into(),
        problem: problem(index),
        tasks: if runs {
            vec![
                task("tsk1abcdefghijklmnopqrst", "running", !fails, 7_000, None),
                task("tsk2", "shutdown", false, 7_100, Some("task: non-zero exit (137): <script>pwned()</script>")),
            ]
        } else {
            Vec::new()
        },
        probe: runs.then(|| probe(fails)),
        uptime: if runs { (0..96).map(slot).collect() } else { Vec::new() },
        usage: runs.then(|| Usage {
            at: now() - 500,
            repositories: 12,
            tags: 1_204,
            bytes: 18_402_000_000,
            shared: 61_000_000_000,
        }),
        growth: if runs {
            (0..30_u8)
                .map(|n| (now() - i64::from(30 - n) * 86_400, 9_000_000_000 + u64::from(n) * u64::from(n) * 11_000_000))
                .collect()
        } else {
            Vec::new()
        },
        disk: (runs && index != 7).then_some(Disk { free: 2_000_000_000, total: 50_000_000_000 }),
        shut_since: (index == 2).then(|| now() - 40),
        looked_at: if state == ManagedState::Unknown { 0 } else { now() - 4 },
    })
}

/// A job about one of them, with its steps.
pub fn job(id: &JobId) -> Option<(Job, Vec<Step>)> {
    let index = (0..SHOWN.len()).find(|index| job_of(*index).as_ref() == Some(id))?;
    let (kind, state) = match index {
        1 => ("create_registry", JobState::Running),
        5 => ("create_registry", JobState::Failed),
        7 => ("rotate_registry", JobState::Failed),
        _ => ("restart_registry", JobState::Succeeded),
    };
    let at = (now() - 60) * 1_000;
    let failure =
        Problem::new("registry.unhealthy", "It wasn't healthy within two minutes.", "The old password is back.");
    let job = Job {
        id: id.clone(),
        kind: kind.into(),
        subject: format!("registry:{}", RegistryId::from_random(bits(number(index)))),
        state,
        problem: (state == JobState::Failed).then(|| problem(index).filter(|_| index == 5).unwrap_or(failure)),
        attempt: 1,
        asked_by: "ada".into(),
        created: at,
        started: Some(at),
        finished: state.is_final().then_some(at + 9_000),
    };
    let names = [
        ("network", "Make the network"),
        ("secrets", "Hand over settings and password"),
        ("service", "Start the service"),
        ("probe", "Push and pull"),
    ];
    let last = if state == JobState::Succeeded { 4 } else { 3 };
    let steps = names.into_iter().take(last).zip(1..).map(|((name, title), n)| Step {
        name: name.into(),
        title: title.into(),
        state: match state {
            _ if n < last => StepState::Done,
            JobState::Failed => StepState::Failed,
            JobState::Running => StepState::Running,
            _ => StepState::Done,
        },
        started: at,
        finished: (n < last || state.is_final()).then_some(at + 1_200),
        cached: false,
    });
    Some((job, steps.collect()))
}

/// What it printed.
pub fn log() -> Vec<LogEntry> {
    let line = |n: i64, severity, text: &str, is_own| LogEntry {
        at: (now() - 90_000 + n) * 1_000,
        cursor: format!("2026-11-24T12:00:{n:02}.000000001Z"),
        severity,
        text: text.into(),
        is_own,
    };
    let mut lines = vec![
        line(1, Severity::Info, "Listens at [::]:5000.", false),
        line(2, Severity::Info, "Slipway's probe: HEAD /v2/slipway-probe/blobs/sha256:2d4a6b8c → 404", true),
        line(
            3,
            Severity::Info,
            "slipway pushed shop/web:3f9a1b2c (PUT /v2/shop/web/manifests/3f9a1b2c → 201, 12 ms)",
            false,
        ),
        line(4, Severity::Warning, "Somebody at 10.0.1.7 wasn't let in: <script>pwned()</script>", false),
        line(
            5,
            Severity::Error,
            "The store refuses: AccessDenied, in a line that goes on and on and on so that it has to be wrapped on a narrow screen, as lines of Go programs do",
            false,
        ),
    ];
    lines
        .extend((10..59).map(|n| {
            line(n * 1_500, Severity::Info, "slipway pulled shop/web@sha256:2d4a6b8c0e1f (200, 3 ms)", false)
        }));
    lines
}
