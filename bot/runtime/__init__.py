"""Who runs turns: from a webhook to an inbox row, from a row to a committed turn, from the outbox to the provider, and what rings when.

`turns` is the heart: why nothing is lost and nothing happens twice. The engine that wakes workers is behind `dispatcher.Dispatcher`.
Knows channels and conversations; which ones there are is decided by `bot.deployment`.
"""
