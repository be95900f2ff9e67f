"""The reference bot: one folder a skill, each with its flows, domain, examples, actions and scenario tests.

Designers edit the YAML; the Python beside it only fetches from the operator's systems and fills slots. Nothing imports this package
but the action host, which loads `flows.<skill>.actions`, and the tests.
"""
