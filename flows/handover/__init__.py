"""Handing over to a person on request. All texts and routing; no actions of its own."""
