"""The only room that talks to Docker, buildx and BuildKit."""
