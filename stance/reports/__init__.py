"""Reports that people look at: one self-contained HTML file, no script, no request."""
