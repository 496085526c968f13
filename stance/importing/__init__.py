"""Public data sets and exports of annotation tools in, corpus tables out."""

from stance.importing.formats import COLUMNS, FORMATS, import_corpus, parse_map

__all__ = ["COLUMNS", "FORMATS", "import_corpus", "parse_map"]
