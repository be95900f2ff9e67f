"""Outages: is there one, tell me when it is over, report one. The only skill that also serves people whose number is unknown."""
