"""From labelled rows to a trained model with its scores and card."""

from stance.fitting.training import Training, train, train_files

__all__ = ["Training", "train", "train_files"]
