"""Real photographs, to choose checkpoints and to measure. Nothing is ever trained on them."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from network_shape import HEIGHT, WIDTH
from picture import prepare

SETS = ("crops/us", "crops/eu", "crops/br_night", "frames/eu", "frames/us", "frames/br", "frames/us_carpark", "frames/fr",
        "frames/us_flickr", "frames/uk_flickr", "frames/eu_flickr", "frames/au_flickr", "crops/tw")
MARGIN = 0.03  # of the box's size, on every side


class Photo(NamedTuple):
    file: str
    label: str
    prepared: np.ndarray  # 48 x 168, as it goes into Tesseract


def load(folder: Path, margin: float = MARGIN) -> list[Photo]:
    """The labelled plates of a folder: its boxes and a margin, or whole pictures where it gives no boxes."""
    out = []
    with open(folder / "truth.tsv", newline="") as truth:
        for row in csv.DictReader(truth, delimiter="\t"):
            path = folder / row["file"]
            if not row["plate"] or not path.exists():
                continue
            grey = np.asarray(Image.open(path).convert("L"))
            box, m = (0.0, 0.0, float(grey.shape[1]), float(grey.shape[0])), 0.0
            if row["w"]:
                box, m = tuple(float(row[k]) for k in "xywh"), margin
            out.append(Photo(row["file"], row["plate"], prepare(cut(grey, box, m))))
    return out


def load_sets(root: Path, names=SETS) -> dict[str, list[Photo]]:
    """Those of the sets that are there."""
    return {name: load(root / name) for name in names if (root / name / "truth.tsv").exists()}


def cut(grey: np.ndarray, box: tuple[float, float, float, float], margin: float) -> np.ndarray:
    """The box (x, y, width, height) and the margin as 48 x 168 pixels: cubic, averaging where it shrinks."""
    x, y, w, h = box
    x0, y0, x1, y1 = x - margin * w, y - margin * h, x + (1 + margin) * w, y + (1 + margin) * h
    # Beyond the picture's edge its last row or column goes on.
    a, b, c, d = int(np.floor(x0)) - 2, int(np.floor(y0)) - 2, int(np.ceil(x1)) + 2, int(np.ceil(y1)) + 2
    rows = np.clip(np.arange(b, d), 0, grey.shape[0] - 1)
    columns = np.clip(np.arange(a, c), 0, grey.shape[1] - 1)
    part = Image.fromarray(grey[np.ix_(rows, columns)])
    return np.asarray(part.resize((WIDTH, HEIGHT), Image.BICUBIC, box=(x0 - a, y0 - b, x1 - a, y1 - b)))
