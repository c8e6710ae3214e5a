# syntax=docker/dockerfile:1

# The same server without cross-compilation: no --platform=$BUILDPLATFORM and no
# GOOS or GOARCH, so each platform's own toolchain runs, under QEMU where the
# builder has another architecture. Several times slower than the Dockerfile
# beside this one; right for languages that cannot cross-compile.
ARG GO_VERSION=1.26
ARG APP_VERSION="v0.0.0+unknown"

FROM golang:${GO_VERSION}-alpine AS base
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod/ \
    --mount=type=bind,source=go.sum,target=go.sum \
    --mount=type=bind,source=go.mod,target=go.mod \
    go mod download -x

FROM base AS build-server
ARG APP_VERSION
RUN --mount=type=cache,target=/go/pkg/mod/ \
    --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=bind,target=. \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${APP_VERSION}" -o /out/ ./cmd/server

FROM scratch AS binaries
COPY --from=build-server /out/ /

FROM scratch AS server
COPY --from=build-server /out/ /bin/
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/bin/server"]
