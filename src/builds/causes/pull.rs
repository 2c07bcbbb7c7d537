//! Why a base image can't be had: `{}` is its name, or its registry's.

use super::{Known, between, find, known, network};
use app::error::Problem;

const ANSWERS: &[Known] = &[
    known(
        &["buildkit-syft-scanner"],
        "build.sbom",
        "The tool that lists an image's software ({}) can't be pulled.",
        "Let the builder reach its registry, or turn the software list (SBOM) off on the service.",
    ),
    known(
        &["docker/dockerfile"],
        "build.frontend_pull",
        "The Dockerfile's first line asks for {}, which can't be pulled.",
        "Take the syntax line out, or let the builder reach its registry.",
    ),
    known(
        &["no match for platform in manifest"],
        "build.platform",
        "The base image {} doesn't exist for a platform that is built for.",
        "Take another tag of it, or build for fewer platforms.",
    ),
    known(&["429 too many requests"], "base.rate_limit", RATE, RATE_REMEDY),
    known(&["toomanyrequests"], "base.rate_limit", RATE, RATE_REMEDY),
    known(&["insufficient_scope"], "base.denied", DENIED, DENIED_REMEDY),
    known(&["pull access denied"], "base.denied", DENIED, DENIED_REMEDY),
    known(&["401 unauthorized"], "base.denied", DENIED, DENIED_REMEDY),
    known(&["403 forbidden"], "base.denied", DENIED, DENIED_REMEDY),
    known(&["denied"], "base.denied", DENIED, DENIED_REMEDY),
    known(
        &["500 internal server error"],
        "base.server",
        "The registry of the base image {} had an error of its own.",
        "Try again later.",
    ),
    known(
        &["502 bad gateway"],
        "base.server",
        "The registry of the base image {} isn't available now.",
        "Try again later.",
    ),
    known(
        &["503 service unavailable"],
        "base.server",
        "The registry of the base image {} isn't available now.",
        "Try again later.",
    ),
    known(
        &["504 gateway time"],
        "base.server",
        "The registry of the base image {} isn't available now.",
        "Try again later.",
    ),
    known(
        &["not found"],
        "base.missing",
        "The base image {} doesn't exist.",
        "Check its name and tag in the Dockerfile's FROM.",
    ),
];
const RATE: &str = "The registry of the base image {} lets nobody without a login, or this account, pull more now.";
const RATE_REMEDY: &str = "Wait, or give Slipway a credential for that registry: with a login more is allowed.";
const DENIED: &str =
    "The base image {} can't be pulled: it doesn't exist, or needs a login that the build doesn't have.";
const DENIED_REMEDY: &str =
    "Check its name in the Dockerfile's FROM, and that Slipway has a credential for its registry.";

/// Why the image of a FROM, or of `COPY --from`, can't be had; None: it isn't about that.
pub(super) fn of_pull(error: &str) -> Option<Problem> {
    let lower = error.to_lowercase();
    let is_pull = ["failed to resolve source metadata", "no match for platform in manifest", "pull access denied"]
        .iter()
        .any(|text| lower.contains(text))
        || (lower.contains("httpreadseeker") && !lower.contains("failed to push"));
    if !is_pull {
        return None;
    }
    let image = image(error);
    let known = find(ANSWERS, error);
    // These say more than the network does.
    if let Some(known) = known.filter(|known| known.code.starts_with("build.")) {
        return Some(known.problem(image));
    }
    let host = between(error, "request: Head \"https://", "/").unwrap_or(image);
    let mut problem = network::explain("base", host, error)
        .or_else(|| known.map(|known| known.problem(image)))
        .unwrap_or_else(|| {
            Problem::new(
                "base.failed",
                format!("The base image {image} can't be pulled."),
                "The log shows what its registry says.",
            )
        });
    if problem.code.starts_with("base.") && !problem.cause.contains(image) {
        problem.cause = format!("The base image {image} can't be pulled: {}", problem.cause);
    }
    if let Some(name) = image.strip_prefix("docker.io/library/").and_then(|rest| rest.strip_suffix(":latest")) {
        problem.remedy =
            format!("{} If {name} is meant as a stage of the Dockerfile: no stage has this name.", problem.remedy);
    }
    Some(problem)
}

/// The name that stands in the error.
fn image(error: &str) -> &str {
    between(error, "failed to resolve source metadata for ", ": ")
        .or_else(|| between(error, "failed to solve: ", ": ").filter(|name| !name.contains(' ')))
        .unwrap_or("of the Dockerfile")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::causes::tests::all_have_real_texts;

    const TEXTS: &[(&str, &str)] = &[
        (
            r#"ERROR: failed to solve: failed to resolve source metadata for docker.io/docker/buildkit-syft-scanner:stable-1: failed to do request: Head "https://registry-1.docker.io/v2/docker/buildkit-syft-scanner/manifests/stable-1": dial tcp: lookup registry-1.docker.io on 10.255.255.53:53: no such host"#,
            "build.sbom",
        ),
        (
            r#"ERROR: failed to solve: failed to resolve source metadata for docker.io/docker/dockerfile:99: failed to do request: Head "https://registry-1.docker.io/v2/docker/dockerfile/manifests/99": dial tcp: lookup registry-1.docker.io on 10.255.255.53:53: no such host"#,
            "build.frontend_pull",
        ),
        (
            "ERROR: failed to solve: maven:3.9-eclipse-temurin-11-alpine: no match for platform in manifest: not found",
            "build.platform",
        ),
        (
            "ERROR: failed to solve: 127.0.0.1:41749/pull429/web:1: failed to resolve source metadata for 127.0.0.1:41749/pull429/web:1: unexpected status from HEAD request to https://127.0.0.1:41749/v2/pull429/web/manifests/1: 429 Too Many Requests",
            "base.rate_limit",
        ),
        (
            "ERROR: failed to build: failed to solve: ubuntu:jammy-20260410: failed to resolve source metadata for docker.io/library/ubuntu:jammy-20260410: failed to copy: httpReadSeeker: failed open: unexpected status from GET request to https://registry-1.docker.io/v2/library/ubuntu/manifests/sha256:962f: 429 Too Many Requests\ntoomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
            "base.rate_limit",
        ),
        (
            "ERROR: failed to solve: failed to resolve source metadata for docker.io/library/debian:12: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading",
            "base.rate_limit",
        ),
        (
            "ERROR: failed to solve: acme/private:1: failed to resolve source metadata for docker.io/acme/private:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            "base.denied",
        ),
        (
            "ERROR: failed to solve: nonexistent:latest: pull access denied, repository does not exist or may require 'docker login'",
            "base.denied",
        ),
        (
            "ERROR: failed to solve: 127.0.0.1:5600/none:1: failed to resolve source metadata for 127.0.0.1:5600/none:1: unexpected status from HEAD request to http://127.0.0.1:5600/v2/none/manifests/1: 401 Unauthorized",
            "base.denied",
        ),
        (
            "ERROR: failed to solve: ghcr.io/acme/base:1: failed to resolve source metadata for ghcr.io/acme/base:1: unexpected status from HEAD request to https://ghcr.io/v2/acme/base/manifests/1: 403 Forbidden",
            "base.denied",
        ),
        (
            "ERROR: failed to solve: ghcr.io/acme/base:1: failed to resolve source metadata for ghcr.io/acme/base:1: denied: denied",
            "base.denied",
        ),
        (
            "ERROR: failed to solve: 127.0.0.1:41749/pull500/web:1: failed to resolve source metadata for 127.0.0.1:41749/pull500/web:1: unexpected status from HEAD request to https://127.0.0.1:41749/v2/pull500/web/manifests/1: 500 Internal Server Error",
            "base.server",
        ),
        (
            "ERROR: failed to solve: r.example/a:1: failed to resolve source metadata for r.example/a:1: unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 502 Bad Gateway",
            "base.server",
        ),
        (
            "error: failed to solve: failed to compute cache key: failed to copy: httpReadSeeker: failed open: unexpected status code https://ghcr.io/v2/a/blobs/sha256:00: 503 Service Unavailable",
            "base.server",
        ),
        (
            "ERROR: failed to solve: r.example/a:1: failed to resolve source metadata for r.example/a:1: unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 504 Gateway Timeout",
            "base.server",
        ),
        (
            "ERROR: failed to solve: 127.0.0.1:5600/none:1: failed to resolve source metadata for 127.0.0.1:5600/none:1: 127.0.0.1:5600/none:1: not found",
            "base.missing",
        ),
        (
            "ERROR: failed to solve: r.example/a:1: failed to resolve source metadata for r.example/a:1: something new",
            "base.failed",
        ),
    ];

    fn explain(text: &str) -> Problem {
        of_pull(text).unwrap_or_else(|| panic!("no base image in {text}"))
    }

    #[test]
    fn failures_of_base_images_are_known() {
        all_have_real_texts(&[ANSWERS], TEXTS, explain);
        assert!(of_pull("ERROR: failed to solve: something new").is_none());
    }

    #[test]
    fn the_network_is_known_and_the_image_named() {
        for (text, code) in network::TEXTS {
            let text =
                format!("ERROR: failed to solve: h.test/x:1: failed to resolve source metadata for h.test/x:1: {text}");
            let problem = explain(&text);
            assert_eq!(problem.code, format!("base.{code}"), "{text}");
            assert!(problem.cause.contains("h.test/x:1"), "{}", problem.cause);
        }
    }

    #[test]
    fn a_stage_that_is_not_there_looks_like_an_image() {
        let problem = explain(
            r#"ERROR: failed to solve: nope: failed to resolve source metadata for docker.io/library/nope:latest: failed to do request: Head "https://registry-1.docker.io/v2/library/nope/manifests/latest": dial tcp: lookup registry-1.docker.io on 10.255.255.53:53: no such host"#,
        );
        assert_eq!(problem.code, "base.dns");
        assert!(problem.remedy.contains("no stage has this name"), "{}", problem.remedy);
    }
}
