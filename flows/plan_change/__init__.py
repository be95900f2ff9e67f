"""Plans: what the customer has, what would suit better, changing it, undoing the change, and how an order stands.

`offers` holds the pure part (a plan, a quote as slots hold them); `actions` fetch and order; everything said is in `domain.yml`.
"""
