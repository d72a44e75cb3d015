"""A network that reads well teaches a cheaper one: what its layers and outputs say of a picture is learned.

A rendered plate tells the cheaper network only which characters it has. The
teacher also tells which others they resemble, and how sure one can be; and it
labels pictures that show no whole plate, of which a reader is shown many.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import plates
from alphabet import BLANK
from network import Reader, load

FIRST = 2  # layers that are the student's own; the others begin with the teacher's weights
TRUTH, FEATURES = 0.25, 0.3  # weights of what the plates say, and of the layers' outputs; that of the teacher's outputs is 1


def at_steps(told: torch.Tensor, steps: int) -> torch.Tensor:
    """Probabilities (steps x batch x classes) for a network of fewer steps: a character is as likely at a step as at the likeliest of the teacher's there.

    The mean would not do: a character takes one step or two, and would be doubtful everywhere.
    """
    if len(told) == steps:
        return told
    each = torch.arange(len(told), device=told.device)
    where = ((each + 0.5) * steps / len(told)).long()
    out = told.new_zeros(steps, *told.shape[1:])
    out.index_reduce_(0, where, told, "amax")
    seen = out.clone()
    seen[..., BLANK] = 0
    total = seen.sum(2, keepdim=True)
    seen = seen / total.clamp(min=1)
    seen[..., BLANK] = (1 - total[..., 0]).clamp(min=0)
    return seen


def at_columns(features: torch.Tensor, columns: int) -> torch.Tensor:
    """What a layer puts out (batch x depth x rows x columns), for as many columns."""
    if features.shape[3] == columns:
        return features
    return F.interpolate(features, size=(features.shape[2], columns), mode="bilinear", align_corners=False)


class Teacher:
    """The networks of files that imported.py or train.py wrote; the mean of what they say is taught."""

    def __init__(self, weights: list[Path], device):
        self.nets = [load(path, device) for path in weights]
        self.device = device

    def lend(self, student: Reader) -> None:
        """Gives the student the first network's weights behind its own layers."""
        first, skipped = self.nets[0], len(self.nets[0].layers) - len(student.layers)
        own = tuple(f"layers.{i}." for i in range(FIRST + skipped))
        state = {k: v for k, v in first.state_dict().items() if not k.startswith(own)}
        for k in [k for k in state if k.startswith("layers.")]:
            _, i, rest = k.split(".", 2)
            state[f"layers.{int(i) - skipped}.{rest}"] = state.pop(k)
        student.load_state_dict(state, strict=False)

    def loss_of(self, student: Reader, batch: plates.Batch, chance: np.random.Generator, fitting: bool) -> torch.Tensor:
        """How far the student is from the teacher; while fitting, in its own layers only."""
        pictures, strange = batch.with_some_elsewhere(chance, self.device)
        with torch.no_grad():
            seen = [net.features(pictures) for net in self.nets]
            told = torch.stack([net.scores(y[-1]).softmax(2) for net, y in zip(self.nets, seen)]).mean(0)
            told = at_steps(told, student.shape.steps).clamp(min=1e-9).log()
        put_out = student.features(pictures)
        shown = seen[0][FIRST - 1 - len(put_out) :]
        distances = [F.mse_loss(mine, at_columns(his, mine.shape[3])) / his.var() for mine, his in zip(put_out[FIRST - 1 :], shown)]
        if fitting:
            return distances[0]
        scores = student.scores(put_out[-1]).log_softmax(2)
        count = len(batch)
        loss = F.kl_div(scores, told, reduction="sum", log_target=True) / count / 8
        truth = batch.distances(scores)[~strange].sum() / count
        return loss + TRUTH * truth + FEATURES * sum(distances) + 0.02 * student.excess()
