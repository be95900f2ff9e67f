"""What every skill shares: who is writing (slots set at the start of a session), small talk, help, language, repair wordings.

Other skills may use `flows.common.values`.
"""
