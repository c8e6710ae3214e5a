"""What GitHub's runner and API expect."""
