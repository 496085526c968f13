"""From labelled rows to a trained model with its scores and card."""
