"""What will run: pure, frozen, and written down as a bake definition."""
