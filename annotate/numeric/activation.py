"""Activations of neural networks: what a model's raw values say as probabilities."""

import numpy as np

from annotate.domain.arrays import FloatArray

# Beyond these logits a sigmoid in float32 is 0 or 1, and exp overflows soon after.
LOGIT_LIMIT = 80


def sigmoid(logits: FloatArray) -> FloatArray:
    """Probabilities of logits, of any shape; float32 stays float32."""
    probability: FloatArray = 1 / (1 + np.exp(-logits.clip(-LOGIT_LIMIT, LOGIT_LIMIT)))
    return probability
