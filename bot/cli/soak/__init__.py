"""`switchboard soak`: proofs that take minutes. `crash` kills real processes at random and at the worst instants, and then audits.

`processes` starts and kills, `outside` plays customers, carrier and operator, `audit` looks for what was lost, repeated or left behind.
"""
