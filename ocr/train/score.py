"""How many plates of a set are read exactly, strictly and with look-alikes folded, and how the others are misread."""

from collections import Counter
from typing import Callable, NamedTuple

import numpy as np
import torch

import alphabet
from network import Reader
from photos import Photo
from picture import seen


class Score(NamedTuple):
    count: int
    strict: float  # percent
    folded: float

    def __str__(self) -> str:
        return f"{self.strict:.1f}/{self.folded:.1f}"


def count(photos: list[Photo], texts: list[str]) -> Score:
    """The score of the texts that were read from photos."""
    strict = np.mean([t == p.label for t, p in zip(texts, photos)])
    folded = np.mean([alphabet.fold(t) == alphabet.fold(p.label) for t, p in zip(texts, photos)])
    return Score(len(photos), 100 * float(strict), 100 * float(folded))


def read(net: Reader, photos: list[Photo], device="cpu") -> list[str]:
    """The texts that the network reads."""
    was, texts = net.training, []
    net.eval()
    with torch.no_grad():
        for i in range(0, len(photos), 64):
            batch = torch.from_numpy(np.stack([seen(p.prepared) for p in photos[i : i + 64]])).to(device)
            texts += [alphabet.decode(row) for row in net(batch).argmax(2).T.tolist()]
    net.train(was)
    return texts


def score_sets(reader: Callable[[list[Photo]], list[str]], sets: dict[str, list[Photo]]) -> dict[str, Score]:
    return {name: count(photos, reader(photos)) for name, photos in sets.items()}


def overall(scores: dict[str, Score]) -> float:
    """One number to choose checkpoints by: the mean over sets of strict and folded."""
    return float(np.mean([v for s in scores.values() for v in (s.strict, s.folded)])) if scores else 0.0


def errors(photos: list[Photo], texts: list[str]) -> dict:
    """The misread plates by kind, and the commonest pairs of a true and a read character."""
    kinds, pairs = Counter(), Counter()
    for photo, text in zip(photos, texts):
        if text == photo.label:
            continue
        if alphabet.fold(text) == alphabet.fold(photo.label):
            kinds["stamped alike"] += 1
        elif len(text) < len(photo.label):
            kinds["too short"] += 1
        elif len(text) > len(photo.label):
            kinds["too long"] += 1
        else:
            wrong = [(a, b) for a, b in zip(photo.label, text) if alphabet.fold(a) != alphabet.fold(b)]
            kinds["one character" if len(wrong) == 1 else "several characters"] += 1
            pairs.update(f"{a} as {b}" for a, b in wrong)
    return {**dict(kinds.most_common()), "pairs": dict(pairs.most_common(12))}
