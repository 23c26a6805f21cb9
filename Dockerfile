# Starkeeper's image: one static binary on nothing. It runs as user 65532, with a read-only root file system, without capabilities.
#
#   docker build -t starkeeper .                                               for this machine
#   docker buildx build --platform linux/amd64,linux/arm64 -t NAME --push .    for both, cross-compiled: nothing is emulated
#
# Is it built already, or can no image be pulled? A folder that holds `out/starkeeper` takes the place of what compiles:
#   docker buildx build --build-context build=FOLDER -t starkeeper .
# BUILDER names another image to compile in: any Debian with Rust.
#
# The same source gives the same bytes: with `SOURCE_DATE_EPOCH=0`, `--provenance=false` and the output's `rewrite-timestamp=true` two
# builds have one digest. /starkeeper.cdx.json lists all that is in the binary (CycloneDX).
#
# There are no CA files inside: where it finds none, the binary trusts Mozilla's list, which is compiled in. If browsers trust an authority
# of your own, mount its file and name it in `certificate.trust`, or mount a whole store as /etc/ssl/certs/ca-certificates.crt.
ARG BUILDER=docker.io/library/rust:1.95-bookworm

FROM --platform=$BUILDPLATFORM ${BUILDER} AS tools
# The list of what is in the binary is made by OWASP's own tool.
RUN cargo install --quiet --locked cargo-cyclonedx@0.5.9

FROM tools AS build
ARG TARGETARCH
# A C compiler for the target (aws-lc is C and assembler), and the headers of its musl. The C library itself comes with Rust.
RUN set -eu; \
    case $TARGETARCH in amd64) gcc=x86-64 ;; arm64) gcc=aarch64 ;; *) echo "no recipe for $TARGETARCH" >&2; exit 1 ;; esac; \
    dpkg --add-architecture "$TARGETARCH"; \
    apt-get update -qq; \
    apt-get install -y -qq --no-install-recommends "gcc-$gcc-linux-gnu" "musl-dev:$TARGETARCH"; \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN set -eu; \
    case $TARGETARCH in amd64) cpu=x86_64 ;; arm64) cpu=aarch64 ;; esac; \
    target=$cpu-unknown-linux-musl; \
    compiler=$cpu-linux-gnu-gcc; \
    cargo=${CARGO_HOME:-$HOME/.cargo}; \
    name=$(echo "$target" | tr - _); loud=$(echo "$name" | tr a-z A-Z); \
    headers="-nostdinc -isystem /usr/include/$cpu-linux-musl -isystem $("$compiler" -print-file-name=include)"; \
    export SOURCE_DATE_EPOCH=0 \
      "CC_$name=$compiler" "CFLAGS_$name=$headers -ffile-prefix-map=$cargo=/cargo" \
      "CARGO_TARGET_${loud}_LINKER=$compiler" "CARGO_TARGET_${loud}_RUSTFLAGS=--remap-path-prefix=$cargo=/cargo"; \
    rustup target add "$target"; \
    cargo build --release --locked --bin starkeeper --target "$target"; \
    cargo cyclonedx --quiet --format json --target "$target" --override-filename starkeeper.cdx; \
    install -D -m 0755 "target/$target/release/starkeeper" /out/starkeeper; \
    install -D -m 0644 starkeeper.cdx.json /out/starkeeper.cdx.json

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Starkeeper" \
      org.opencontainers.image.description="Keeps Asterisk's secure WebSocket door open while certificates come and go" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /
USER 65532:65532
EXPOSE 9808
# Healthy: a browser could connect. It asks the agent, which has just looked; a millisecond. The start period gives Asterisk its time to boot.
HEALTHCHECK --interval=5s --timeout=6s --start-period=60s --retries=3 CMD ["/starkeeper", "healthcheck"]
ENTRYPOINT ["/starkeeper"]
CMD ["run"]
