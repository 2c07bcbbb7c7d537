//! Whether one may go back to a deployment. Pure.

use super::store::Publisher;
use app::error::{Blocker, Link};
use app::model::id::DeploymentId;
use app::model::job::JobState;
use app::model::service::{Deployment, Origin, Port, Settings};
use app::model::standing::{Back, Readiness};
use app::paths;

/// What stands in the way of going back to `to` with these settings; nothing: go. `obstacle`: a lamp that is red.
pub(super) fn blockers(
    to: &Deployment,
    settings: &Settings,
    service_is_deleted: bool,
    others: &[Publisher],
    obstacle: Option<&Readiness>,
) -> Vec<Blocker> {
    let own = |reason: String| Blocker { reason, link: None };
    if service_is_deleted {
        return vec![own("The service is deleted; its history can only be read.".into())];
    }
    if to.is_current {
        return vec![own(format!("Deployment {} is the one that runs.", to.number))];
    }
    if to.state != JobState::Succeeded {
        return vec![own(format!("Deployment {} never ran well, so there is nothing to go back to.", to.number))];
    }
    if let Some(found) = obstacle {
        let reason = format!("Deployment {} can't come back. {}", to.number, found.reason);
        return vec![Blocker { reason, link: found.link.clone() }];
    }
    taken(&settings.ports, others)
        .into_iter()
        .map(|(port, by)| Blocker {
            reason: format!(
                "Deployment {} publishes port {}, which {} in {} has now.",
                to.number, port.published, by.name, by.project
            ),
            link: Some(Link { href: paths::service(&by.id), text: format!("Open {}", by.name) }),
        })
        .collect()
}

/// Whether this deployment is already going back to `to`.
pub(super) fn is_on_its_way(deployment: &Deployment, to: &DeploymentId, what: Back) -> bool {
    !deployment.state.is_final()
        && matches!(&deployment.origin, Origin::RollBack { to: other, what: same, .. } if other == to && *same == what)
}

/// The ports that another service publishes already, by its settings or by what runs.
pub(super) fn taken<'a>(ports: &[Port], others: &'a [Publisher]) -> Vec<(Port, &'a Publisher)> {
    let holds = |publisher: &Publisher, port: &Port| {
        publisher
            .settings
            .iter()
            .flat_map(|settings| &settings.ports)
            .any(|other| other.published == port.published && other.udp == port.udp)
    };
    ports
        .iter()
        .filter_map(|port| others.iter().find(|publisher| holds(publisher, port)).map(|publisher| (*port, publisher)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::id::{BuildId, JobId, ServiceId};
    use app::model::report::Lamp;

    fn deployment(state: JobState, is_current: bool) -> Deployment {
        Deployment {
            id: DeploymentId::from_random([1; 8]),
            number: 3,
            service: ServiceId::from_random([1; 8]),
            image: "a.example/b:1".parse().expect("an image"),
            commit: None,
            commit_subject: None,
            settings: Settings { ports: vec![port(8080)], ..Settings::default() },
            origin: Origin::Build { build: BuildId::from_random([1; 8]), number: 1 },
            state,
            problem: None,
            is_current,
            job: JobId::from_random([1; 8]),
            asked_by: "owner".into(),
            created: 0,
            finished: None,
        }
    }

    fn blockers(to: &Deployment, is_deleted: bool, others: &[Publisher]) -> Vec<Blocker> {
        super::blockers(to, &to.settings, is_deleted, others, None)
    }

    #[test]
    fn a_red_lamp_stands_in_the_way_with_its_reason() {
        let red = Readiness {
            lamp: Lamp::Red,
            reason: "The registry doesn't have it.".into(),
            link: None,
            is_here: None,
            pull_bytes: None,
            at: 1,
        };
        let to = deployment(JobState::Succeeded, false);
        let found = super::blockers(&to, &to.settings, false, &[], Some(&red));
        assert!(matches!(found.as_slice(), [one] if one.reason.contains("The registry doesn't have it.")), "{found:?}");
    }

    fn port(published: u16) -> Port {
        Port { published, target: 80, udp: false }
    }

    fn publisher(published: u16) -> Publisher {
        Publisher {
            id: ServiceId::from_random([2; 8]),
            name: "Web".into(),
            project: "Shop".into(),
            settings: vec![Settings::default(), Settings { ports: vec![port(published)], ..Settings::default() }],
        }
    }

    #[test]
    fn only_a_deployment_that_ran_and_does_not_run_now_can_come_back() {
        assert_eq!(blockers(&deployment(JobState::Succeeded, false), false, &[]), []);
        assert!(!blockers(&deployment(JobState::Succeeded, true), false, &[]).is_empty());
        assert!(!blockers(&deployment(JobState::Succeeded, false), true, &[]).is_empty());
        for state in JobState::ALL.into_iter().filter(|state| *state != JobState::Succeeded) {
            assert!(!blockers(&deployment(state, false), false, &[]).is_empty(), "{state:?}");
        }
    }

    #[test]
    fn a_port_that_is_gone_names_who_has_it() {
        let found = blockers(&deployment(JobState::Succeeded, false), false, &[publisher(8080)]);
        assert!(
            matches!(found.as_slice(), [one] if one.reason.contains("8080, which Web in Shop") && one.link.is_some())
        );
        assert_eq!(blockers(&deployment(JobState::Succeeded, false), false, &[publisher(8081)]), []);
    }

    #[test]
    fn the_same_wish_twice_is_one() {
        let to = DeploymentId::from_random([7; 8]);
        let origin = Origin::RollBack { to: to.clone(), number: 1, what: Back::All };
        let under_way = Deployment { origin: origin.clone(), ..deployment(JobState::Running, false) };
        assert!(is_on_its_way(&under_way, &to, Back::All));
        assert!(!is_on_its_way(&under_way, &to, Back::Image));
        assert!(!is_on_its_way(&under_way, &DeploymentId::from_random([8; 8]), Back::All));
        assert!(!is_on_its_way(&Deployment { origin, ..deployment(JobState::Succeeded, false) }, &to, Back::All));
        assert!(!is_on_its_way(&deployment(JobState::Running, false), &to, Back::All));
    }
}
