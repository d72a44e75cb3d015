"""The network of a model file, to go on training with: the way back from export.py.

    python3 imported.py MODEL.traineddata WEIGHTS.pt

The weights come back as Tesseract has rounded them, with the batch norm inside.
A network that starts from them is trained as it will run, from the first step.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import template
import tessfile
from alphabet import BLANK, CLASSES
from network import Reader
from network_shape import SHAPES, Shape


def load(model: Path, shape: Shape = SHAPES["plate"]) -> Reader:
    """The network of a .traineddata file, which must have that shape."""
    with tempfile.TemporaryDirectory() as folder:
        component = Path(folder) / "plate.lstm"
        template.tool(Path(folder), "combine_tessdata", "-e", str(model.resolve()), component.name)
        matrices = iter(tessfile.weights(component.read_bytes()))
    net = Reader(shape)
    with torch.no_grad():
        for layer in net.layers:
            rows = next(matrices)
            outputs, inputs, height, width = layer.weight.shape
            # Tesseract's columns run over x, then y, then the input channel.
            layer.weight.copy_(torch.from_numpy(rows[:, :-1].reshape(outputs, width, height, inputs).transpose(0, 3, 2, 1).copy()))
            layer.bias.copy_(torch.from_numpy(rows[:, -1].copy()))
            layer.var.fill_(1 - 1e-5)  # the batch norm then changes nothing
        for suffix in ("", "_reverse"):
            cell, entry, forget, exit_ = (next(matrices) for _ in range(4))
            rows = torch.from_numpy(np.vstack([entry, forget, cell, exit_]))  # torch's gates i, f, g, o
            into, back, b1, b2 = (getattr(net.lstm, f"{n}_l0{suffix}") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            into.copy_(rows[:, : into.shape[1]])
            back.copy_(rows[:, into.shape[1] : -1])
            b1.copy_(rows[:, -1])
            b2.zero_()
        codes = next(matrices)
        scores = np.zeros((CLASSES, codes.shape[1]))
        scores[1:], scores[BLANK] = codes[1:CLASSES], codes[-1]
        net.output.weight.copy_(torch.from_numpy(scores[:, :-1].copy()))
        net.output.bias.copy_(torch.from_numpy(scores[:, -1].copy()))
    net.eval()
    return net


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.save({"net": load(Path(sys.argv[1])).state_dict(), "imported": True}, sys.argv[2])
