"""Public data sets and exports of annotation tools in, corpus tables out."""

from stance.importing.formats import COLUMNS, FORMATS, Format, import_corpus, parse_map

__all__ = ["COLUMNS", "FORMATS", "Format", "import_corpus", "parse_map"]
