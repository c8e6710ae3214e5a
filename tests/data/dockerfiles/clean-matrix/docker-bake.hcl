// Targets that only evaluating tells; comments of all kinds, templates in templates, functions and a here-document.
variable "REGISTRY" {
  default = "example.com"
  validation {
    condition     = REGISTRY != ""
    error_message = "a registry is needed"
  }
}
variable "TAGS" { default = "one,two" }

function "tags" {
  params = [
    name,   # what is built
    suffix  /* what follows */
  ]
  result = flatten([
    for tag in split(",", TAGS) :
      tag == "one" ? ["${REGISTRY}/${name}:${replace(tag, "${name}", "")}${suffix}"] : []
  ])
}

target "app" {
  name = "app-${which}"
  matrix = {
    which = ["one", "two"]
  }
  target = "app-${which}"
  tags   = tags("app", "-${which}")
}

target "data" {
  name     = "data-${size}"
  matrix   = { size = ["small", "large"] }
  target   = "data-${size}"
  contexts = { seed = "target:seed" }
  labels = {
    "org.example.about" = <<EOT
Everything that "starts" with } and { is text here: ${size}
EOT
  }
}

target "seed" {
  dockerfile-inline = <<EOT
FROM busybox:1
RUN echo small > /small; echo large > /large
EOT
}

target "all-docs" {
  inherits = ["app-one"]
  target   = "docs"
}

group "default" {
  targets = ["app", "data-small", "all-docs"]
}
