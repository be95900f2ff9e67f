"""What `switchboard bench` plays and how it measures. `bot.cli.bench` runs it; nothing else uses it."""
