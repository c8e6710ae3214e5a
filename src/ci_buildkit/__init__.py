"""Turn a multi-stage Dockerfile or bake file into a whole CI pipeline on one BuildKit builder."""

__version__ = "0.1.0"
