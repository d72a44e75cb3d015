"""Going on with a network that reads well: the plates teach what it misreads, and what it reads right it goes on saying as before.

Rendered plates alone teach what the renderer has learned since, and make the network
forget some of what it read of photographs: one such training differs from the next by
more than it wins. Held to what it said, only the misread plates change it.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import alphabet
import plates
from network import Reader, load

HOPELESS = 1.0  # loss of a character by the former network from which nobody could read the plate


class Former:
    """The network as it was, of a file that imported.py wrote."""

    def __init__(self, weights: Path, device):
        self.net = load(weights, device)
        self.device = device

    def loss_of(self, net: Reader, batch: plates.Batch, chance: np.random.Generator) -> torch.Tensor:
        """The distance from the former network where it reads right or nobody could, and CTC of the plates that can be read."""
        pictures, strange = batch.with_some_elsewhere(chance, self.device)
        with torch.no_grad():
            told = self.net(pictures).log_softmax(2)
            hopeless = strange | (batch.distances(told) > HOPELESS)
        right, at = [], 0
        for length, row in zip(batch.lengths.tolist(), told.argmax(2).T.tolist()):
            right.append(alphabet.encode(alphabet.decode(row)) == batch.targets[at : at + length].tolist())
            at += length
        scores = net(pictures).log_softmax(2)
        distance = F.kl_div(scores, told, reduction="none", log_target=True).sum((0, 2)) / 8
        held = hopeless | torch.tensor(right, device=self.device)
        return (distance[held].sum() + batch.distances(scores)[~hopeless].sum()) / len(batch) + 0.02 * net.excess()
