//! What registries really answered.

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
    ("ERROR: failed to solve: failed to push r.example/a:1: blob upload invalid: blob upload invalid", "push.upload"),
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
    ("ERROR: failed to solve: failed to push docker.io/acme/web:1: toomanyrequests: Rate exceeded", "push.rate_limit"),
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
    (
        "ERROR: unexpected status from HEAD request to http://127.0.0.1:5600/v2/f500/web/manifests/45b4215a: 500 Internal Server Error",
        "push.server",
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
            .any(|(text, _)| find(network::NETWORK, text).is_some_and(|found| found.says == known.says));
        assert!(seen, "no text for {known:?}");
    }
}
