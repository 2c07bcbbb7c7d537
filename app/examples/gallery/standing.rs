//! Samples of what is known beside versions: a lamp of each colour, a pin, a pause, something that was put back.

use super::{bits, now};
use app::error::Link;
use app::model::id::{BuildId, DeploymentId, ServiceId};
use app::model::report::Lamp;
use app::model::retention::Need;
use app::model::standing::{Held, Pause, Pin, PutBack, Readiness, Standing, Version};

/// Addresses of the pages.
pub fn paths() -> Vec<String> {
    [1, 2, 3, 4, 5].map(|n| format!("/deployments/{}/roll-back", DeploymentId::from_random(bits(n)))).to_vec()
}

fn readiness(lamp: Lamp, reason: &str) -> Readiness {
    Readiness {
        lamp,
        reason: reason.into(),
        link: (lamp == Lamp::Red).then(|| Link { href: "/services".into(), text: "Open the service".into() }),
        is_here: Some(lamp == Lamp::Green),
        pull_bytes: None,
        at: now() - 20,
    }
}

fn version(n: u8, need: Option<Need>, readiness: Option<Readiness>) -> Version {
    Version { id: DeploymentId::from_random(bits(n)), need, readiness, pin: None, put_back: None }
}

/// Of the service of images nothing is paused, and one more isn't kept.
pub fn of(id: &ServiceId) -> Standing {
    if *id == ServiceId::from_random(bits(3)) {
        let amber = readiness(Lamp::Amber, "The registry ghcr.io wants to be asked less often. Wait a minute.");
        return Standing { pause: None, keep: 1, versions: vec![version(5, Some(Need::Runs), Some(amber))] };
    }
    let green = readiness(Lamp::Green, "Its image is on this node already.");
    let red = readiness(
        Lamp::Red,
        "The registry internal doesn't have shop/web sha256:a4e624d686e0… any more. Build or deploy anew, or choose another deployment.",
    );
    let put_back = PutBack { id: DeploymentId::from_random(bits(2)), number: 3, at: Some(now() - 1_200) };
    Standing {
        pause: Some(Pause {
            since: now() - 5_400,
            by: "ada".into(),
            to: Some((DeploymentId::from_random(bits(4)), 1)),
            next: Some(Held {
                build: BuildId::from_random(bits(2)),
                number: 7,
                subject: Some("Make <b>bold</b> claims & keep them".into()),
            }),
        }),
        keep: 10,
        versions: vec![
            version(1, Some(Need::UnderWay), None),
            version(2, Some(Need::Runs), Some(green)),
            Version { put_back: Some(put_back), ..version(3, None, None) },
            Version {
                pin: Some(Pin { by: "ada".into(), at: now() - 90_000 }),
                ..version(4, Some(Need::Pinned), Some(red))
            },
        ],
    }
}
