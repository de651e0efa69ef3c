"""PURE: what each backend type is: its port, how its address reads, what a runner's driver wants to be told."""
