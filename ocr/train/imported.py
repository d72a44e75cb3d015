"""The network of a model file, to go on training with: the way back from export.py.

    python3 imported.py MODEL.traineddata WEIGHTS.pt [POOL] [--mean OTHER.traineddata] [--shape cheap] [--expected]

The weights come back as Tesseract has rounded them, with the batch norm inside.
With POOL, plates that renderplates wrote, each batch norm gets the mean and the
spread that these plates have there, and a scale and a bias that undo both: the
network computes the same, and can be trained like a fresh one.

With --expected what export.py's --expected added is taken back.

With OTHER the weights are the mean of two models', one of which began as the
other: it keeps what the first one read and the second one has forgotten.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

import expected
import plates
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


def main() -> None:
    arguments = argparse.ArgumentParser(description="Reads a model file back into weights.")
    arguments.add_argument("model", type=Path)
    arguments.add_argument("weights", type=Path)
    arguments.add_argument("pool", type=Path, nargs="?", help="rendered plates: their measures go into the batch norms")
    arguments.add_argument("--mean", type=Path, metavar="OTHER", help="a model that began with the first one's weights, or the other way round")
    arguments.add_argument("--shape", choices=SHAPES, default="plate")
    arguments.add_argument("--expected", action="store_true", help="the model was written with export.py's --expected")
    options = arguments.parse_args()
    net = load(options.model, SHAPES[options.shape])
    if options.mean:
        other = load(options.mean, SHAPES[options.shape]).state_dict()
        net.load_state_dict({name: (value + other[name]) / 2 for name, value in net.state_dict().items()})
    if options.expected:
        net = expected.taken(net)
    if options.pool:
        pool, chance = plates.Pool(options.pool), np.random.default_rng(1)
        net.unfold(plates.cut(*pool.take(chance.integers(len(pool), size=768)), chance, plates.CUT_SHARE).pictures)
    torch.save({"shape": options.shape, "net": net.state_dict()}, options.weights)


if __name__ == "__main__":
    main()
