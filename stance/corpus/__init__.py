"""Labelled corpora: read, checked, grouped by document."""

from stance.corpus._corpus import (
    Corpus,
    Source,
    bundled_corpus,
    corpus_of,
    group_documents,
    holder_kinds,
    holder_rows,
    read_corpus,
    sentiment_rows,
)
from stance.corpus._rows import OPTIONAL, CorpusForm, LabelledRows, Row, table_form

__all__ = ["OPTIONAL", "Corpus", "CorpusForm", "LabelledRows", "Row", "Source"]
__all__ += ["bundled_corpus", "corpus_of", "group_documents", "holder_kinds", "holder_rows"]
__all__ += ["read_corpus", "sentiment_rows", "table_form"]
