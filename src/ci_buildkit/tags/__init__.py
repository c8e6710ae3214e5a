"""Names, tags, labels and annotations of images: the language of docker/metadata-action. Pure."""
