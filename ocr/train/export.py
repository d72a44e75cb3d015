"""Writes trained weights into Tesseract's format.

    python3 export.py BEST.pt FOLDER [--expected]

makes FOLDER/plate.traineddata (8 bits, what the program uses) and
FOLDER/plate_float.traineddata (to measure what the rounding costs). With --expected
they expect characters as photographs do (expected.py).
"""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

import expected
import template
import tessfile
from alphabet import BLANK, CLASSES
from network import Reader, load
from network_shape import CODES

# Tesseract's codes: 0 space, 1-36 the characters as in torch, 37 never read, 38 blank.
SPACE_CODE, UNREAD_CODE, BLANK_CODE = 0, CLASSES, CODES - 1
NEVER = -30.0  # bias of what must not be read


def matrices(net: Reader) -> list[np.ndarray]:
    """The weights in the order and layout of Tesseract's file."""
    out = []
    with torch.no_grad():
        for layer in net.layers:
            weight, bias = (t.double().numpy() for t in layer.folded())
            # Tesseract's columns run over x, then y, then the input channel.
            out.append(_rows(weight.transpose(0, 3, 2, 1).reshape(len(weight), -1), bias))
        for suffix in ("", "_reverse"):
            into, back, b1, b2 = (getattr(net.lstm, f"{n}_l0{suffix}").double().numpy() for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            rows = _rows(np.hstack([into, back]), b1 + b2)
            entry, forget, cell, exit_ = np.split(rows, 4)  # torch's gates i, f, g, o
            out += [cell, entry, forget, exit_]  # CI, GI, GF1, GO
        scores = _rows(net.output.weight.double().numpy(), net.output.bias.double().numpy())
    codes = np.zeros((CODES, scores.shape[1]))
    codes[[SPACE_CODE, UNREAD_CODE], -1] = NEVER
    codes[1:UNREAD_CODE] = scores[1:]
    codes[BLANK_CODE] = scores[BLANK]
    return out + [codes]


def _rows(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.hstack([weight, bias[:, None]])


def write(net: Reader, folder: Path) -> None:
    """Writes both models into the folder, each whole or not at all."""
    empty = template.make(folder / "template", net.shape).resolve()
    work = folder / "export"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    template.tool(work, "combine_tessdata", "-e", str(empty), "plate.lstm")
    component = work / "plate.lstm"
    component.write_bytes(tessfile.replace(component.read_bytes(), matrices(net)))
    shutil.copy(empty, work / "plate.traineddata")
    template.tool(work, "combine_tessdata", "-o", "plate.traineddata", "plate.lstm")
    shutil.copy(work / "plate.traineddata", work / "plate_float.traineddata")
    template.tool(work, "combine_tessdata", "-c", "plate.traineddata")
    for name in ("plate.traineddata", "plate_float.traineddata"):
        os.replace(work / name, folder / name)
    shutil.rmtree(work)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--expected"]):
        sys.exit(__doc__)
    trained = load(Path(sys.argv[1]), "cpu")
    write(expected.added(trained) if sys.argv[3:] else trained, Path(sys.argv[2]))
