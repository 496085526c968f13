"""The model file: a zip of numbers and text that cannot run code."""

from stance.storage.modelfile import (
    STEMMER,
    decode_model,
    dump_model,
    load_model,
    model_hash,
    read_manifest,
    save_model,
    stemmer_note,
)

__all__ = ["STEMMER", "decode_model", "dump_model", "load_model", "model_hash", "read_manifest"]
__all__ += ["save_model", "stemmer_note"]
