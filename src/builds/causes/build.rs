//! Why a build failed: the command line, the builder, the Dockerfile. Commands of the Dockerfile, base images and pushes
//! have their own files.

use super::{Known, between, command, error_of, find, is_push, known, last_lines, pull, push};
use app::error::Problem;

const BUILD: &[Known] = &[
    // The tools.
    known(&["unknown flag: --push"], "buildx.missing", NO_BUILDX, GET_BUILDX),
    known(&["is not a docker command"], "buildx.missing", NO_BUILDX, GET_BUILDX),
    known(&["unknown command: docker buildx"], "buildx.missing", NO_BUILDX, GET_BUILDX),
    known(&["cannot connect to the docker daemon"], "docker.unreachable", NO_DOCKER, START_DOCKER),
    known(&["failed to connect to the docker api"], "docker.unreachable", NO_DOCKER, START_DOCKER),
    known(&["error during connect"], "docker.unreachable", NO_DOCKER, START_DOCKER),
    known(
        &["permission denied while trying to connect to the docker"],
        "docker.denied",
        "Slipway's user may not use Docker.",
        "Add the user to the group docker, and restart Slipway.",
    ),
    known(
        &["no builder \"", "found"],
        "builder.missing",
        "The builder {} isn't there any more.",
        "Choose another builder on the service, or connect it anew.",
    ),
    known(&["no active session"], "builder.session", "buildx and the builder lost each other.", LOST),
    known(&["session closed"], "builder.session", "buildx and the builder lost each other.", LOST),
    known(&["graceful_stop"], "builder.lost", "The builder was stopped while it built.", LOST),
    known(&["error reading from server"], "builder.lost", "The connection to the builder broke off.", LOST),
    known(&["code = unavailable"], "builder.lost", "The connection to the builder broke off.", LOST),
    known(&["deadlineexceeded"], "builder.timeout", "The builder didn't answer in time.", LOST),
    known(&["context deadline exceeded"], "builder.timeout", "The builder didn't answer in time.", LOST),
    known(
        &["no space left on device"],
        "disk.full",
        "The disk of the builder is full.",
        "Make room (docker buildx prune, docker system prune), and build again.",
    ),
    known(
        &["disk quota exceeded"],
        "disk.quota",
        "The builder's disk quota is used up.",
        "Raise the quota, or make room, and build again.",
    ),
    // The Dockerfile.
    known(
        &["the dockerfile cannot be empty"],
        "build.dockerfile_empty",
        "The Dockerfile is empty.",
        "Write a FROM line into it, or give another path on the service.",
    ),
    known(
        &["file with no instructions"],
        "build.dockerfile_empty",
        "The Dockerfile has no instructions.",
        "Write a FROM line into it, or give another path on the service.",
    ),
    known(
        &["no build stage in current context"],
        "build.dockerfile",
        "The Dockerfile has an instruction before its first FROM.",
        "Begin it with FROM.",
    ),
    known(
        &["failed to read dockerfile"],
        "build.dockerfile_missing",
        "The Dockerfile isn't there.",
        "Check its path on the service.",
    ),
    known(
        &["failed to solve: unterminated heredoc"],
        "build.dockerfile",
        "A here-document in the Dockerfile has no end.",
        "Put the word that ends it on a line of its own.",
    ),
    known(&["unknown instruction"], "build.dockerfile", "The Dockerfile can't be read.", CORRECT),
    known(
        &["base name (", "should not be blank"],
        "build.arg",
        "FROM {} has no value: the build argument isn't given.",
        "Give the argument on the service, or a default after ARG in the Dockerfile.",
    ),
    known(
        &["failed to parse stage name"],
        "build.base_name",
        "The name of a base image, {}, is none.",
        "Correct it; a build argument in it may be missing on the service.",
    ),
    known(
        &["invalid reference format"],
        "build.base_name",
        "The name of an image isn't one.",
        "Correct it; a build argument in it may be missing on the service.",
    ),
    known(
        &["target stage", "could not be found"],
        "build.target",
        "The Dockerfile has no stage {}.",
        "Name one of the Dockerfile's stages on the service.",
    ),
    known(
        &["unset ssh forward key"],
        "build.ssh",
        "The Dockerfile mounts an SSH agent (--mount=type=ssh), which builds don't have.",
        "Fetch the private sources with a build secret instead.",
    ),
    known(
        &["unable to find user"],
        "build.user",
        "The Dockerfile's USER isn't in the image.",
        "Create the user before, or give its number.",
    ),
    known(
        &["network.host is not allowed"],
        "build.entitlement",
        "The Dockerfile asks for the builder's own network, which isn't allowed.",
        "Take --network=host out of it.",
    ),
    known(
        &["security.insecure is not allowed"],
        "build.entitlement",
        "The Dockerfile asks for full rights on the builder, which aren't allowed.",
        "Take --security=insecure out of it.",
    ),
    known(
        &["forbidden path outside the build context"],
        "build.copy",
        "The Dockerfile copies a file from outside the context.",
        "Give a folder further up as context on the service.",
    ),
    known(
        &["failed to load cache key", "invalid response status"],
        "build.add",
        "An address that the Dockerfile ADDs isn't there.",
        "Check the address.",
    ),
    known(
        &["failed to load cache key"],
        "build.add",
        "An address that the Dockerfile ADDs can't be reached from the builder.",
        "Check the address, and the builder's network and DNS.",
    ),
    // Platforms, attestations, cache.
    known(
        &["multi-platform build is not supported"],
        "build.platform",
        "Docker's own image store can't build for several platforms.",
        "Turn on Docker's containerd image store, or choose a builder of another kind.",
    ),
    known(
        &["cannot parse platform specifier"],
        "build.platform_name",
        "One of the platforms isn't one.",
        "Correct the platforms on the service and on the registry: linux/amd64, linux/arm64 and the like.",
    ),
    known(
        &["attestation is not supported for the docker driver"],
        "build.attestation",
        "Docker's own image store can't keep attestations.",
        "Turn on Docker's containerd image store, choose another builder, or turn attestations off on the service.",
    ),
    known(
        &["cache export is not supported for the docker driver"],
        "cache.unsupported",
        "Docker's own image store can't write the build cache into a registry.",
        "Turn on Docker's containerd image store, choose another builder, or another cache on the service.",
    ),
    known(
        &["unknown cache exporter"],
        "cache.unsupported",
        "The builder doesn't know this kind of cache.",
        "Update the builder, or choose another cache on the service.",
    ),
    known(
        &["error writing layer blob"],
        "cache.export",
        "The image was built, but the registry didn't take the build cache.",
        CACHE,
    ),
    known(
        &["error writing manifest blob"],
        "cache.export",
        "The image was built, but the registry didn't take the build cache.",
        CACHE,
    ),
    known(
        &["error writing config blob"],
        "cache.export",
        "The image was built, but the registry didn't take the build cache.",
        CACHE,
    ),
    known(
        &["failed to configure registry cache importer"],
        "cache.import",
        "The build cache in the registry can't be read.",
        CACHE,
    ),
    // Names.
    known(
        &["repository name must be lowercase"],
        "build.name",
        "The image's name has upper-case letters.",
        "Use lower case in the base path.",
    ),
    known(&["invalid tag \""], "build.name", "The image's name isn't allowed.", "Change the base path."),
    known(&["context canceled"], "build.stopped", "The build was stopped from outside.", "Build again."),
];
const NO_BUILDX: &str = "The docker program has no buildx plugin.";
const GET_BUILDX: &str = "Install docker-buildx (Debian) or docker-buildx-plugin (Docker's packages).";
const NO_DOCKER: &str = "Docker can't be reached.";
const START_DOCKER: &str = "Start Docker, and build again.";
const LOST: &str = "Check that the builder runs and has memory and disk left, and build again.";
const CORRECT: &str = "The log shows where. Correct it in the repository and build again.";
const CACHE: &str = "Check that the credential may push there, or choose another cache on the service.";

/// Why buildx failed. `output` is what the failing command wrote, `code` buildx's exit code.
pub(in crate::builds) fn of_build(written: &str, output: &[&str], code: i32) -> Problem {
    let error = error_of(written);
    let problem = command::of_command(error, output)
        .or_else(|| is_push(written).then(|| push::of_push(written)))
        .or_else(|| pull::of_pull(error))
        .or_else(|| precise(error))
        .or_else(|| find(BUILD, error).map(|known| known.problem(about(error))))
        .unwrap_or_else(|| {
            let cause = format!("docker buildx failed with exit code {code}.");
            Problem::new("build.failed", cause, "The log shows why. Correct it and build again.")
        });
    problem.with_details(last_lines(written, 12))
}

/// Those whose cause is told by the error itself.
fn precise(error: &str) -> Option<Problem> {
    if let Some((_, rest)) = error.split_once("dockerfile parse error on line ") {
        let (line, said) = rest.split_once(": ")?;
        let said = said.lines().next().unwrap_or_default();
        let cause = format!("The Dockerfile can't be read: line {line}: {said}.");
        return Some(Problem::new("build.dockerfile", cause, CORRECT));
    }
    if let Some(id) = between(error, "secret ", ": not found").filter(|id| !id.contains(' ')) {
        return Some(Problem::new(
            "build.secret",
            format!("The Dockerfile needs the build secret {id}, which the service doesn't have."),
            "Add it to the service's build secrets.",
        ));
    }
    let is_copy = error.contains("failed to compute cache key") || error.contains("failed to calculate checksum");
    if is_copy && error.contains("not found") {
        let file = between(error, ": \"", "\": not found").map(|file| file.rsplit(": \"").next().unwrap_or(file));
        let cause = file.map_or_else(
            || "A file that the Dockerfile copies isn't in the context.".to_owned(),
            |file| format!("The Dockerfile copies {file}, which isn't in the context: \"{file}\" not found."),
        );
        return Some(Problem::new(
            "build.copy",
            cause,
            "Check the name, the context's folder on the service, .dockerignore, and that the file is committed.",
        ));
    }
    None
}

/// What stands for `{}`.
fn about(error: &str) -> &str {
    between(error, "base name (", ")")
        .or_else(|| between(error, "failed to parse stage name \"", "\""))
        .or_else(|| between(error, "target stage \"", "\""))
        .or_else(|| between(error, "no builder \"", "\""))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::causes::tests::all_have_real_texts;

    // As buildx 0.13 and BuildKit 0.12 wrote them; others from newer versions.
    const TEXTS: &[(&str, &str)] = &[
        ("unknown flag: --push\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]", "buildx.missing"),
        ("docker: 'buildx' is not a docker command.\nSee 'docker --help'", "buildx.missing"),
        ("docker: unknown command: docker buildx\n\nRun 'docker --help' for more information", "buildx.missing"),
        (
            "ERROR: Cannot connect to the Docker daemon at unix:///nonexistent.sock. Is the docker daemon running?",
            "docker.unreachable",
        ),
        (
            "ERROR: failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
            "docker.unreachable",
        ),
        ("error during connect: Get \"http://10.0.0.5:2375/_ping\": EOF", "docker.unreachable"),
        (
            "ERROR: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "docker.denied",
        ),
        ("ERROR: no builder \"nosuchbuilder\" found", "builder.missing"),
        (
            "ERROR: failed to solve: failed to load: no active session for os44n22472jqaz3bk2t3jktq2: context deadline exceeded",
            "builder.session",
        ),
        ("ERROR: failed to solve: rpc error: code = Unknown desc = session closed", "builder.session"),
        (
            "ERROR: failed to receive status: rpc error: code = Unavailable desc = closing transport due to: connection error: desc = \"error reading from server: EOF\", received prior goaway: code: NO_ERROR, debug data: \"graceful_stop\"",
            "builder.lost",
        ),
        (
            "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
            "builder.lost",
        ),
        ("ERROR: failed to receive status: rpc error: code = Unavailable desc = transport is closing", "builder.lost"),
        ("ERROR: failed to solve: DeadlineExceeded: context deadline exceeded", "builder.timeout"),
        ("ERROR: failed to solve: failed to list workers: context deadline exceeded", "builder.timeout"),
        (
            "ERROR: failed to solve: failed to register layer: Error processing tar file(exit status 1): write /home/jovyan/.cache/pip/http/2/d: no space left on device",
            "disk.full",
        ),
        ("ERROR: failed to solve: write /var/lib/buildkit/x: disk quota exceeded", "disk.quota"),
        ("ERROR: failed to solve: the Dockerfile cannot be empty", "build.dockerfile_empty"),
        (
            "Dockerfile:1\n--------------------\n   1 | >>> # nothing\n   2 |     \n--------------------\nERROR: failed to solve: file with no instructions",
            "build.dockerfile_empty",
        ),
        ("ERROR: failed to solve: no build stage in current context", "build.dockerfile"),
        (
            "ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory",
            "build.dockerfile_missing",
        ),
        (
            "Dockerfile:3\n--------------------\n   2 |     ENV T=1\n   3 | >>> RUN <<EOF\n   4 | >>> echo hi\n   5 |     \n--------------------\nERROR: failed to solve: unterminated heredoc",
            "build.dockerfile",
        ),
        ("ERROR: failed to solve: unknown instruction: RUNN", "build.dockerfile"),
        (
            "Dockerfile:2\n--------------------\n   1 |     ARG BASE\n   2 | >>> FROM ${BASE}\n--------------------\nERROR: failed to solve: base name (${BASE}) should not be blank",
            "build.arg",
        ),
        (
            "ERROR: failed to solve: failed to parse stage name \"127.0.0.1:5600/base:\": invalid reference format",
            "build.base_name",
        ),
        ("ERROR: failed to solve: invalid reference format: repository name (library/X) is odd", "build.base_name"),
        ("ERROR: failed to solve: target stage \"prod\" could not be found", "build.target"),
        ("ERROR: failed to solve: unset ssh forward key default", "build.ssh"),
        (
            "ERROR: failed to solve: process \"/bin/sh -c true\" did not complete successfully: unable to find user nosuchuser: no matching entries in passwd file",
            "build.user",
        ),
        ("ERROR: failed to solve: failed to load LLB: network.host is not allowed", "build.entitlement"),
        ("ERROR: failed to solve: failed to load LLB: security.insecure is not allowed", "build.entitlement"),
        ("COPY failed: forbidden path outside the build context: ../x ()", "build.copy"),
        ("ERROR: failed to solve: failed to load cache key: invalid response status 404", "build.add"),
        (
            "ERROR: failed to solve: failed to load cache key: Get \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused",
            "build.add",
        ),
        ("ERROR: Multi-platform build is not supported for the docker driver.", "build.platform"),
        ("ERROR: \"linux/nope/x/y\": cannot parse platform specifier: invalid argument", "build.platform_name"),
        (
            "ERROR: failed to build: Attestation is not supported for the docker driver.\nSwitch to a different driver, or turn on the containerd image store, and try again.",
            "build.attestation",
        ),
        (
            "ERROR: Cache export is not supported for the docker driver.\nSwitch to a different driver, or turn on the containerd image store, and try again.",
            "cache.unsupported",
        ),
        ("ERROR: failed to solve: unknown cache exporter: \"registr\"", "cache.unsupported"),
        (
            "ERROR: failed to solve: error writing layer blob: failed to do request: Head \"https://127.0.0.1:1/v2/cache/blobs/sha256:7a8f\": dial tcp 127.0.0.1:1: connect: connection refused",
            "cache.export",
        ),
        (
            "ERROR: failed to solve: error writing manifest blob: failed commit on ref \"sha256:00\": unexpected status: 400 Bad Request",
            "cache.export",
        ),
        ("ERROR: failed to solve: error writing config blob: unexpected status: 403 Forbidden", "cache.export"),
        (
            "ERROR: failed to solve: failed to configure registry cache importer: unexpected status: 401 Unauthorized",
            "cache.import",
        ),
        ("ERROR: invalid tag \"127.0.0.1:5600/UP/x:1\": repository name must be lowercase", "build.name"),
        ("ERROR: invalid tag \"127.0.0.1:5600/x:.\": odd", "build.name"),
        ("ERROR: failed to solve: Canceled: context canceled", "build.stopped"),
    ];
    // Not from the table.
    const PRECISE: &[(&str, &str, &str)] = &[
        (
            "Dockerfile:3\n--------------------\n   3 | >>> RUNN x\n--------------------\nERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)",
            "build.dockerfile",
            "line 3: unknown instruction: RUNN",
        ),
        (
            "ERROR: failed to solve: dockerfile parse error on line 3: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
            "build.dockerfile",
            "line 3: COPY requires",
        ),
        (
            "ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref wxt2tznabgs3312slzmdipp69::zd4w1rmjooqeh1hu9vpirb237: \"/missing.txt\": not found",
            "build.copy",
            "copies /missing.txt",
        ),
        ("ERROR: failed to solve: secret npmrc: not found", "build.secret", "npmrc"),
        (
            "ERROR: failed to solve: failed to push 127.0.0.1:1/x:1: failed to do request: Head \"https://127.0.0.1:1/v2/x\": dial tcp 127.0.0.1:1: connect: connection refused",
            "push.refused",
            "127.0.0.1:1",
        ),
        (
            "ERROR: failed to solve: 127.0.0.1:5600/none:1: failed to resolve source metadata for 127.0.0.1:5600/none:1: 127.0.0.1:5600/none:1: not found",
            "base.missing",
            "127.0.0.1:5600/none:1",
        ),
        ("ERROR: something new", "build.failed", "exit code 1"),
        ("", "build.failed", "exit code 1"),
    ];

    #[test]
    fn builds_errors_are_known() {
        all_have_real_texts(&[BUILD], TEXTS, |text| of_build(text, &[], 1));
    }

    #[test]
    fn what_the_error_tells_is_in_the_cause() {
        for (text, code, part) in PRECISE {
            let problem = of_build(text, &[], 1);
            assert_eq!(problem.code, *code, "{text}");
            assert!(problem.cause.contains(part), "{}", problem.cause);
        }
        assert!(of_build(TEXTS[22].0, &[], 1).cause.len() > 10);
        let arg = of_build("ERROR: failed to solve: base name (${BASE}) should not be blank", &[], 1);
        assert!(arg.cause.starts_with("FROM ${BASE} has no value"), "{}", arg.cause);
        assert!(arg.details.is_some_and(|details| details.contains("should not be blank")));
    }
}
