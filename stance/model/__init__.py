"""The trained model: judging, explaining, and how familiar a text is."""
