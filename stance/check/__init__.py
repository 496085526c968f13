"""The doctor: what in a corpus would spoil a study; which aliases a table holds."""
