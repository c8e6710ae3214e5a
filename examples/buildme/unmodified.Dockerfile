# syntax=docker/dockerfile:1

# A test stage as most repositories have it, not written with any pipeline in
# mind: the step fails when a test fails, its report stays inside the step and
# nothing is in the log. What a failing run leaves behind has to be fetched from
# the failed step.
ARG GO_VERSION=1.26

FROM golang:${GO_VERSION}-alpine AS test
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN mkdir /reports && go test -json ./... > /reports/go-test.json
