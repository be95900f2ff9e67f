"""What a turn does: state, commands, the stack, the turn, the ports to understanding and actions, and the repair patterns.

Everything that decides is a pure function of (commands, state, project); everything that waits for the outside is behind a port.
"""
