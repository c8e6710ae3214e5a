# The stages of the Dockerfile with their platforms and outputs, for
# `docker buildx bake`. A variable is set by an environment variable of its name.

# null leaves the Dockerfile's own default in force.
variable "GO_VERSION" {
  default = null
}
variable "GOLANGCI_LINT_VERSION" {
  default = null
}
variable "APP_VERSION" {
  default = null
}
variable "IMAGE" {
  description = "Prefix of the images' names, a registry's host included"
  default     = "buildme"
}
variable "TAG" {
  description = "Tag of both images"
  default     = "dev"
}

group "default" {
  targets = ["client", "server"]
}

group "check" {
  targets = ["lint", "test-results"]
}

group "all" {
  targets = ["lint", "test-results", "binaries", "client", "server"]
}

target "_common" {
  context    = "."
  dockerfile = "Dockerfile"
  args = {
    GO_VERSION            = GO_VERSION
    GOLANGCI_LINT_VERSION = GOLANGCI_LINT_VERSION
    APP_VERSION           = APP_VERSION
  }
}

target "_image" {
  inherits  = ["_common"]
  platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"]
}

target "lint" {
  description = "Fails on golangci-lint findings"
  inherits    = ["_common"]
  target      = "lint"
  output      = ["type=cacheonly"]
}

target "test-results" {
  description = "Test report and exit code, never failing itself"
  inherits    = ["_common"]
  target      = "test-results"
  output      = ["type=local,dest=out/test-results"]
}

target "binaries" {
  description = "Client and server for every platform"
  inherits    = ["_common"]
  target      = "binaries"
  platforms   = ["linux/amd64", "linux/arm64", "linux/arm/v7", "darwin/arm64", "windows/amd64"]
  output      = ["type=local,dest=out/binaries"]
}

target "client" {
  description = "Image of the command-line client"
  inherits    = ["_image"]
  target      = "client"
  tags        = ["${IMAGE}-client:${TAG}"]
}

target "server" {
  description = "Image of the HTTP server"
  inherits    = ["_image"]
  target      = "server"
  tags        = ["${IMAGE}-server:${TAG}"]
}
