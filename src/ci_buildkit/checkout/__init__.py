"""What the checkout says: Git, and the version made from it."""
