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
    error.contains("failed to push") || error.contains("pushing ") || error.contains("failed to do request: put")
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
mod tests {
    use super::*;
    use crate::builds::causes::tests::all_have_real_texts;

    // The first ones as BuildKit 0.12 wrote them, against the lab's registry and servers with these answers; those with
    // the registry's own words as newer ones and Docker's do.
    const TEXTS: &[(&str, &str)] = &[
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:5600/harv/push401:1: unexpected status from HEAD request to http://127.0.0.1:5600/v2/harv/push401/blobs/sha256:bdc6: 401 Unauthorized",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f403/web:1: unexpected status from POST request to https://127.0.0.1:41749/v2/f403/web/blobs/uploads/: 403 Forbidden",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push registry.example/a/b:1: denied: requested access to the resource is denied",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1: unexpected status from POST request to https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/shop/web/blobs/uploads/: 404 Not Found",
            "push.repository_missing",
        ),
        (
            "ERROR: failed to solve: failed to push 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1: no basic auth credentials",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/shop/web:1: name unknown: The repository with name 'shop/web' does not exist in the registry with id '123456789012'",
            "push.repository_missing",
        ),
        (
            "ERROR: failed to solve: failed to push europe-west1-docker.pkg.dev/p/r/web:1: denied: Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"projects/p/locations/europe-west1/repositories/r\" (or it may not exist)",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push europe-west1-docker.pkg.dev/p/r/web:1: unexpected status from POST request to https://europe-west1-docker.pkg.dev/v2/p/r/web/blobs/uploads/: 404 Not Found",
            "push.repository_missing",
        ),
        (
            "ERROR: failed to solve: failed to push europe-west1-docker.pkg.dev/p/web:1: unexpected status from POST request to https://europe-west1-docker.pkg.dev/v2/p/web/blobs/uploads/: 400 Bad Request",
            "push.path",
        ),
        (
            "ERROR: failed to build: failed to solve: failed to push ghcr.io/eth-act/ere/ere-base:0.0.12-caa8937: denied: installation not allowed to Write organization package\nReference\nCheck build summary support\n",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push ghcr.io/acme/web:1: denied: permission_denied: The token provided does not match expected scopes.",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push ghcr.io/MY_ORG/MY_REPO:latest: unexpected status from HEAD request to https://ghcr.io/v2/MY_ORG/MY_REPO/blobs/sha256:f698428706820e407a258fef7b91e82cecfa28636a487094468a8ee12ce15b7b: 403 Forbidden",
            "push.denied",
        ),
        (
            "ERROR: failed to solve: failed to push docker.io/other/web:1: push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            "push.path",
        ),
        (
            "ERROR: failed to solve: failed to push docker.io/other/web:1: push access denied, repository does not exist",
            "push.path",
        ),
        (
            "ERROR: failed to solve: failed to push registry.gitlab.com/acme/none:1: denied: requested access to the resource is denied",
            "push.path",
        ),
        (
            "ERROR: failed to solve: failed to push registry.gitlab.com/acme/none:1: unexpected status from POST request to https://registry.gitlab.com/v2/acme/none/blobs/uploads/: 403 Forbidden",
            "push.path",
        ),
        (
            "ERROR: failed to solve: failed to push registry.digitalocean.com/acme/web:1: denied: registry contains 1 repositories, limit is 1",
            "push.quota",
        ),
        (
            "ERROR: failed to solve: failed to push test.harbor.example/library/ubuntu:1: denied: adding 29.0 MiB of storage resource, which when updated to current usage of 152.4 MiB will exceed the configured upper limit of 10.0 MiB.",
            "push.quota",
        ),
        (
            "ERROR: failed to solve: failed to push h.example/a:1: denied: Quota exceeded when processing the request of adding 1.3 MiB, which when added to current usage of 235.9 MiB",
            "push.quota",
        ),
        (
            "ERROR: failed to solve: failed to push h.example/a:1: denied: You have exceeded your storage quota",
            "push.quota",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f507/web:1: failed commit on ref \"config-sha256:28dd\": unexpected status from PUT request to https://127.0.0.1:41749/v2/f507/web/blobs/uploads/1?digest=sha256%3A28dd: 507 Insufficient Storage",
            "push.no_space",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/a:1: unknown: filesystem: write /var/lib/registry/docker/registry/v2/repositories/a/_uploads/1/data: no space left on device",
            "push.no_space",
        ),
        (
            "ERROR: failed to solve: failed to push h.example/a:1: unexpected status: 412 Precondition Failed: Failed to process request due to 'a:1' configured as immutable.",
            "push.immutable",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/shop/web:1: tag invalid: The image tag '1' already exists in the 'shop/web' repository and cannot be overwritten because the repository is immutable.",
            "push.immutable",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/shop/web:1: name unknown: Repository \"shop\" not found",
            "push.repository_missing",
        ),
        (
            "ERROR: failed to solve: failed to push h.example/shop/web:1: unknown: {\"errors\":[{\"code\":\"NOT_FOUND\",\"message\":\"project shop not found\"}]}",
            "push.repository_missing",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/web:1: unexpected status: 400 Bad Request: {\"errors\":[{\"code\":\"NAME_INVALID\",\"message\":\"Missing image name. Pushes should be of the form docker push HOST-NAME/PROJECT-ID/REPOSITORY/IMAGE\"}]}",
            "push.path",
        ),
        ("ERROR: failed to solve: failed to push r.example/a:1: manifest invalid: manifest invalid", "push.manifest"),
        (
            "ERROR: failed to solve: failed to push r.example/web:v1.1.1-SNAPSHOT: failed commit on ref \"manifest-sha256:ad7c\": unexpected status from PUT request to https://r.example/v2/web/manifests/sha256:ad7c: 400 Bad Request",
            "push.manifest",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/web:1: failed commit on ref \"manifest-sha256:ad7c\": unexpected status from PUT request to https://r.example/v2/web/manifests/1: 415 Unsupported Media Type",
            "push.manifest",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/a:1: manifest blob unknown: blob unknown to registry",
            "push.blob",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/a:1: blob upload unknown: blob upload unknown to registry",
            "push.upload",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/a:1: blob upload invalid: blob upload invalid",
            "push.upload",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/uploadinvalid/web:1: failed commit on ref \"config-sha256:28dd\": unexpected status from PUT request to https://127.0.0.1:41749/v2/uploadinvalid/web/blobs/uploads/1?digest=sha256%3A28dd: 404 Not Found",
            "push.upload",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/a:1: failed commit on ref \"layer-sha256:28dd\": unexpected status from PUT request to https://r.example/v2/a/blobs/uploads/1: 416 Requested Range Not Satisfiable",
            "push.upload",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/digestinvalid/web:1: failed commit on ref \"config-sha256:28dd\": unexpected status from PUT request to https://127.0.0.1:41749/v2/digestinvalid/web/blobs/uploads/1?digest=sha256%3A28dd: 400 Bad Request",
            "push.digest",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/maninv/web:1: failed commit on ref \"layer-sha256:bdc6\": invalid content digest in response: invalid checksum digest format",
            "push.digest",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/a:1: failed to authorize: failed to fetch oauth token: unexpected status: 403 Forbidden",
            "push.token",
        ),
        (
            "ERROR: failed to solve: failed to push asia-south2-docker.example/a/b:1: failed to authorize: failed to fetch anonymous token: unexpected status: 403 Forbidden",
            "push.token",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/none/web:1: unexpected status from POST request to https://r.example/v2/none/web/blobs/uploads/: 404 Not Found",
            "push.repository_missing",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f405/web:1: unexpected status from POST request to https://127.0.0.1:41749/v2/f405/web/blobs/uploads/: 405 Method Not Allowed",
            "push.read_only",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f413/web:1: failed commit on ref \"config-sha256:28dd\": unexpected status from PUT request to https://127.0.0.1:41749/v2/f413/web/blobs/uploads/1?digest=sha256%3A28dd: 413 Request Entity Too Large",
            "push.too_large",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f429/web:1: unexpected status from POST request to https://127.0.0.1:41749/v2/f429/web/blobs/uploads/: 429 Too Many Requests",
            "push.rate_limit",
        ),
        (
            "ERROR: failed to solve: failed to push docker.io/acme/web:1: toomanyrequests: Rate exceeded",
            "push.rate_limit",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f500/web:1: failed commit on ref \"config-sha256:28dd\": unexpected status from PUT request to https://127.0.0.1:41749/v2/f500/web/blobs/uploads/1?digest=sha256%3A28dd: 500 Internal Server Error",
            "push.server",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f502/web:1: unexpected status from POST request to https://127.0.0.1:41749/v2/f502/web/blobs/uploads/: 502 Bad Gateway",
            "push.unavailable",
        ),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:41749/f503/web:1: unexpected status from POST request to https://127.0.0.1:41749/v2/f503/web/blobs/uploads/: 503 Service Unavailable",
            "push.unavailable",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/web:1: unexpected status from PUT request to https://r.example/v2/web/blobs/uploads/1: 504 Gateway Timeout",
            "push.unavailable",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/web:1: failed to authorize: no active session for os44n22472jqaz3bk2t3jktq2: context deadline exceeded",
            "push.session",
        ),
        ("ERROR: failed to solve: failed to push x/a:1: something new", "push.failed"),
    ];

    #[test]
    fn answers_of_registries_are_known() {
        let mut tables: Vec<&[Known]> = OF_PROVIDERS.iter().map(|(_, table)| *table).collect();
        tables.push(ANSWERS);
        all_have_real_texts(&tables, TEXTS, of_push);
        assert!(TEXTS.iter().all(|(text, _)| is_push(text)));
    }

    #[test]
    fn the_network_is_known() {
        for (text, code) in network::TEXTS {
            let text = format!("ERROR: failed to solve: failed to push h.test:5000/denied/web:1: {text}");
            let problem = of_push(&text);
            assert_eq!(problem.code, format!("push.{code}"), "{text}");
            assert!(problem.cause.contains("h.test:5000"), "{}", problem.cause);
        }
        for known in network::NETWORK {
            let seen = network::TEXTS
                .iter()
                .any(|(text, _)| find(network::NETWORK, text).is_some_and(|found| std::ptr::eq(found, known)));
            assert!(seen, "no text for {known:?}");
        }
    }
}
