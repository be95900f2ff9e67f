"""Makes sure who is writing: `pattern_identity` runs before any flow that `requires` it. Nothing here is used by other skills."""
