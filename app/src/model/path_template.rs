//! The name a push will have: `<host>[/<base path>]/<project>/<service>:<commit>`.
//!
//! The form's live preview and the build call the same function.

use super::id::ServiceId;
use super::image_ref::{ImageRef, Malformed, RegistryHost, Repository, Tag};

/// The part of the path that names a service: its slug and its id without prefix, so that a rename never collides.
pub fn service_part(slug: &str, id: &ServiceId) -> String {
    format!("{slug}-{}", id.short())
}

/// The reference of a push, without digest.
///
/// Docker Hub has exactly two components, so everything behind the namespace is joined by `-`.
pub fn push_reference(
    host: &RegistryHost,
    base: Option<&Repository>,
    project: &str,
    service: &str,
    tag: &str,
) -> Result<ImageRef, Malformed> {
    let tag: Tag = tag.parse()?;
    let repository: Repository = match (host.is_docker_hub(), base) {
        (true, None) => {
            return Err(Malformed(
                "Docker Hub needs a base path: your Docker ID or organisation. Set it on the registry or on the service.".into(),
            ));
        }
        (true, Some(base)) => {
            let (namespace, rest) = base.as_str().split_once('/').map_or((base.as_str(), None), |(a, b)| (a, Some(b)));
            let name: Vec<_> = rest.into_iter().flat_map(|rest| rest.split('/')).chain([project, service]).collect();
            format!("{namespace}/{}", name.join("-")).parse()?
        }
        (false, Some(base)) => format!("{base}/{project}/{service}").parse()?,
        (false, None) => format!("{project}/{service}").parse()?,
    };
    Ok(ImageRef { host: host.clone(), repository, tag: Some(tag), digest: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_are_named_by_host_base_project_service_and_commit() {
        let name = |host: &str, base: Option<&str>| {
            let host = host.parse().expect("a host");
            let base = base.map(|base| base.parse().expect("a path"));
            push_reference(&host, base.as_ref(), "shop", "web-3f9k2", "c0ffee").map(|name| name.to_string())
        };
        assert_eq!(name("127.0.0.1:5000", None), Ok("127.0.0.1:5000/shop/web-3f9k2:c0ffee".into()));
        assert_eq!(name("ghcr.io", Some("acme")), Ok("ghcr.io/acme/shop/web-3f9k2:c0ffee".into()));
        assert_eq!(name("docker.io", Some("acme/x")), Ok("docker.io/acme/x-shop-web-3f9k2:c0ffee".into()));
        assert!(name("docker.io", None).is_err());
    }
}
