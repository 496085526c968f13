"""Checks of corpora before a study, and of the actors that texts name."""
