# Slipway as an image.
#
#   docker buildx build -t slipway .
#   docker run -d --name slipway -p 7400:7400 -v slipway:/var/lib/slipway \
#       -v /var/run/docker.sock:/var/run/docker.sock --group-add "$(stat -c %g /var/run/docker.sock)" slipway
#
# The process is not root; it may use the engine's socket by the socket's group, whose number differs from host to host,
# hence --group-add. Whoever may use that socket can become root on the host, so guard the container like root.
# It needs no capabilities and no writable root: add --read-only --tmpfs /tmp --cap-drop ALL
# --security-opt no-new-privileges.

FROM rust:1.95-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends mold nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /slipway
ENV SLIPWAY_TOOLS=/opt/slipway-tools
COPY scripts/env scripts/setup scripts/
RUN scripts/setup rust wasm-tools
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/slipway/target \
    scripts/build-site && cargo build --release --locked && cp target/release/slipway /usr/local/bin/slipway

# The newest client and buildx; both are static programs.
FROM docker:29-cli AS docker

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git openssh-client wget \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/slipway --create-home slipway
COPY --from=docker /usr/local/bin/docker /usr/local/bin/docker
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-buildx /usr/local/libexec/docker/cli-plugins/docker-buildx
COPY --from=build /usr/local/bin/slipway /usr/local/bin/slipway
USER slipway
ENV SLIPWAY_DATA_DIR=/var/lib/slipway SLIPWAY_LISTEN=0.0.0.0:7400
VOLUME /var/lib/slipway
EXPOSE 7400
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:7400/healthz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["slipway"]
CMD ["serve"]
