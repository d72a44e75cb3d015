"""Scores a model on labelled photographs: in PyTorch, and through libtesseract in float and 8 bits.

    python3 measure.py BEST.pt FOLDER PHOTOS

FOLDER is where export.py wrote. Prints a table; report() is what model.sh keeps.
"""

import sys
from pathlib import Path

import torch

import photos
import score
from network import load
from libtess import Tesseract


def through_tesseract(model: Path, size: tuple[int, int], sets: dict) -> tuple[dict[str, score.Score], float]:
    """The scores of a model file, and milliseconds of processor time a read."""
    engine = Tesseract(model, size)
    scores = score.score_sets(lambda part: [engine.read(p.prepared) for p in part], sets)
    milliseconds = 1000 * engine.seconds / max(1, engine.reads)
    engine.close()
    return scores, milliseconds


def misreadings(model: Path, size: tuple[int, int], sets: dict) -> dict[str, dict]:
    """Every set's misread plates by kind, as a model file reads them."""
    engine = Tesseract(model, size)
    found = {name: score.errors(part, [engine.read(p.prepared) for p in part]) for name, part in sets.items()}
    engine.close()
    return found


def report(weights: Path, folder: Path, root: Path) -> dict:
    """Every set's scores three ways."""
    torch.manual_seed(1)
    sets = photos.load_sets(root)
    net = load(weights, "cpu")
    torch_scores = score.score_sets(lambda part: score.read(net, part), sets)
    float_scores, _ = through_tesseract(folder / "plate_float.traineddata", net.shape.picture, sets)
    int_scores, milliseconds = through_tesseract(folder / "plate.traineddata", net.shape.picture, sets)
    misread = misreadings(folder / "plate.traineddata", net.shape.picture, sets)
    rows = {
        name: {"plates": s.count, "torch": [round(s.strict, 1), round(s.folded, 1)],
               "tesseract_float": [round(float_scores[name].strict, 1), round(float_scores[name].folded, 1)],
               "tesseract_int8": [round(int_scores[name].strict, 1), round(int_scores[name].folded, 1)],
               "misread": misread[name]}
        for name, s in torch_scores.items()
    }
    return {"scores": rows, "milliseconds": round(milliseconds, 2)}


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    result = report(*(Path(a) for a in sys.argv[1:]))
    for name, row in result["scores"].items():
        print(f"{name:18} {row['plates']:4}  torch {row['torch']}  float {row['tesseract_float']}  int8 {row['tesseract_int8']}")
    print(f"{result['milliseconds']} ms a read in 8 bits")
