"""The model file: a zip of numbers and text that cannot run code."""

from stance.storage.modelfile import (
    STEMMER,
    bundled_model,
    check_model_output,
    decode_model,
    dump_model,
    load_model,
    model_hash,
    read_manifest,
    save_model,
    stemmer_note,
)

__all__ = ["STEMMER", "bundled_model", "decode_model", "dump_model", "load_model", "model_hash"]
__all__ += ["check_model_output", "read_manifest", "save_model", "stemmer_note"]
