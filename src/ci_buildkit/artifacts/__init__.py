"""What a run produces: binaries, archives, images."""
