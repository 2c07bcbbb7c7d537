//! Composes the call of `docker buildx build`: arguments and environment as pure functions.

use super::cache::Caching;
use super::context::Located;
use super::folder::BuildFolder;
use super::inputs::Inputs;
use crate::builders::Chosen;
use crate::process::{Invocation, Program};
use app::model::image_ref::{Digest, ImageRef};
use app::model::platform::Platform;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// What is built and pushed.
pub(super) struct Push<'a> {
    pub(super) reference: &'a ImageRef,
    pub(super) located: &'a Located,
    /// Keys are ours; values are ids.
    pub(super) labels: &'a [(&'static str, String)],
    /// Empty: the one of the builder.
    pub(super) platforms: &'a [Platform],
    pub(super) builder: &'a Chosen,
    pub(super) inputs: &'a Inputs,
    pub(super) caching: &'a Caching,
    pub(super) no_cache: bool,
    pub(super) sbom: bool,
    pub(super) provenance: bool,
    /// The control group whose caps hold for the build's commands.
    pub(super) group: Option<String>,
    /// Longest build.
    pub(super) within: Duration,
}

/// The whole call. `docker_host` comes from the configuration.
pub(super) fn build(push: &Push<'_>, folder: &BuildFolder, docker_host: &str) -> Invocation {
    environment(Invocation::new(Program::Docker), push.builder, folder, docker_host)
        .args(args(push, &folder.metadata()))
        .folder(folder.home())
        .within(push.within)
}

/// Whether buildx is there: `docker buildx version`.
pub(super) fn version(folder: &Path, docker_host: &str) -> Invocation {
    Invocation::new(Program::Docker)
        .args(["buildx", "version"])
        .env("HOME", folder)
        .env("DOCKER_CONFIG", folder)
        .env("DOCKER_HOST", docker_host)
}

/// Where the engine keeps images: `docker info`. Only containerd's store can keep one for several platforms.
pub(super) fn store(folder: &Path, docker_host: &str) -> Invocation {
    Invocation::new(Program::Docker)
        .args(["info", "--format={{json .DriverStatus}}"])
        .env("HOME", folder)
        .env("DOCKER_CONFIG", folder)
        .env("DOCKER_HOST", docker_host)
}

/// Whether what [`store`] wrote is containerd's store.
pub(super) fn is_containerd(written: &str) -> bool {
    let pairs: Vec<Vec<String>> = serde_json::from_str(written.trim()).unwrap_or_default();
    pairs.iter().any(|pair| {
        matches!(pair.as_slice(), [key, value] if key == "driver-type" && value.starts_with("io.containerd.snapshotter"))
    })
}

/// Values are joined to their flags with `=`, so that none can pass for a flag; the context stands behind `--`.
fn args(push: &Push<'_>, metadata: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> =
        ["buildx", "build", "--push", "--progress=rawjson"].into_iter().map(OsString::from).collect();
    args.push(if push.provenance { "--provenance=mode=max" } else { "--provenance=false" }.into());
    if push.sbom {
        args.push("--sbom=true".into());
    }
    if push.no_cache {
        args.push("--no-cache".into());
    }
    if let Some(name) = &push.builder.buildx {
        args.push(format!("--builder={name}").into());
    }
    if let Some(group) = &push.group {
        args.push(format!("--cgroup-parent={group}").into());
    }
    for (name, value) in &push.inputs.args {
        args.push(format!("--build-arg={name}={value}").into());
    }
    for (id, file) in &push.inputs.secrets {
        args.push(quoted(&format!("--secret=id={id},"), "src=", file));
    }
    args.extend(push.caching.from.iter().map(|value| format!("--cache-from={value}").into()));
    args.extend(push.caching.to.iter().map(|value| format!("--cache-to={value}").into()));
    args.push(joined("--metadata-file=", metadata));
    for (key, value) in push.labels {
        args.push(format!("--label={key}={value}").into());
    }
    if !push.platforms.is_empty() {
        let platforms: Vec<_> = push.platforms.iter().map(Platform::as_str).collect();
        args.push(format!("--platform={}", platforms.join(",")).into());
    }
    args.push(format!("--tag={}", push.reference).into());
    args.push(joined("--file=", &push.located.dockerfile));
    args.push("--".into());
    args.push(push.located.context.clone().into());
    args
}

fn environment(invocation: Invocation, builder: &Chosen, folder: &BuildFolder, docker_host: &str) -> Invocation {
    let invocation = invocation
        .env("HOME", folder.home())
        .env("DOCKER_CONFIG", folder.login())
        .env("BUILDX_CONFIG", builder.config.clone().unwrap_or_else(|| folder.buildx()))
        .env("DOCKER_HOST", docker_host)
        .env("DOCKER_CLI_HINTS", "false")
        // The checkout has no .git, and a repository around the data folder is none of buildx's business.
        .env("BUILDX_GIT_INFO", "false");
    // Machines of a builder may be reached by SSH, with the keys of Slipway's own agent.
    let agent = builder.config.as_ref().and_then(|_| std::env::var_os("SSH_AUTH_SOCK"));
    let invocation = match agent {
        Some(agent) => invocation.env("SSH_AUTH_SOCK", agent),
        None => invocation,
    };
    // buildx itself asks the registry's token service, and has to trust what Slipway trusts.
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().fold(invocation, |invocation, name| match std::env::var_os(name) {
        Some(value) => invocation.env(name, value),
        None => invocation,
    })
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut arg = OsString::from(flag);
    arg.push(path);
    arg
}

/// A field of a line of CSV, which the flag's value is: in quotes where the path needs them.
fn quoted(flag: &str, field: &str, path: &Path) -> OsString {
    let text = path.to_string_lossy();
    if text.contains([',', '"']) {
        OsString::from(format!("{flag}\"{field}{}\"", text.replace('"', "\"\"")))
    } else {
        joined(&format!("{flag}{field}"), path)
    }
}

/// The digest in the metadata file.
pub(super) fn digest(metadata: &str) -> Option<Digest> {
    let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
    metadata.get("containerimage.digest")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a plain build has of everything else.
    #[derive(Default)]
    struct Rest(Chosen, Inputs, Caching);

    impl Rest {
        fn push<'a>(&'a self, reference: &'a ImageRef, located: &'a Located) -> Push<'a> {
            let Self(builder, inputs, caching) = self;
            Push {
                reference,
                located,
                labels: &[],
                platforms: &[],
                builder,
                inputs,
                caching,
                no_cache: false,
                sbom: false,
                provenance: false,
                group: None,
                within: Duration::from_secs(60),
            }
        }
    }

    #[test]
    fn hostile_values_stay_one_element() {
        let located = Located { dockerfile: "/b/source/--load $(id)".into(), context: "/b/source/-x;y".into() };
        let reference: ImageRef = "127.0.0.1:5000/shop/web:c0ffee".parse().expect("a reference");
        let labels = [("org.opencontainers.image.revision", "c0ffee".to_owned())];
        let rest = Rest::default();
        let push = Push { labels: &labels, ..rest.push(&reference, &located) };
        assert_eq!(
            args(&push, Path::new("/b/metadata.json")),
            [
                "buildx",
                "build",
                "--push",
                "--progress=rawjson",
                "--provenance=false",
                "--metadata-file=/b/metadata.json",
                "--label=org.opencontainers.image.revision=c0ffee",
                "--tag=127.0.0.1:5000/shop/web:c0ffee",
                "--file=/b/source/--load $(id)",
                "--",
                "/b/source/-x;y",
            ]
            .map(OsString::from)
        );
    }

    #[test]
    fn arguments_and_secrets_stay_one_element_each() {
        let located = Located { dockerfile: "/b/source/Dockerfile".into(), context: "/b/source".into() };
        let reference: ImageRef = "127.0.0.1:5000/shop/web:c0ffee".parse().expect("a reference");
        let mut rest = Rest::default();
        rest.1.args = vec![("A".into(), "x --load, $(id)=y".into())];
        rest.1.secrets = vec![("npm".into(), "/run/s/0".into()), ("b".into(), "/da\"ta,x/1".into())];
        let args = args(&rest.push(&reference, &located), Path::new("/b/metadata.json"));
        for expected in
            ["--build-arg=A=x --load, $(id)=y", "--secret=id=npm,src=/run/s/0", "--secret=id=b,\"src=/da\"\"ta,x/1\""]
        {
            assert!(args.contains(&OsString::from(expected)), "{expected}: {args:?}");
        }
    }

    #[test]
    fn platforms_are_one_element_and_none_is_no_element() {
        let located = Located { dockerfile: "/b/source/Dockerfile".into(), context: "/b/source".into() };
        let reference: ImageRef = "127.0.0.1:5000/shop/web:c0ffee".parse().expect("a reference");
        let platforms = ["linux/amd64", "linux/arm/v7"].map(|text| text.parse().expect("a platform"));
        let with = |platforms| {
            let rest = Rest::default();
            let push = Push { platforms, ..rest.push(&reference, &located) };
            args(&push, Path::new("/b/metadata.json"))
                .into_iter()
                .filter(|arg| arg.to_str().is_some_and(|arg| arg.contains("platform")))
                .collect::<Vec<_>>()
        };
        assert_eq!(with(&platforms), [OsString::from("--platform=linux/amd64,linux/arm/v7")]);
        assert_eq!(with(&platforms[1..]), [OsString::from("--platform=linux/arm/v7")]);
        assert!(with(&[]).is_empty());
    }

    #[test]
    fn the_group_with_the_caps_is_one_element() {
        let located = Located { dockerfile: "/b/source/Dockerfile".into(), context: "/b/source".into() };
        let reference: ImageRef = "127.0.0.1:5000/shop/web:c0ffee".parse().expect("a reference");
        let rest = Rest::default();
        let push = Push { group: Some("/slipway/a/b".into()), ..rest.push(&reference, &located) };
        assert!(args(&push, Path::new("/m")).contains(&OsString::from("--cgroup-parent=/slipway/a/b")));
    }

    #[test]
    fn the_store_is_read_from_what_docker_writes() {
        assert!(is_containerd("[[\"driver-type\",\"io.containerd.snapshotter.v1\"]]\n"));
        for other in ["[[\"Backing Filesystem\",\"extfs\"],[\"Supports d_type\",\"true\"]]", "null", "", "garbage"] {
            assert!(!is_containerd(other), "{other}");
        }
    }

    #[test]
    fn the_digest_is_read_from_what_buildx_writes() {
        let digest_text = format!("sha256:{}", "a".repeat(64));
        let text = format!(r#"{{"containerimage.config.digest":"x","containerimage.digest":"{digest_text}"}}"#);
        assert_eq!(digest(&text).map(|digest| digest.to_string()), Some(digest_text));
        assert_eq!(digest("{}"), None);
        assert_eq!(digest(r#"{"containerimage.digest":"latest"}"#), None);
        assert_eq!(digest("garbage"), None);
    }
}
