"""What is wrong with a repository's Dockerfiles, bake files, workflows and machine, and how to mend it."""
