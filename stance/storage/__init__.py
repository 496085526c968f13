"""The model file: a zip of numbers and text that cannot run code."""

from stance.storage.modelfile import (
    dump_model,
    load_model,
    model_hash,
    read_manifest,
    save_model,
)

__all__ = ["dump_model", "load_model", "model_hash", "read_manifest", "save_model"]
