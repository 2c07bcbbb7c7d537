//! What the Swarm gets for a registry. Pure.

use super::record::Record;
use super::{config, names};
use crate::docker::{GivenSecret, Network, Own, Publishing, Runs, Spec};
use app::model::registry::{Reach, Storage};
use app::model::service::{HealthCheck, Port};

/// Enough for many pushes at once; what a registry with a leak would take without it is the node's memory.
const MEMORY: i64 = 1024 * 1024 * 1024;
/// One core. More is refused by engines that have no more.
const NANO_CPUS: i64 = 1_000_000_000;
/// Longer than the registry waits for pushes to end.
const STOP_GRACE: u32 = 60;

/// The service of the registry itself. `secrets`: configuration and sign-in; `force`: another number starts all tasks anew.
pub(super) fn spec(record: &Record, network: &Network, secrets: Vec<GivenSecret>, replicas: u32, force: u64) -> Spec {
    let volume = match &record.wanted.storage {
        Storage::Volume { name } => Some((name.clone(), config::DATA.to_owned())),
        Storage::S3(_) => None,
    };
    let constraints = match (&volume, &record.node) {
        (Some(_), Some((id, _))) => vec![format!("node.id=={id}")],
        _ => Vec::new(),
    };
    let mut labels = names::labels(&record.id);
    labels.push((names::ROLE.to_owned(), names::SERVES.to_owned()));
    labels.push((names::REVISION.to_owned(), record.revision.to_string()));
    let port = Port { published: record.port, target: config::PORT, udp: false };
    Spec {
        name: names::service(&record.id),
        labels,
        image: record.wanted.image.clone(),
        // 3.x sends traces to nobody otherwise, and says so in its log again and again.
        env: vec![("OTEL_TRACES_EXPORTER".to_owned(), "none".to_owned())],
        replicas,
        // The proxy on every node holds the port when there is one.
        ports: if record.reach == Reach::Proxy { Vec::new() } else { vec![port] },
        publishing: if record.reach == Reach::Mesh { Publishing::Mesh } else { Publishing::Host },
        network: network.id.clone(),
        alias: names::alias(&record.id),
        health: Some(HealthCheck {
            command: ["wget", "-q", "-O-", config::HEALTH].map(str::to_owned).into(),
            interval: 5,
            retries: 5,
            start_period: 20,
            timeout: 5,
        }),
        platforms: Vec::new(),
        runs: Runs::default(),
        own: Some(Own {
            args: vec!["serve".to_owned(), config::CONFIG.to_owned()],
            secrets,
            volume,
            constraints,
            everywhere: false,
            memory: Some(MEMORY),
            nano_cpus: Some(NANO_CPUS),
            stop_grace: STOP_GRACE,
            force,
        }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::registries::record::Wanted;
    use app::model::id::{CredentialId, RegistryId};
    use app::model::registry::Phase;

    /// One with a volume, for tests.
    pub(in crate::registries) fn record(reach: Reach) -> Record {
        Record {
            id: RegistryId::from_random([7; 8]),
            name: "Main".into(),
            credential: CredentialId::from_random([8; 8]),
            phase: Phase::Creating,
            wants_default: false,
            keep_data: false,
            port: 5000,
            reach,
            node: Some(("n1".into(), "one".into())),
            volume_created: None,
            wanted: Wanted {
                image: "registry:2".into(),
                domain: None,
                storage: Storage::Volume { name: "data".into() },
                keys: 0,
                read_only: false,
            },
            revision: 3,
            settled: None,
        }
    }

    #[test]
    fn how_it_is_reached_says_how_its_port_is_published() {
        let network = Network { id: "net".into(), name: names::NETWORK.into() };
        let of = |reach| spec(&record(reach), &network, Vec::new(), 1, 0);
        let host = of(Reach::Host);
        assert_eq!((host.ports.len(), host.publishing), (1, Publishing::Host));
        let mesh = of(Reach::Mesh);
        assert_eq!((mesh.ports.len(), mesh.publishing), (1, Publishing::Mesh));
        assert!(of(Reach::Proxy).ports.is_empty(), "the proxy holds the port");
        assert!(host.labels.contains(&(names::REVISION.to_owned(), "3".to_owned())));
    }

    #[test]
    fn a_volume_ties_it_to_its_node_and_a_bucket_does_not() {
        let network = Network { id: "net".into(), name: names::NETWORK.into() };
        let own = |record: &Record| spec(record, &network, Vec::new(), 1, 0).own.expect("ours");
        let tied = own(&record(Reach::Host));
        assert_eq!(tied.constraints, ["node.id==n1"]);
        assert_eq!(tied.volume, Some(("data".into(), config::DATA.into())));
        let mut free = record(Reach::Mesh);
        free.wanted.storage = Storage::S3(app::model::registry::S3Place {
            region: "us-east-1".into(),
            endpoint: None,
            bucket: "images".into(),
            prefix: String::new(),
            path_style: false,
            encrypt: false,
            internal: false,
        });
        let free = own(&free);
        assert!(free.constraints.is_empty() && free.volume.is_none());
    }
}
