//! What a build may sign in with: where it pushes, and where its base images lie. Nothing else.

use super::Builds;
use super::build_image::refused;
use super::context::Located;
use super::dockerfile;
use crate::jobs::{JobContext, JobError, internal};
use crate::oci::Login;
use crate::registries::Target;
use app::error::Problem;
use app::model::build_options::BuildOptions;
use app::model::id::CredentialId;
use app::model::image_ref::{ImageRef, RegistryHost, Repository};
use app::model::platform::Platform;
use app::model::secret::Secret;
use app::paths;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::io::Read as _;

/// How much of a Dockerfile is looked at.
const LOOKED_AT: u64 = 1_024 * 1_024;
/// BuildKit fetches it to make a bill of materials.
const SCANNER: &str = "docker.io/docker/buildkit-syft-scanner:stable-1";
/// How registries and BuildKit say that somebody has to sign in, or with something else.
const DENIED: [&str; 7] = [
    "pull access denied",
    "failed to authorize",
    "no basic auth credentials",
    "insufficient_scope",
    "authentication required",
    "401 Unauthorized",
    "403 Forbidden",
];

/// A credential that a build signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum With {
    /// The one of the registry that it pushes to, by its name.
    Push(String),
    /// Another one, by its name.
    Credential(CredentialId, String),
}

/// Images from elsewhere, and the logins that are put into the build's configuration.
pub(super) struct Bases {
    images: Vec<ImageRef>,
    with: BTreeMap<RegistryHost, With>,
    /// For Docker's login file.
    pub(super) logins: Vec<(RegistryHost, Login)>,
}

impl Builds {
    /// Reads the Dockerfile and opens what it needs; every password is masked from here on.
    pub(super) async fn bases(
        &self,
        located: &Located,
        options: &BuildOptions,
        platforms: &[Platform],
        target: &Target,
        cx: &JobContext,
    ) -> Result<Bases, JobError> {
        let host = &target.access.url.host;
        let mut bases =
            Bases { images: images(located, options, platforms)?, with: BTreeMap::new(), logins: Vec::new() };
        if let Some(login) = &target.access.login {
            // Docker keeps one login for each host, and without this one nothing can be pushed.
            bases.with.insert(host.clone(), With::Push(target.name.clone()));
            bases.logins.push((host.clone(), login.clone()));
        }
        for (host, repositories) in by_host(&bases.images) {
            if bases.with.contains_key(&host) {
                continue;
            }
            let credentials = &self.inner.credentials;
            let Some(credential) = credentials.fitting(&host, &repositories).await.map_err(refused)? else { continue };
            let access = cx.or_cancel(credentials.access(&credential.id)).await?.map_err(refused)?;
            let Some(login) = access.login else { continue };
            mask(&login, cx);
            let names: Vec<_> = repositories.iter().map(|name| format!("{host}/{name}")).collect();
            cx.log(&format!("Signing in as {} for {}.", credential.name, names.join(" and ")));
            bases.with.insert(host.clone(), With::Credential(credential.id, credential.name));
            bases.logins.push((host, login));
        }
        Ok(bases)
    }
}

/// A password must not be read in the log: alone, or as Docker encodes it.
pub(super) fn mask(login: &Login, cx: &JobContext) {
    cx.mask(&login.password);
    let password = login.password.expose("its encoded form is masked");
    cx.mask(&Secret::new(STANDARD.encode(format!("{}:{password}", login.username))));
}

fn images(located: &Located, options: &BuildOptions, platforms: &[Platform]) -> Result<Vec<ImageRef>, JobError> {
    let mut text = Vec::new();
    let file = std::fs::File::open(&located.dockerfile).map_err(internal)?;
    file.take(LOOKED_AT).read_to_end(&mut text).map_err(internal)?;
    let text = String::from_utf8_lossy(&text);
    let ours = || Platform::of("linux", std::env::consts::ARCH, None).map_err(internal);
    let platform = platforms.first().cloned().map_or_else(ours, Ok)?;
    let mut images = dockerfile::images(&text, &options.args, &platform);
    let frontend = super::frontend::named(&text).and_then(|name| name.parse().ok());
    let scanner = options.sbom.then(|| SCANNER.parse().ok()).flatten();
    images.extend(frontend.into_iter().chain(scanner));
    Ok(images)
}

fn by_host(images: &[ImageRef]) -> BTreeMap<RegistryHost, Vec<Repository>> {
    let mut hosts: BTreeMap<RegistryHost, Vec<Repository>> = BTreeMap::new();
    for image in images {
        let repositories = hosts.entry(image.host.clone()).or_default();
        if !repositories.contains(&image.repository) {
            repositories.push(image.repository.clone());
        }
    }
    hosts
}

impl Bases {
    /// The problem in words that help, if a base image couldn't be pulled for want of the right login.
    pub(super) fn explained(&self, written: &str, problem: Problem) -> Problem {
        if !DENIED.iter().any(|words| written.contains(words)) {
            return problem;
        }
        let is_named = |image: &&ImageRef| {
            let name = format!("{}/{}", image.host, image.repository);
            let after = ["failed to resolve source metadata for ", "failed to solve: ", "pull access denied for "];
            after.iter().any(|words| written.contains(&format!("{words}{name}")))
        };
        let Some(image) = self.images.iter().find(is_named) else { return problem };
        let host = &image.host;
        let (why, remedy, href, words) = match self.with.get(host) {
            None => (
                format!("{host} wants a login, and there is no credential for it that works"),
                format!("Create a credential for {host} that may pull it, and build again."),
                paths::NEW_CREDENTIAL.to_owned(),
                "Create a credential".to_owned(),
            ),
            Some(With::Push(name)) => (
                format!("{host} doesn't give it to the login of the registry {name}"),
                "Docker keeps one login for each host: give that one the right to pull it, or correct the image's name."
                    .to_owned(),
                paths::REGISTRIES.to_owned(),
                "See the registries".to_owned(),
            ),
            Some(With::Credential(id, name)) => (
                format!("{host} doesn't give it to the credential {name}"),
                "Check that it may pull this image and that the image's name is right, and build again.".to_owned(),
                paths::credential(id),
                "Open the credential".to_owned(),
            ),
        };
        let cause = format!("The base image {image} can't be pulled: {why}.");
        let explained = Problem::new("build.base_login", cause, remedy).with_link(href, words);
        match problem.details {
            Some(details) => explained.with_details(details),
            None => explained,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(with: Option<With>) -> Bases {
        let image: ImageRef = "ghcr.io/acme/base:1".parse().expect("an image");
        let with = with.map(|with| (image.host.clone(), with)).into_iter().collect();
        Bases { images: vec![image], with, logins: Vec::new() }
    }

    #[test]
    fn a_base_image_that_is_denied_names_the_login() {
        let written = "ERROR: failed to solve: ghcr.io/acme/base:1: failed to resolve source metadata for \
                       ghcr.io/acme/base:1: failed to authorize: failed to fetch anonymous token: unexpected status \
                       from GET request to https://ghcr.io/token: 403 Forbidden";
        let plain = || Problem::new("build.base", "A base image can't be pulled.", "Check it.").with_details("words");
        let id = CredentialId::from_random([1; 8]);
        for (with, word) in [
            (None, "there is no credential"),
            (Some(With::Push("Main".into())), "the login of the registry Main"),
            (Some(With::Credential(id, "Pull".into())), "the credential Pull"),
        ] {
            let problem = bases(with).explained(written, plain());
            assert_eq!(problem.code, "build.base_login");
            assert!(problem.cause.contains(word) && problem.cause.contains("ghcr.io/acme/base:1"), "{}", problem.cause);
            assert_eq!(problem.details.as_deref(), Some("words"));
            assert!(problem.link.is_some());
        }
        for other in [
            "failed to resolve source metadata for ghcr.io/acme/base:1: not found",
            "failed to resolve source metadata for quay.io/x/y:1: 401 Unauthorized",
            "RUN curl: 401 Unauthorized",
        ] {
            assert_eq!(bases(None).explained(other, plain()).code, "build.base", "{other}");
        }
    }

    #[test]
    fn repositories_are_gathered_by_host() {
        let images: Vec<ImageRef> = ["ghcr.io/a/b:1", "ghcr.io/a/b:2", "ghcr.io/a/c", "alpine"]
            .map(|text| text.parse().expect("an image"))
            .to_vec();
        let hosts: Vec<_> = by_host(&images).into_iter().map(|(host, names)| (host.to_string(), names.len())).collect();
        assert_eq!(hosts, [("docker.io".into(), 1), ("ghcr.io".into(), 2)]);
    }
}
