"""What a lecturer and a student read."""
