//! What the Swarm gets: names, labels and the specification of a deployment. Pure.

use super::store::Record;
use crate::docker::{GivenSecret, Network, Publishing, Runs, Spec};
use app::model::id::{DeploymentId, ProjectId, ServiceId};
use app::model::platform::Platform;
use app::model::service::Deployment;

/// Label of all that Slipway made.
pub(super) const MANAGED: &str = "slipway.managed";
/// Label that names the service.
pub(super) const SERVICE: &str = "slipway.service";
/// Label that names the deployment; on service and containers, so that tasks of two versions are told apart.
pub(super) const DEPLOYMENT: &str = "slipway.deployment";
/// Docker's limit for names of services.
const LONGEST: usize = 63;

/// The label filter that finds a service in the Swarm; its name there may be that of an earlier day.
pub(super) fn service_filter(id: &ServiceId) -> String {
    format!("{SERVICE}={id}")
}

/// `slipway-<project>-<service>-<id>`: readable, and unique by its end.
pub(super) fn swarm_name(project_slug: &str, slug: &str, id: &ServiceId) -> String {
    named(&format!("slipway-{project_slug}-{slug}"), id.short())
}

/// The network of a project.
pub(super) fn network_name(project_slug: &str, id: &ProjectId) -> String {
    named(&format!("slipway-{project_slug}"), id.short())
}

fn named(head: &str, end: &str) -> String {
    let head: String = head.chars().take(LONGEST - 1 - end.len()).collect();
    format!("{}-{end}", head.trim_end_matches('-'))
}

/// The networks of a service.
pub(super) struct Networks {
    /// Its project's.
    pub own: Network,
    /// Those that its settings name.
    pub others: Vec<Network>,
}

/// The specification of a deployment; its settings come with the values of environment variables.
pub(super) fn spec(
    service: &Record,
    deployment: &Deployment,
    networks: &Networks,
    secrets: Vec<GivenSecret>,
    has_ipvs: bool,
    platforms: Vec<Platform>,
) -> Spec {
    let settings = &deployment.settings;
    Spec {
        name: swarm_name(&service.project_slug, &service.slug, &service.id),
        labels: labels(&service.id, &deployment.id),
        image: deployment.image.to_string(),
        env: settings.env.clone(),
        replicas: settings.replicas,
        ports: settings.ports.clone(),
        publishing: if has_ipvs { Publishing::Mesh } else { Publishing::Host },
        network: networks.own.id.clone(),
        alias: service.slug.clone(),
        health: settings.health.clone(),
        platforms,
        runs: Runs {
            command: settings.command.clone(),
            args: settings.args.clone(),
            resources: settings.resources,
            constraints: settings.constraints.clone(),
            mounts: settings.mounts.clone(),
            secrets,
            networks: networks.others.iter().map(|network| network.id.clone()).collect(),
            // Tasks of what is only scaled go on, so their containers may not differ.
            task_labels: Some(labels(&service.id, deployment.tasks())),
        },
        own: None,
    }
}

fn labels(service: &ServiceId, deployment: &DeploymentId) -> Vec<(String, String)> {
    [(MANAGED, "true"), (SERVICE, service.as_str()), (DEPLOYMENT, deployment.as_str())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_stay_unique() {
        let id = ServiceId::from_random([7; 8]);
        assert_eq!(swarm_name("shop", "web", &id), format!("slipway-shop-web-{}", id.short()));
        let long = swarm_name(&"p".repeat(43), &"s".repeat(43), &id);
        assert_eq!(long.len(), LONGEST);
        assert!(long.ends_with(&format!("-{}", id.short())));
        let project = ProjectId::from_random([9; 8]);
        assert_eq!(network_name("shop", &project), format!("slipway-shop-{}", project.short()));
    }

    #[test]
    fn a_cut_never_leaves_two_dashes() {
        let id = ServiceId::from_random([7; 8]);
        for length in 1..60 {
            assert!(!swarm_name(&"p".repeat(length), "web", &id).contains("--"), "{length}");
        }
    }
}
