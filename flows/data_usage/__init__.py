"""How much data is left in this billing month."""
