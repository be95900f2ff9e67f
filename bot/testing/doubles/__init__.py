"""Doubles of the outside world: providers that run on this machine, keep state, check what they are told, and fail on demand."""
