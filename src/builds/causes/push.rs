//! Why a push failed: what the registry answered, or what happened on the way to it.

use super::{Known, between, error_of, find, known, network};
use app::error::Problem;

/// What is known of some registries, by a part of their host.
const OF_PROVIDERS: &[(&str, &[Known])] = &[
    (".amazonaws.com", ECR),
    (".pkg.dev", GAR),
    ("ghcr.io", GHCR),
    ("docker.io", HUB),
    ("gitlab", GITLAB),
    ("digitalocean.com", DIGITALOCEAN),
];

const ECR: &[Known] = &[
    known(
        &["404 not found"],
        "push.repository_missing",
        "Amazon ECR doesn't have this repository: it has to be created before the first push.",
        CREATE_ECR,
    ),
    known(
        &["no basic auth credentials"],
        "push.denied",
        "Amazon ECR wasn't given a login, or one that is older than 12 hours.",
        "Check the registry's credential.",
    ),
];
const CREATE_ECR: &str =
    "Create it (aws ecr create-repository --repository-name …), or a creation template, and build again.";

const GAR: &[Known] = &[
    known(
        &["artifactregistry.repositories.uploadartifacts"],
        "push.denied",
        "Google doesn't let this account push there, or the repository doesn't exist.",
        "Give the account the role Artifact Registry Writer; create the repository if there is none.",
    ),
    known(
        &["404 not found"],
        "push.repository_missing",
        "Google Artifact Registry doesn't have this repository: it has to be created before the first push.",
        "Create it (gcloud artifacts repositories create … --repository-format=docker), and build again.",
    ),
    known(
        &["400 bad request"],
        "push.path",
        "Google Artifact Registry wants names of at least three parts: project, repository and image.",
        "Set the registry's base path to project/repository.",
    ),
];

const GHCR: &[Known] = &[
    known(
        &["installation not allowed to"],
        "push.denied",
        "GitHub doesn't let this app's token write packages of that organisation.",
        "Use a personal access token (classic) with write:packages, or give the app the right to write packages.",
    ),
    known(
        &["permission_denied"],
        "push.denied",
        "GitHub denies the push: the token lacks a right.",
        "Use a personal access token (classic) with write:packages; the package has to be open to it, and single sign-on authorised.",
    ),
    known(
        &["403 forbidden"],
        "push.denied",
        "GitHub denies the push: the token may not write packages of that owner.",
        "Check that the path begins with your user or organisation, and that the token is a classic one with write:packages.",
    ),
];

const HUB: &[Known] = &[
    known(
        &["insufficient_scope"],
        "push.path",
        "Docker Hub doesn't let this account push there: the path belongs to somebody else, or the token is read-only.",
        "The path has to be your user or organisation, then one name; the access token needs Read & Write.",
    ),
    known(
        &["push access denied"],
        "push.path",
        "Docker Hub doesn't let this account push there: the path belongs to somebody else, or the token is read-only.",
        "The path has to be your user or organisation, then one name; the access token needs Read & Write.",
    ),
];

const GITLAB: &[Known] = &[
    known(
        &["requested access to the resource is denied"],
        "push.path",
        "GitLab denies the push: the path isn't that of a project, or the token lacks write_registry.",
        "Set the base path to the project's own path; use a token with read_registry and write_registry.",
    ),
    known(
        &["403 forbidden"],
        "push.path",
        "GitLab denies the push: the path isn't that of a project, its registry is off, or the token lacks write_registry.",
        "Set the base path to the project's own path; use a token with read_registry and write_registry.",
    ),
];

const DIGITALOCEAN: &[Known] = &[known(
    &["limit is"],
    "push.quota",
    "DigitalOcean's registry has as many repositories as its plan allows.",
    "Delete some, or take a larger plan.",
)];

/// What any registry may answer.
const ANSWERS: &[Known] = &[
    known(
        &["will exceed the configured upper limit of"],
        "push.quota",
        "The project's quota in the registry is used up.",
        FREE_QUOTA,
    ),
    known(&["quota exceeded"], "push.quota", "The registry's quota is used up.", FREE_QUOTA),
    known(&["exceeded", "quota"], "push.quota", "The registry's quota is used up.", FREE_QUOTA),
    known(
        &["507 insufficient storage"],
        "push.no_space",
        "The registry has no room left.",
        "Delete old images there and collect its garbage, or give it a larger disk.",
    ),
    known(
        &["no space left on device"],
        "push.no_space",
        "The registry's disk is full.",
        "Delete old images there and collect its garbage, or give it a larger disk.",
    ),
    known(
        &["configured as immutable"],
        "push.immutable",
        "The tag is there already, and the registry doesn't let tags be changed.",
        "Push another commit, or change the rule for immutable tags in the registry.",
    ),
    known(
        &["cannot be overwritten because the"],
        "push.immutable",
        "The tag is there already, and the registry doesn't let tags be changed.",
        "Push another commit, or make the repository's tags mutable.",
    ),
    known(
        &["does not exist in the registry"],
        "push.repository_missing",
        "The registry doesn't have this repository: it has to be created before the first push.",
        CREATE_ECR,
    ),
    known(
        &["name unknown"],
        "push.repository_missing",
        "The registry doesn't have this repository or project.",
        "Create it there, or change the base path, and build again.",
    ),
    known(
        &["not_found", "project"],
        "push.repository_missing",
        "The registry doesn't have this project.",
        "Create the project there, or change the base path.",
    ),
    known(
        &["name_invalid"],
        "push.path",
        "The registry doesn't accept this name.",
        "Change the base path; the registry's own rules say which names it takes.",
    ),
    known(&["manifest invalid"], "push.manifest", "The registry doesn't accept the image's manifest.", OLD_REGISTRY),
    known(
        &["/manifests/", "400 bad request"],
        "push.manifest",
        "The registry doesn't accept the image's manifest.",
        OLD_REGISTRY,
    ),
    known(
        &["/manifests/", "415 unsupported media type"],
        "push.manifest",
        "The registry doesn't know this kind of manifest.",
        OLD_REGISTRY,
    ),
    known(
        &["blob unknown"],
        "push.blob",
        "The registry lost a layer between its upload and the manifest.",
        LOST_UPLOAD,
    ),
    known(&["blob upload unknown"], "push.upload", "The registry lost an upload before it was complete.", LOST_UPLOAD),
    known(&["blob upload invalid"], "push.upload", "The registry lost an upload before it was complete.", LOST_UPLOAD),
    known(
        &["failed commit on ref", "404 not found"],
        "push.upload",
        "The registry lost an upload before it was complete.",
        LOST_UPLOAD,
    ),
    known(
        &["416 requested range not satisfiable"],
        "push.upload",
        "The registry lost a part of an upload.",
        LOST_UPLOAD,
    ),
    known(
        &["failed commit on ref", "400 bad request"],
        "push.digest",
        "What the registry got isn't what was sent: something on the way changed or cut it.",
        "Look at proxies in front of the registry; then build again.",
    ),
    known(
        &["invalid content digest in response"],
        "push.digest",
        "The registry's answer doesn't say which content it took; it, or a proxy in front of it, isn't a registry as it should be.",
        "Check the registry's address and the proxies in front of it.",
    ),
    known(
        &["failed to fetch oauth token"],
        "push.token",
        "The registry's token service doesn't accept the login.",
        CREDENTIAL,
    ),
    known(
        &["failed to fetch anonymous token"],
        "push.token",
        "The registry's token service was asked without a login.",
        CREDENTIAL,
    ),
    known(&["401 unauthorized"], "push.denied", "The registry rejects the login.", CREDENTIAL),
    known(
        &["403 forbidden"],
        "push.denied",
        "The registry denies the push.",
        "Give the account the right to push there.",
    ),
    known(
        &["denied"],
        "push.denied",
        "The registry denies the push.",
        "Give the account the right to push there, and check the path.",
    ),
    known(
        &["404 not found"],
        "push.repository_missing",
        "The registry doesn't have this repository or project, and doesn't create it by itself.",
        "Create it there, or change the base path, and build again.",
    ),
    known(
        &["405 method not allowed"],
        "push.read_only",
        "The registry is read-only now.",
        "Wait until its maintenance is over, or turn its read-only mode off.",
    ),
    known(
        &["413 request entity too large"],
        "push.too_large",
        "The registry, or a proxy in front of it, refuses layers of this size.",
        "Raise the limit (nginx: client_max_body_size 0;), or make the layers smaller.",
    ),
    known(
        &["429 too many requests"],
        "push.rate_limit",
        "The registry gets too many requests from this account or address.",
        "Wait some minutes, and build again.",
    ),
    known(
        &["toomanyrequests"],
        "push.rate_limit",
        "The registry gets too many requests from this account or address.",
        "Wait some minutes, and build again.",
    ),
    known(
        &["500 internal server error"],
        "push.server",
        "The registry had an error of its own.",
        "Look into the registry's log (a full disk or its storage are usual causes), and build again.",
    ),
    known(
        &["502 bad gateway"],
        "push.unavailable",
        "The proxy in front of the registry doesn't reach it.",
        "Check whether the registry runs, and build again.",
    ),
    known(
        &["503 service unavailable"],
        "push.unavailable",
        "The registry isn't available now.",
        "Check whether it runs, and build again.",
    ),
    known(
        &["504 gateway time"],
        "push.unavailable",
        "The registry didn't answer the proxy in front of it in time.",
        "Raise the proxy's time limits, and build again.",
    ),
    known(
        &["no active session"],
        "push.session",
        "buildx and the builder lost each other while pushing.",
        "Build again.",
    ),
];
const FREE_QUOTA: &str = "Delete old images there, or raise the quota.";
const OLD_REGISTRY: &str =
    "Update the registry: older ones know no OCI manifests; turning off attestations may help too.";
const LOST_UPLOAD: &str = "Build again. If it stays so: several registries behind one address need a shared storage and secret, and their garbage collection must not run during a push.";
const CREDENTIAL: &str = "Check the registry's credential.";

/// Whether it was the push that failed, which only the registry can explain.
pub(in crate::builds) fn is_push(written: &str) -> bool {
    let error = error_of(written).to_lowercase();
    // After the push buildx asks the registry for the image itself, and says no more than what was answered.
    let asks_afterwards = !error.contains("failed to solve") && error.contains("unexpected status from");
    asks_afterwards
        || error.contains("failed to push")
        || error.contains("pushing ")
        || error.contains("failed to do request: put")
}

/// Why the push failed.
pub(super) fn of_push(written: &str) -> Problem {
    let error = error_of(written);
    let host = between(error, "failed to push ", "/").unwrap_or("The registry");
    let of_provider =
        OF_PROVIDERS.iter().filter(|(part, _)| host.contains(part)).find_map(|(_, table)| find(table, error));
    if let Some(known) = of_provider {
        return known.problem(host);
    }
    // First the network: a refused connection to a host with "denied" in its name is no denial.
    network::explain("push", host, error)
        .or_else(|| find(ANSWERS, error).map(|known| known.problem(host)))
        .unwrap_or_else(|| {
            Problem::new(
                "push.failed",
                "The image was built, but the push failed.",
                "The log shows the registry's answer.",
            )
        })
}

#[cfg(test)]
mod tests;
