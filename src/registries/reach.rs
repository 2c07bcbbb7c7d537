//! How the engine of every node reaches a managed registry as `127.0.0.1:<port>`: decided from what was found, said in
//! sentences, and the proxy that is needed where nothing else works.
//!
//! Every engine trusts its own loopback address without TLS and without being configured; that is why the port has to answer
//! on each node, whichever node the registry is on. A decision stays as long as it works: a Swarm that shrinks to one node
//! goes on with its proxies, since a change means a short stop.

use super::names;
use super::record::Record;
use crate::docker::{Own, Publishing, Runs, Spec};
use app::error::Problem;
use app::model::image_ref::ImageRef;
use app::model::registry::Reach;
use app::model::service::Port;

/// The port on which the registry and its proxy listen in their containers.
pub(super) const INNER_PORT: u16 = 5000;
/// For a full house of connections with their buffers.
const PROXY_MEMORY: i64 = 128 << 20;
/// One core: a push is copied once in each direction.
const PROXY_CPUS: i64 = 1_000_000_000;
/// The proxy ends after 30 s at the latest, whatever is under way.
const PROXY_GRACE: u32 = 40;

/// How a registry is to be published in a Swarm of so many nodes, and why, in a sentence.
///
/// `has_ipvs` is about this machine's kernel; that the others are like it is what the mesh needs anyway, and what the probe
/// and the nodes' own pulls show.
pub(super) fn decide(
    nodes: u64,
    has_ipvs: bool,
    proxy_image: Option<&ImageRef>,
) -> Result<(Reach, String), Box<Problem>> {
    let reach = match (nodes, has_ipvs, proxy_image) {
        (0 | 1, _, _) => Reach::Host,
        (_, true, _) => Reach::Mesh,
        (_, false, Some(_)) => Reach::Proxy,
        (_, false, None) => return Err(Box::new(no_way(nodes))),
    };
    Ok((reach, sentence(reach, nodes, has_ipvs, proxy_image)))
}

/// What has to change when a registry is published like this in a Swarm that is as it was found now. None: nothing.
pub(super) fn review(
    now: Reach,
    nodes: u64,
    has_ipvs: bool,
    proxy_image: Option<&ImageRef>,
) -> Result<Option<(Reach, String)>, Box<Problem>> {
    let works = match now {
        Reach::Host => nodes <= 1,
        Reach::Mesh => has_ipvs,
        // Without its image a running proxy goes on, but no new one can be started.
        Reach::Proxy => proxy_image.is_some(),
    };
    if works { Ok(None) } else { decide(nodes, has_ipvs, proxy_image).map(Some) }
}

/// How it is reached, for people.
pub(super) fn sentence(reach: Reach, nodes: u64, has_ipvs: bool, proxy_image: Option<&ImageRef>) -> String {
    let every = if nodes > 1 { format!("each of the {nodes} nodes") } else { "every node".to_owned() };
    match reach {
        Reach::Host => {
            let then = match (has_ipvs, proxy_image) {
                (true, _) => "the routing mesh publishes it on every node instead; that takes a short stop.",
                (false, Some(_)) => "a small proxy on every node passes on to it instead; that takes a short stop.",
                (false, None) => {
                    "that one can't pull from it until IP_VS is loaded on all nodes or the setting proxy-image is there."
                }
            };
            format!("Published on this node. When a second node joins, {then}")
        }
        Reach::Mesh => format!("The Swarm's routing mesh publishes it on {every}."),
        Reach::Proxy => format!(
            "A small proxy on {every} passes on to it, because this machine's kernel has no IP_VS for the routing mesh."
        ),
    }
}

/// Where a new registry would run, for people. `node` is the host name of the one that a volume would be on.
pub(super) fn node_sentence(node: &str, nodes: u64) -> String {
    if nodes <= 1 {
        format!("A volume is on the node {node}. With a bucket the images outlive it.")
    } else {
        format!(
            "A volume ties the registry to the node {node}: when that node is down, nobody can push or pull. With a bucket it \
             moves to another node."
        )
    }
}

fn no_way(nodes: u64) -> Problem {
    Problem::new(
        "registry.no_reach",
        format!(
            "The Swarm has {nodes} nodes, and nothing can publish the registry on all of them: this machine's kernel has no \
             IP_VS for the routing mesh, and no image for the proxy is set."
        ),
        "Load IP_VS on all nodes (modprobe ip_vs) and restart their engines, or set proxy-image to an image with Slipway that \
         every node can pull, and restart Slipway.",
    )
}

/// The proxy of a registry: one on every node, its port published there.
pub(super) fn proxy_spec(record: &Record, network: &str, proxy_image: &ImageRef) -> Spec {
    let mut labels = names::labels(&record.id);
    labels.push((names::ROLE.to_owned(), names::PASSES_ON.to_owned()));
    labels.push((names::REVISION.to_owned(), record.revision.to_string()));
    let to = format!("{}:{INNER_PORT}", names::alias(&record.id));
    let args = ["proxy", "--listen", &format!("0.0.0.0:{INNER_PORT}"), "--to", &to];
    Spec {
        name: names::proxy(&record.id),
        labels,
        image: proxy_image.to_string(),
        env: Vec::new(),
        replicas: 1,
        ports: vec![Port { published: record.port, target: INNER_PORT, udp: false }],
        publishing: Publishing::Host,
        network: network.to_owned(),
        alias: names::proxy(&record.id),
        // A proxy that ends is started anew; whether it passes on is what the probe finds out.
        health: None,
        platforms: Vec::new(),
        runs: Runs::default(),
        own: Some(Own {
            args: args.map(str::to_owned).to_vec(),
            everywhere: true,
            memory: Some(PROXY_MEMORY),
            nano_cpus: Some(PROXY_CPUS),
            stop_grace: PROXY_GRACE,
            ..Own::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registries::record::Wanted;
    use app::model::id::{CredentialId, RegistryId};
    use app::model::registry::{Phase, Storage};

    fn image() -> ImageRef {
        "registry.example.com/slipway:1".parse().expect("a reference")
    }

    #[test]
    fn one_node_publishes_itself_several_use_the_mesh_or_the_proxy() {
        let image = image();
        for (nodes, has_ipvs, proxy, reach) in [
            (0, false, None, Reach::Host),
            (1, false, None, Reach::Host),
            (1, true, Some(&image), Reach::Host),
            (2, true, None, Reach::Mesh),
            (2, true, Some(&image), Reach::Mesh),
            (3, false, Some(&image), Reach::Proxy),
        ] {
            let (found, why) = decide(nodes, has_ipvs, proxy).expect("there is a way");
            assert_eq!(found, reach, "{nodes} {has_ipvs}");
            assert!(why.ends_with('.') && why.len() > 30, "{why}");
        }
    }

    #[test]
    fn without_mesh_and_proxy_several_nodes_have_no_way_and_the_remedy_names_both() {
        let problem = decide(2, false, None).expect_err("there is no way");
        assert_eq!(problem.code, "registry.no_reach");
        assert!(problem.cause.contains("2 nodes") && problem.cause.contains("IP_VS"), "{}", problem.cause);
        assert!(
            problem.remedy.contains("modprobe ip_vs") && problem.remedy.contains("proxy-image"),
            "{}",
            problem.remedy
        );
    }

    #[test]
    fn what_works_stays_and_what_does_not_changes() {
        let image = image();
        assert_eq!(review(Reach::Host, 1, false, None), Ok(None));
        assert_eq!(review(Reach::Proxy, 1, false, Some(&image)), Ok(None));
        assert_eq!(review(Reach::Mesh, 1, true, None), Ok(None));
        // IP_VS was loaded meanwhile: the proxy still works.
        assert_eq!(review(Reach::Proxy, 2, true, Some(&image)), Ok(None));
        let changed =
            |now, nodes, has_ipvs, image| review(now, nodes, has_ipvs, image).map(|way| way.map(|(to, _)| to));
        assert_eq!(changed(Reach::Host, 2, false, Some(&image)), Ok(Some(Reach::Proxy)));
        assert_eq!(changed(Reach::Host, 2, true, None), Ok(Some(Reach::Mesh)));
        assert_eq!(changed(Reach::Mesh, 2, false, Some(&image)), Ok(Some(Reach::Proxy)));
        assert_eq!(changed(Reach::Proxy, 1, false, None), Ok(Some(Reach::Host)));
        assert!(review(Reach::Host, 2, false, None).is_err());
    }

    #[test]
    fn the_sentence_says_what_a_second_node_brings() {
        let image = image();
        let host = |has_ipvs, image| sentence(Reach::Host, 1, has_ipvs, image);
        assert!(host(true, None).contains("When a second node joins, the routing mesh"));
        assert!(host(false, Some(&image)).contains("When a second node joins, a small proxy"));
        assert!(host(false, None).contains("proxy-image"));
        assert!(sentence(Reach::Proxy, 3, false, Some(&image)).contains("each of the 3 nodes"));
        assert!(node_sentence("one", 1).contains("the node one"));
        assert!(node_sentence("one", 2).contains("ties the registry to the node one"));
    }

    #[test]
    fn the_proxy_is_on_every_node_and_passes_on_to_the_alias() {
        let id = RegistryId::from_random([7; 8]);
        let record = Record {
            id: id.clone(),
            name: "Main".into(),
            credential: CredentialId::from_random([8; 8]),
            phase: Phase::Running,
            wants_default: false,
            keep_data: false,
            port: 5_555,
            reach: Reach::Proxy,
            node: Some(("n1".into(), "one".into())),
            volume_created: None,
            wanted: Wanted {
                image: "registry:2".into(),
                domain: None,
                storage: Storage::Volume { name: "v".into() },
                keys: 0,
                read_only: false,
            },
            revision: 3,
            settled: None,
        };
        let spec = proxy_spec(&record, "net", &image());
        let own = spec.own.expect("it is ours");
        let to = format!("registry-{}:5000", id.short());
        assert_eq!(own.args, ["proxy", "--listen", "0.0.0.0:5000", "--to", to.as_str()]);
        assert!(own.everywhere && own.secrets.is_empty() && own.volume.is_none() && own.constraints.is_empty());
        assert_eq!(spec.publishing, Publishing::Host);
        assert_eq!(spec.ports, [Port { published: 5_555, target: 5_000, udp: false }]);
        let label = |key: &str| spec.labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        assert_eq!(label(names::ROLE), Some(names::PASSES_ON));
        assert_eq!(label(names::REGISTRY), Some(id.as_str()));
        assert_eq!(label(names::REVISION), Some("3"));
        // Its own name on the network is another one than the registry's, or it would pass on to itself.
        assert_ne!(spec.alias, names::alias(&id));
    }
}
