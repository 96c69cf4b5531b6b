"""What the layers of each framework draw by default, and the way to another framework."""
