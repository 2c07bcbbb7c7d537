//! A real engine pushes and pulls through it, at a real registry with a password.

use super::Outside;
use crate::swarm::Lab;
use base64::Engine as _;
use std::process::Command;

const SIZE: usize = 50 << 20;

#[tokio::test]
async fn a_large_image_is_pushed_and_pulled_through_it_with_one_digest() {
    let Some(lab) = Lab::find() else { return };
    let proxy = Outside::start(&lab.registry).started().await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    let here = format!("127.0.0.1:{}", proxy.port);
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", lab.username, lab.password));
    write("config.json", serde_json::json!({ "auths": { &here: { "auth": auth } } }).to_string().as_bytes());
    let mut noise = vec![0; SIZE];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").expect("opened"), &mut noise).expect("read");
    write("noise", &noise);
    write("Dockerfile", b"FROM scratch\nCOPY noise /noise\n");
    let repository = format!("proxy/large-{}", hex(&slipway::clock::random::<4>()));
    let name = format!("{here}/{repository}:1");
    let docker = |args: &[&str]| {
        let output = Command::new("docker")
            .args(args)
            .env("DOCKER_HOST", &lab.docker_host)
            .env("DOCKER_CONFIG", folder.path())
            .output()
            .expect("docker runs");
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let metadata = folder.path().join("metadata.json").display().to_string();
    let context = folder.path().display().to_string();
    docker(&[
        "buildx",
        "build",
        "--push",
        "--provenance=false",
        "-q",
        "-t",
        &name,
        "--metadata-file",
        &metadata,
        &context,
    ]);
    let metadata: serde_json::Value =
        serde_json::from_slice(&std::fs::read(metadata).expect("metadata")).expect("JSON");
    let pushed = metadata["containerimage.digest"].as_str().expect("a digest").to_owned();

    // The registry itself has the same, when it is asked directly.
    let accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
    let answer = reqwest::Client::new()
        .head(format!("http://{}/v2/{repository}/manifests/1", lab.registry))
        .basic_auth(&lab.username, Some(&lab.password))
        .header("accept", accept)
        .send()
        .await
        .expect("asked");
    let kept = answer.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok());
    assert_eq!(kept, Some(pushed.as_str()));

    docker(&["image", "rm", "-f", &name]);
    docker(&["pull", "-q", &name]);
    let pulled = docker(&["image", "inspect", "-f", "{{index .RepoDigests 0}}", &name]);
    assert!(pulled.trim().ends_with(&pushed), "{pulled} is not {pushed}");
    // The engine has checked every layer against its digest; look at the bytes anyway.
    let container = docker(&["create", &name, "/none"]).trim().to_owned();
    let copy = folder.path().join("copy").display().to_string();
    docker(&["cp", &format!("{container}:/noise"), &copy]);
    docker(&["rm", &container]);
    docker(&["image", "rm", "-f", &name]);
    assert!(std::fs::read(copy).expect("the copy") == noise, "the file came back as another one");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
