# Only a list of images, for a robot that raises their versions.
FROM alpine:3.22 AS alpine
FROM golang:1.26 AS go
FROM ghcr.io/example/linter:v2 AS linter
