"""Studies of the network: does attention pay (attention), and how fast is it (speed)."""
