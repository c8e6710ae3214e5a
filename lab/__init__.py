"""The embedded engine: Docker, BuildKit, a registry and base images for machines that have none."""
