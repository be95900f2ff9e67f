"""The outside world, one folder a system; each implements a port.

Nothing here is imported by the framework: the composition root picks what an operator needs.
"""
