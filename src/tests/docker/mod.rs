//! Against the lab's engine: what it says about itself, and updates that come too late.

use crate::swarm::Lab;
use app::model::service::Port;
use slipway::docker::{Docker, DockerError, Publishing, Runs, Spec, SwarmMode};

#[tokio::test]
async fn an_engine_that_is_not_there_is_named_with_its_address() {
    let docker = Docker::connect("unix:///nowhere/docker.sock").expect("the address is one");
    let error = docker.look().await.expect_err("nobody is there");
    assert!(error.is_away());
    let text = error.to_string();
    assert!(text.contains("unix:///nowhere/docker.sock") && text.contains("no such socket"), "{text}");
}

#[tokio::test]
async fn the_labs_engine_manages_a_swarm() {
    let Some(lab) = Lab::find() else { return };
    let docker = Docker::connect(&lab.docker_host).expect("an address");
    let engine = docker.look().await.expect("it answers");
    assert_eq!(engine.swarm, SwarmMode::Manager);
    assert!(engine.containerd_store);
    assert!(engine.platform.is_some_and(|platform| platform.starts_with("linux/")));
    assert!(engine.nodes >= 1);
    let nodes = docker.nodes().await.expect("nodes");
    assert!(nodes.iter().any(|node| node.is_ready && !node.name.is_empty()));
}

/// X4, and what a service looks like in the Swarm: nothing but what was asked for (Z5).
#[tokio::test]
async fn an_update_from_stale_state_is_told_apart() {
    let Some(lab) = Lab::find() else { return };
    let docker = Docker::connect(&lab.docker_host).expect("an address");
    let id: String = slipway::clock::random_token().chars().take(12).collect();
    let network = docker.ensure_network(&format!("slipway-test-{id}"), &[]).await.expect("a network");
    let again = docker.ensure_network(&network.name, &[]).await.expect("the same network");
    assert_eq!(again, network);
    let spec = Spec {
        name: format!("slipway-test-{id}"),
        labels: vec![("slipway.service".into(), id.clone())],
        image: "slipway-lab/base:1".into(),
        env: vec![("A".into(), "1".into())],
        replicas: 0,
        ports: vec![Port { published: crate::swarm::free_port(), target: 80, udp: false }],
        publishing: Publishing::Host,
        network: network.id.clone(),
        alias: "web".into(),
        health: None,
        platforms: Vec::new(),
        runs: Runs::default(),
        own: None,
    };
    docker.create_service(&spec, None).await.expect("created");
    let label = format!("slipway.service={id}");
    // The Swarm itself writes to a new service, so what was read may be stale at once.
    let mut found = docker.services(&label).await.expect("listed").remove(0);
    for attempt in 1.. {
        match docker.update_service(&found, &spec, None).await {
            Ok(()) => break,
            Err(DockerError::OutOfSequence) if attempt < 20 => {
                found = docker.services(&label).await.expect("listed").remove(0);
            }
            Err(error) => panic!("an update from fresh state failed: {error}"),
        }
    }
    let stale = docker.update_service(&found, &spec, None).await;
    let inspected = lab.docker(&["service", "inspect", &found.id]);
    docker.remove_service(&found.id).await.expect("removed");
    docker.remove_service(&found.id).await.expect("removing again is fine");
    docker.remove_network(&network.name).await.expect("removed");
    docker.remove_network(&network.name).await.expect("removing again is fine");
    assert!(matches!(stale, Err(DockerError::OutOfSequence)), "{stale:?}");
    assert!(docker.services(&label).await.expect("listed").is_empty());
    for word in ["Mounts", "CapabilityAdd", "Sysctls", "Privileges", "Devices", "docker.sock"] {
        assert!(!inspected.contains(word), "{word} in {inspected}");
    }
}
