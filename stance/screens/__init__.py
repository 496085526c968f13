"""Figures in, lines of a terminal out; nothing else formats a screen."""
