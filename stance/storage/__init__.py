"""The model file: a zip of numbers and text that cannot run code."""

from stance.storage.modelfile import (
    decode_model,
    dump_model,
    load_model,
    model_hash,
    read_manifest,
    save_model,
)

__all__ = ["decode_model", "dump_model", "load_model", "model_hash", "read_manifest", "save_model"]
