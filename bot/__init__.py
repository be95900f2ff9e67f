"""Switchboard: flows decide, models only read and write.

The framework. Start at `bot.app.Bot`: open a project, say something, read the replies.
"""
