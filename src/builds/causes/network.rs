//! What goes wrong on the way to a registry, be it for a push or for a base image: `{}` is its host.

use super::{Known, find, known};
use app::error::Problem;

/// Codes without the word in front of the dot.
pub(super) const NETWORK: &[Known] = &[
    known(&["proxyconnect"], "proxy", "The proxy between Docker and {} can't be reached.", PROXY),
    known(&["407 proxy authentication required"], "proxy", "A proxy on the way to {} asks for a login.", PROXY),
    known(
        &["connection refused"],
        "refused",
        "{} refuses connections.",
        "Check whether it runs, and its address and port.",
    ),
    known(
        &["no such host"],
        "dns",
        "The host name {} can't be resolved.",
        "Check the address, and the DNS servers of this machine and of Docker.",
    ),
    known(
        &["server misbehaving"],
        "dns",
        "The DNS server doesn't answer for {}.",
        "Check the DNS servers of this machine and of Docker, and try again.",
    ),
    known(
        &["network is unreachable"],
        "unreachable",
        "There is no way from this machine to {}.",
        "Check the machine's network and DNS servers.",
    ),
    known(
        &["no route to host"],
        "unreachable",
        "There is no way from this machine to {}.",
        "Check the machine's network, and firewalls on the way.",
    ),
    known(
        &["server gave http response to https client"],
        "plain_http",
        "{} speaks plain HTTP, which Docker accepts only from this machine.",
        "Give it a certificate, or name it among Docker's insecure-registries.",
    ),
    known(
        &["first record does not look like a tls handshake"],
        "plain_http",
        "{} doesn't speak TLS at this port; it may be plain HTTP, which Docker accepts only from this machine.",
        "Check the port, or give the registry a certificate.",
    ),
    known(
        &["http request to an https server"],
        "https",
        "{} speaks HTTPS, but was asked by plain HTTP.",
        "Take it out of Docker's insecure-registries, and use https:// in its address.",
    ),
    known(
        &["x509: certificate signed by unknown authority"],
        "tls",
        "Docker doesn't trust the authority that signed the certificate of {}.",
        "Put the authority's certificate into /etc/docker/certs.d/{}/ca.crt.",
    ),
    known(
        &["x509: certificate has expired or is not yet valid"],
        "tls_expired",
        "The certificate of {} has expired, or isn't valid yet.",
        "Renew it, and check the clocks of both machines.",
    ),
    known(
        &["x509: cannot validate certificate for"],
        "tls_name",
        "The certificate of {} is for another name.",
        "Use the name that is in the certificate, or add this one to it.",
    ),
    known(
        &["x509: certificate is valid for"],
        "tls_name",
        "The certificate of {} is for another name.",
        "Use the name that is in the certificate, or add this one to it.",
    ),
    known(&["x509: "], "tls", "Docker doesn't accept the certificate of {}.", "Put the certificate in order."),
    known(
        &["tls handshake timeout"],
        "timeout",
        "{} didn't answer in time.",
        "Check the network on the way, and try again.",
    ),
    known(&["i/o timeout"], "timeout", "{} didn't answer in time.", "Check the network on the way, and try again."),
    known(
        &["connection timed out"],
        "timeout",
        "{} didn't answer in time.",
        "Check the network on the way, and try again.",
    ),
    known(&["connection reset by peer"], "broken", "{} broke the connection off.", BROKEN),
    known(&["broken pipe"], "broken", "{} broke the connection off.", BROKEN),
    known(&["unexpected eof"], "broken", "{} broke the connection off.", BROKEN),
    known(&["\": eof"], "broken", "{} broke the connection off.", BROKEN),
];
const PROXY: &str =
    "Check HTTP_PROXY and HTTPS_PROXY of the Docker daemon; NO_PROXY has to name the registry if it is near.";
const BROKEN: &str = "Try again; if it stays so, look into the registry's own log and at proxies in front of it.";

/// What the network says, under `push.…` or `base.…`.
pub(super) fn explain(word: &str, host: &str, error: &str) -> Option<Problem> {
    let known = find(NETWORK, error)?;
    let mut problem = known.problem(host);
    problem.code = format!("{word}.{}", known.code);
    Some(problem)
}

/// Real texts for both words, with the code's second part.
#[cfg(test)]
pub(super) const TEXTS: &[(&str, &str)] = &[
    (
        r#"failed to do request: Head "https://h.test/v2/x/blobs/sha256:00": proxyconnect tcp: dial tcp 127.0.0.1:3128: connect: connection refused"#,
        "proxy",
    ),
    (
        "unexpected status from POST request to https://127.0.0.1:41749/v2/proxy407/web/blobs/uploads/: 407 Proxy Authentication Required",
        "proxy",
    ),
    (
        r#"failed to do request: Head "https://127.0.0.1:1/v2/x/blobs/sha256:680f": dial tcp 127.0.0.1:1: connect: connection refused"#,
        "refused",
    ),
    (
        r#"failed to do request: Head "https://registry.invalid/v2/x/blobs/sha256:680f": dial tcp: lookup registry.invalid on 10.255.255.53:53: no such host"#,
        "dns",
    ),
    (
        r#"failed to do request: Head "https://h.test/v2/x/manifests/1": dial tcp: lookup h.test on 127.0.0.11:53: server misbehaving"#,
        "dns",
    ),
    (
        r#"failed to do request: Head "https://registry-1.docker.io/v2/docker/x/manifests/1": dial tcp: lookup registry-1.docker.io on 10.255.255.53:53: dial udp 10.255.255.53:53: connect: network is unreachable"#,
        "unreachable",
    ),
    (
        r#"failed to do request: Head "https://10.9.9.9/v2/x/manifests/1": dial tcp 10.9.9.9:443: connect: no route to host"#,
        "unreachable",
    ),
    (
        r#"failed to do request: Head "https://10.0.0.5:5000/v2/x/blobs/sha256:00": http: server gave HTTP response to HTTPS client"#,
        "plain_http",
    ),
    (
        r#"failed to do request: Head "https://172.18.0.1:34173/v2/x/blobs/sha256:680f": tls: first record does not look like a TLS handshake"#,
        "plain_http",
    ),
    (
        "unexpected status from HEAD request to http://h.test:443/v2/x/blobs/sha256:00: 400 Bad Request\nClient sent an HTTP request to an HTTPS server.",
        "https",
    ),
    (
        r#"failed to do request: Head "https://172.18.0.1:42313/v2/x/blobs/sha256:bdc6": tls: failed to verify certificate: x509: certificate signed by unknown authority"#,
        "tls",
    ),
    (
        r#"failed to do request: Head "https://172.18.0.1:42313/v2/x/blobs/sha256:bdc6": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-28T13:15:00Z is after 2020-01-02T00:00:00Z"#,
        "tls_expired",
    ),
    (
        r#"failed to do request: Head "https://172.18.0.1:37623/v2/x/blobs/sha256:c0d5": tls: failed to verify certificate: x509: cannot validate certificate for 172.18.0.1 because it doesn't contain any IP SANs"#,
        "tls_name",
    ),
    (
        r#"failed to do request: Head "https://h.test/v2/x/blobs/sha256:c0d5": tls: failed to verify certificate: x509: certificate is valid for wrong.test, not h.test"#,
        "tls_name",
    ),
    (r#"failed to do request: Head "https://h.test/v2/x/blobs/sha256:c0d5": x509: negative serial number"#, "tls"),
    (r#"failed to do request: Head "https://h.test/v2/x/manifests/1": net/http: TLS handshake timeout"#, "timeout"),
    (
        r#"failed to do request: Head "https://10.9.9.9/v2/x/manifests/1": dial tcp 10.9.9.9:443: i/o timeout"#,
        "timeout",
    ),
    (
        r#"failed to do request: Head "https://10.9.9.9/v2/x/manifests/1": dial tcp 10.9.9.9:443: connect: connection timed out"#,
        "timeout",
    ),
    (
        r#"failed to do request: Put "https://h.test/v2/x/blobs/uploads/1": read tcp 10.0.0.2:40122->10.0.0.5:443: read: connection reset by peer"#,
        "broken",
    ),
    (
        r#"failed to do request: Put "https://h.test/v2/x/blobs/uploads/1": write tcp 10.0.0.2:40122->10.0.0.5:443: write: broken pipe"#,
        "broken",
    ),
    (r#"failed to do request: Put "https://h.test/v2/x/blobs/uploads/1": unexpected EOF"#, "broken"),
    (
        r#"failed to do request: Post "https://127.0.0.1:41749/v2/closed/web/blobs/uploads/?mount=sha256:bdc6&from=rec/a": EOF"#,
        "broken",
    ),
];
