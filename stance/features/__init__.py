"""Feature blocks over a whole batch of (paragraph, actor) pairs at once."""
