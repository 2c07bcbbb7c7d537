//! Every address as a function or constant; nobody writes `/credentials/…` by hand.

use crate::api::images::Place;
use crate::model::builder::{BuilderKind, WhichBuilder};
use crate::model::id::{
    BuildId, BuilderId, CredentialId, DeploymentId, GitAccessId, ImportId, JobId, RegistryId, ServiceId, TokenId,
    TriggerId,
};
use crate::model::image_ref::ImageRef;
use crate::model::provider::Provider;

/// The first page.
pub const OVERVIEW: &str = "/";
/// Sign in.
pub const SIGN_IN: &str = "/sign-in";
/// Sign in, then go on to a local address.
pub fn sign_in_then(next: &str) -> String {
    format!("{SIGN_IN}?next={}", encoded(next))
}

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Names and values as a query, without those whose value is empty.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Create the owner, once.
pub const SETUP: &str = "/setup";
/// All services.
pub const SERVICES: &str = "/services";
/// A new service.
pub const NEW_SERVICE: &str = "/services/new";
/// A new service of an image that is there already; `&image=` and `&credential=` fill its form in.
pub const NEW_IMAGE_SERVICE: &str = "/services/new?kind=image";
/// All builds.
pub const BUILDS: &str = "/builds";
/// All registries.
pub const REGISTRIES: &str = "/registries";
/// A new registry.
pub const NEW_REGISTRY: &str = "/registries/new";
/// All credentials.
pub const CREDENTIALS: &str = "/credentials";
/// A new credential.
pub const NEW_CREDENTIAL: &str = "/credentials/new";
/// Images: what registries hold.
pub const IMAGES: &str = "/images";
/// The tags of a repository that the query names.
pub const REPOSITORY: &str = "/images/repository";
/// What a tag leads to.
const IMAGE: &str = "/images/image";
/// Rows for the image picker: a piece of HTML.
pub const IMAGE_OPTIONS: &str = "/images/options";
/// What a push will be called, for what a query says is typed: a piece of HTML.
pub const PUSH_NAME: &str = "/services/push-name";
/// Importing credentials from what Docker's tools keep.
pub const IMPORT_CREDENTIALS: &str = "/credentials/import";
/// All jobs.
pub const JOBS: &str = "/jobs";
/// What of our own lies on nodes and may go.
pub const CLEANUP: &str = "/cleanup";
/// Settings.
pub const SETTINGS: &str = "/settings";
/// The rules that hold for all builds.
pub const BUILD_RULES: &str = "/settings/builds";
/// API tokens.
pub const TOKENS: &str = "/settings/tokens";
/// What runs builds.
pub const BUILDERS: &str = "/settings/builders";
/// A new builder.
pub const NEW_BUILDER: &str = "/settings/builders/new";

/// A new builder of a kind.
pub fn new_builder(kind: BuilderKind) -> String {
    format!("{NEW_BUILDER}?kind={}", kind.as_str())
}

/// A builder's page; edit is on it.
pub fn builder(which: &WhichBuilder) -> String {
    format!("{BUILDERS}/{which}")
}

/// Deleting a builder.
pub fn delete_builder(id: &BuilderId) -> String {
    format!("{BUILDERS}/{id}/delete")
}

/// How to sign in at git hosts.
pub const GIT_ACCESSES: &str = "/settings/git";
/// A new access to a git host; `?kind=key`: with a deploy key.
pub const NEW_GIT_ACCESS: &str = "/settings/git/new";
/// A new deploy key for a git host.
pub const NEW_DEPLOY_KEY: &str = "/settings/git/new?kind=key";

/// An access to a git host.
pub fn git_access(id: &GitAccessId) -> String {
    format!("{GIT_ACCESSES}/{id}")
}

/// Deleting an access to a git host.
pub fn delete_git_access(id: &GitAccessId) -> String {
    format!("{GIT_ACCESSES}/{id}/delete")
}

/// What starts a service's builds and deployments from outside.
pub fn triggers(id: &ServiceId) -> String {
    format!("/services/{id}/triggers")
}

/// Where git hosts tell of pushes; outside sessions.
pub fn hook(id: &TriggerId) -> String {
    format!("/hooks/{id}")
}

/// Where programs ask for a deployment with a signature; outside sessions.
pub fn deploy_hook(id: &TriggerId) -> String {
    format!("/hooks/{id}/deploy")
}

/// The API tokens, with the text of a new one, which is shown once.
pub fn new_token(id: &TokenId) -> String {
    format!("{TOKENS}?new={id}")
}

/// A new credential for one provider.
pub fn new_credential(provider: Provider) -> String {
    format!("{NEW_CREDENTIAL}?provider={}", provider.as_str())
}

/// The logins that were found in a text, waiting to be imported.
pub fn import(id: &ImportId) -> String {
    format!("{IMPORT_CREDENTIALS}/{id}")
}

/// A credential's page; edit is on it.
pub fn credential(id: &CredentialId) -> String {
    format!("/credentials/{id}")
}

/// Deleting a credential.
pub fn delete_credential(id: &CredentialId) -> String {
    format!("/credentials/{id}/delete")
}

/// A registry's page; edit is on it.
pub fn registry(id: &RegistryId) -> String {
    format!("/registries/{id}")
}

/// A new registry of a kind: `managed` or `external`.
pub fn new_registry(kind: &str) -> String {
    format!("{NEW_REGISTRY}?kind={kind}")
}

/// Changing a managed registry.
pub fn edit_registry(id: &RegistryId) -> String {
    format!("/registries/{id}/edit")
}

/// A managed registry's user and password; asking for it is on record.
pub fn registry_password(id: &RegistryId) -> String {
    format!("/registries/{id}/password")
}

/// What a managed registry prints; the query says which lines.
pub fn registry_logs(id: &RegistryId) -> String {
    format!("/registries/{id}/logs")
}

/// A managed registry's live log: server-sent events, `?from=<cursor>` or `Last-Event-ID`.
pub fn registry_log(id: &RegistryId) -> String {
    format!("/registries/{id}/log")
}

/// A managed registry's log as text.
pub fn registry_log_text(id: &RegistryId) -> String {
    format!("/registries/{id}/log.txt")
}

/// The garbage of a managed registry: when it is collected, and what came of it.
pub fn registry_garbage(id: &RegistryId) -> String {
    format!("/registries/{id}/garbage")
}

/// What was deleted from a registry and may come back.
pub fn trash(id: &RegistryId) -> String {
    format!("/registries/{id}/trash")
}

/// What a run of a registry's rules did.
pub fn retention_run(id: &RegistryId, job: &JobId) -> String {
    format!("/registries/{id}/runs/{job}")
}

/// Deleting a registry.
pub fn delete_registry(id: &RegistryId) -> String {
    format!("/registries/{id}/delete")
}

/// A service's page.
pub fn service(id: &ServiceId) -> String {
    format!("/services/{id}")
}

/// Changing a service.
pub fn edit_service(id: &ServiceId) -> String {
    format!("/services/{id}/edit")
}

/// How a service's images are built.
pub fn build_settings(id: &ServiceId) -> String {
    format!("/services/{id}/build")
}

/// Deleting a service.
pub fn delete_service(id: &ServiceId) -> String {
    format!("/services/{id}/delete")
}

/// A build's page.
pub fn build(id: &BuildId) -> String {
    format!("/builds/{id}")
}

/// An attestation that was pushed with a build's image, by its place in the record.
pub fn attestation(id: &BuildId, position: usize) -> String {
    format!("/builds/{id}/attestations/{position}")
}

/// The same as it was pushed.
pub fn attestation_text(id: &BuildId, position: usize) -> String {
    format!("/builds/{id}/attestations/{position}/statement.json")
}

/// A deployment's page: what it is, its log, and "Roll back to this".
pub fn deployment(id: &DeploymentId) -> String {
    format!("/deployments/{id}")
}

/// Going back to a deployment: what changes, and what to choose.
pub fn roll_back(id: &DeploymentId) -> String {
    format!("/deployments/{id}/roll-back")
}

/// A job's page.
pub fn job(id: &JobId) -> String {
    format!("/jobs/{id}")
}

/// A job's live log: server-sent events, `?from=<byte offset>` or `Last-Event-ID`.
pub fn job_log(id: &JobId) -> String {
    format!("/jobs/{id}/log")
}

/// Some lines of a job's log, as JSON: `?from=<line>&count=<lines>`.
pub fn job_log_lines(id: &JobId) -> String {
    format!("/jobs/{id}/log/lines")
}

/// A job's whole log as text.
pub fn job_log_text(id: &JobId) -> String {
    format!("/jobs/{id}/log.txt")
}

/// The address with a query; names of repositories have slashes, so they are values and not parts of the path.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = query(pairs);
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A search for images; `more` are further values of the query.
pub fn images(text: &str, credential: Option<&CredentialId>, more: &[(&str, &str)]) -> String {
    let credential = credential.map(ToString::to_string).unwrap_or_default();
    with_query(IMAGES, &[&[("q", text), ("credential", &credential)], more].concat())
}

/// The values by which a place is named in a query.
pub fn place_query(place: &Place) -> [(&'static str, String); 3] {
    [
        ("credential", place.credential.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("host", place.host.to_string()),
        ("name", place.repository.to_string()),
    ]
}

fn at_place(path: &str, place: &Place, more: &[(&str, &str)]) -> String {
    let of_place = place_query(place);
    let mut pairs: Vec<(&str, &str)> = of_place.iter().map(|(name, value)| (*name, value.as_str())).collect();
    pairs.extend(more);
    with_query(path, &pairs)
}

/// The tags of a repository; `more` are further values of the query.
pub fn repository(place: &Place, more: &[(&str, &str)]) -> String {
    at_place(REPOSITORY, place, more)
}

/// What a tag or digest of a repository leads to.
pub fn image(place: &Place, reference: &str, more: &[(&str, &str)]) -> String {
    at_place(IMAGE, place, &[&[("reference", reference)], more].concat())
}

/// A new service that runs an image.
pub fn new_image_service(image: &ImageRef, credential: Option<&CredentialId>) -> String {
    let credential = credential.map(ToString::to_string).unwrap_or_default();
    with_query(NEW_SERVICE, &[("kind", "image"), ("image", &image.to_string()), ("credential", &credential)])
}

/// What a registry keeps, and what a run would delete.
pub fn registry_retention(id: &RegistryId) -> String {
    format!("{REGISTRIES}/{id}/retention")
}

/// The same for a part of its tags.
pub fn registry_retention_of(id: &RegistryId, pairs: &[(&str, &str)]) -> String {
    match query(pairs) {
        query if query.is_empty() => registry_retention(id),
        query => format!("{}?{query}", registry_retention(id)),
    }
}

/// What a service keeps in addition.
pub fn service_retention(id: &ServiceId) -> String {
    format!("{SERVICES}/{id}/retention")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_slashes_and_marks_stay_values() {
        let place = Place {
            credential: None,
            host: "127.0.0.1:5600".parse().expect("a host"),
            repository: "shop/web".parse().expect("a repository"),
        };
        assert_eq!(repository(&place, &[]), "/images/repository?host=127.0.0.1%3A5600&name=shop/web");
        assert_eq!(
            image(&place, "1.0", &[("for", "service"), ("q", "")]),
            "/images/image?host=127.0.0.1%3A5600&name=shop/web&reference=1.0&for=service"
        );
        assert_eq!(images("", None, &[]), "/images");
        assert_eq!(images("a&b=c #?", None, &[]), "/images?q=a%26b%3Dc%20%23%3F");
        let pinned = format!("ghcr.io/a/b:1@sha256:{}", "a".repeat(64)).parse().expect("a reference");
        let to = new_image_service(&pinned, None);
        assert!(to.starts_with("/services/new?kind=image&image=ghcr.io/a/b%3A1%40sha256%3Aaaa"), "{to}");
    }
}
