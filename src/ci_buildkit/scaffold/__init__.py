"""First files for a repository that has none: workflow, configuration and Dockerfile."""
