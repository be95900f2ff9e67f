"""Bills: why they differ, what is due, what a charge is, paying, paying later, disputes. Nothing here is used by other skills."""
