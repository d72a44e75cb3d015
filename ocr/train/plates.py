"""Rendered plates: the pool that renderplates writes, and the cuts that are trained on."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import alphabet
from network_shape import HEIGHT, STEPS, STRIDE, WIDTH
from picture import seen_batch, write_control_row

STORED_HEIGHT, STORED_WIDTH = 72, 216  # of ocr/render/cmd/renderplates
BOX_WIDTH, BOX_HEIGHT = STORED_WIDTH / 1.25, STORED_HEIGHT / 1.25
LONGEST = 32  # characters; of a plate 10, of lettering more
CUT_SHARE = 0.6  # of the pictures: height cut to the line
ELSEWHERE = 0.15  # of the pictures that another network labels: cut where no whole plate is
ENDS_SHARE = 0.6  # of those: width cut to the line's ends as well, some way beyond them


class Pool:
    """The chunks of a folder, memory-mapped; more() picks up those that were added."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.known: set[str] = set()
        self.pixels: list[np.ndarray] = []
        self.labels: list[list[str]] = []
        self.corners: list[np.ndarray] = []
        self.centres: list[np.ndarray] = []
        self.more()

    def more(self) -> None:
        for tsv in sorted(self.folder.glob("[0-9]*.tsv")):
            if tsv.name in self.known:
                continue
            self.known.add(tsv.name)
            rows = [line.split("\t") for line in tsv.read_text().splitlines()]
            centres = np.full((len(rows), LONGEST), np.nan, np.float32)
            for i, row in enumerate(rows):
                values = [float(v) for v in row[2].split()]
                centres[i, : len(values)] = values
            self.pixels.append(np.memmap(tsv.with_suffix(".pix"), np.uint8, "r", shape=(len(rows), STORED_HEIGHT, STORED_WIDTH)))
            self.labels.append([row[0] for row in rows])
            self.corners.append(np.array([[float(v) for v in row[1].split()] for row in rows], np.float32).reshape(-1, 4, 2))
            self.centres.append(centres)

    def __len__(self) -> int:
        return sum(len(labels) for labels in self.labels)

    def take(self, where: np.ndarray):
        """Pictures, labels, corners and centres at positions of the whole pool."""
        ends = np.cumsum([len(labels) for labels in self.labels])
        chunk = np.searchsorted(ends, where, "right")
        inside = where - np.concatenate([[0], ends])[chunk]
        at = list(zip(chunk, inside))
        return (
            np.stack([self.pixels[c][i] for c, i in at]),
            [self.labels[c][i] for c, i in at],
            np.stack([self.corners[c][i] for c, i in at]),
            np.stack([self.centres[c][i] for c, i in at]),
        )


class Batch:
    """What one training step needs."""

    def __init__(self, pictures, labels, columns):
        self.pictures = pictures  # batch x 48 x 168, -1 to 1
        self.targets = torch.tensor([k for text in labels for k in alphabet.encode(text)])
        self.lengths = torch.tensor([len(text) for text in labels])
        self.steps = _steps(labels, columns)

    def __len__(self) -> int:
        return len(self.lengths)

    def distances(self, scores: torch.Tensor) -> torch.Tensor:
        """How far log-probabilities (steps x batch x classes) are from each plate's text, by CTC, per character."""
        steps, count, _ = scores.shape
        each = F.ctc_loss(scores, self.targets.to(scores.device), torch.full((count,), steps), self.lengths, blank=alphabet.BLANK, zero_infinity=True, reduction="none")
        return each / self.lengths.clamp(min=1).to(scores.device)

    def with_some_elsewhere(self, chance: np.random.Generator, device) -> tuple[torch.Tensor, torch.Tensor]:
        """The pictures, some of them cut where no whole plate is, and which those are."""
        strange = torch.from_numpy(chance.random(len(self)) < ELSEWHERE)
        if strange.any():
            self.pictures[strange] = elsewhere(self.pictures[strange], chance)
        return self.pictures.to(device), strange.to(device)


def _steps(labels: list[str], columns: np.ndarray) -> torch.Tensor:
    """The class wanted at every time step: a character at its middle, else blank (batch x steps)."""
    out = np.zeros((len(labels), STEPS), np.int64)
    for i, text in enumerate(labels):
        at = np.clip(columns[i, : len(text)] / STRIDE, 0, STEPS - 1).astype(int)
        out[i, at] = alphabet.encode(text)
    return torch.from_numpy(out)


def cut(stored: np.ndarray, labels: list[str], corners: np.ndarray, centres: np.ndarray, chance: np.random.Generator, lines: float = CUT_SHARE) -> Batch:
    """Cuts jittered boxes out of stored pictures and changes light and noise.

    Some are the whole box with its sides moved, the others are cut in height
    to the levelled line, 0.75 to 1.15 character heights to each side, and
    are as wide as the box or reach a quarter to one and a half characters
    beyond the line's ends. The characters always stay inside. lines is the
    share of the latter.
    """
    n = len(labels)
    g = chance.standard_normal((8, n))
    line = chance.random(n) < lines
    width, height = BOX_WIDTH * (1 + 0.05 * g[0]), BOX_HEIGHT * (1 + 0.07 * g[1])
    cx, cy = STORED_WIDTH / 2 + 3.6 * g[2], STORED_HEIGHT / 2 + 2.2 * g[3]
    left, right = corners[:, [0, 3]].mean(1), corners[:, [1, 2]].mean(1)  # middle of the line's two ends
    slope = (right[:, 1] - left[:, 1]) / np.maximum(1, right[:, 0] - left[:, 0])
    capital = ((corners[:, 3, 1] - corners[:, 0, 1]) + (corners[:, 2, 1] - corners[:, 1, 1])) / 2
    # Where the line ends, and how far from character to character.
    count = np.array([len(text) for text in labels])
    pitch = (np.nanmax(np.where(np.isnan(centres), -np.inf, centres), 1) - np.nanmin(np.where(np.isnan(centres), np.inf, centres), 1)) / np.maximum(1, count - 1)
    pitch = np.where(count > 1, pitch, 0.8 * capital)
    ends = line & (chance.random(n) < ENDS_SHARE)
    x_from = np.maximum(left[:, 0] - pitch * chance.uniform(0.25, 1.5, n), 0)
    x_to = np.minimum(right[:, 0] + pitch * chance.uniform(0.25, 1.5, n), STORED_WIDTH)
    cx, width = np.where(ends, (x_from + x_to) / 2, cx), np.where(ends, x_to - x_from, width)
    height = np.where(line, capital * chance.uniform(1.5, 2.3, n), height)
    cy = np.where(line, (left[:, 1] + right[:, 1]) / 2 + slope * (cx - (left[:, 0] + right[:, 0]) / 2) + 0.06 * capital * g[3], cy)
    # Rows run along tilt: levelled in a line cut, nearly upright in a box.
    tilt = np.where(line, slope + 0.02 * g[4], 0.014 * g[4])
    lean = 0.03 * g[5]
    # A stored point is the middle plus u, v (pixels of the cut) times these.
    xs, ys = _around(corners[..., 0], cx, width), _around(corners[..., 1], cy, height)
    empty = count == 0  # no characters, no corners
    xs, ys = (np.where(empty, m, e) for m, e in ((cx, xs), (cy, ys)))
    x0, x1 = np.minimum(xs[0], cx - width / 2), np.maximum(xs[1], cx + width / 2)
    y0, y1 = cy - height / 2, cy + height / 2
    y0, y1 = np.where(line, y0, np.minimum(ys[0], y0)), np.where(line, y1, np.maximum(ys[1], y1))
    sx, sy, cx, middle = (x1 - x0) / 2, (y1 - y0) / 2, (x0 + x1) / 2, (y0 + y1) / 2
    half_w, half_h = STORED_WIDTH / 2, STORED_HEIGHT / 2
    theta = np.empty((n, 2, 3), np.float32)  # affine_grid: cut in [-1, 1] to stored in [-1, 1]
    theta[:, 0, 0], theta[:, 0, 1], theta[:, 0, 2] = sx / half_w, lean * sy / half_w, cx / half_w - 1
    theta[:, 1, 0], theta[:, 1, 1], theta[:, 1, 2] = tilt * sx / half_h, sy / half_h, middle / half_h - 1
    grid = F.affine_grid(torch.from_numpy(theta), [n, 1, HEIGHT, WIDTH], align_corners=False)
    grey = torch.from_numpy(stored).float()[:, None]
    grey = F.grid_sample(grey, grid, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]
    columns = (centres - cx[:, None]) / (2 * sx[:, None]) * WIDTH + WIDTH / 2
    return Batch(light(grey, g, chance), labels, columns)


def elsewhere(pictures: torch.Tensor, chance: np.random.Generator) -> torch.Tensor:
    """Cuts beside what a batch shows, or of a part of it: what a reader is also shown, and what only another network can label."""
    n = len(pictures)
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 1, 1] = np.exp(chance.uniform(-0.7, 0.7, (2, n)))
    theta[:, :, 2] = chance.uniform(-0.8, 0.8, (n, 2))
    grid = F.affine_grid(torch.from_numpy(theta), [n, 1, HEIGHT, WIDTH], align_corners=False)
    grey = F.grid_sample(pictures[:, None], grid, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]
    return seen_batch((grey + 1) * 127.5)


def _around(points: np.ndarray, middle: np.ndarray, size: np.ndarray):
    """The range that just holds the points, half a pixel wider."""
    return points.min(1) - 0.5, points.max(1) + 0.5


def light(grey: torch.Tensor, g: np.ndarray, chance: np.random.Generator) -> torch.Tensor:
    """Inverts some pictures, shifts brightness and contrast, adds noise; then what the network sees."""
    n = len(grey)
    invert = torch.from_numpy(chance.random(n) < 0.12).view(-1, 1, 1)
    grey = torch.where(invert, 255 - grey, grey)
    seen = seen_batch(grey)
    seen = seen * torch.from_numpy(1 + 0.1 * g[6]).float().view(-1, 1, 1) + torch.from_numpy(0.08 * g[7]).float().view(-1, 1, 1)
    if chance.random() < 0.25:
        seen = seen + torch.randn(seen.shape) * chance.uniform(0, 0.12)
    return write_control_row(seen.clamp_(-1, 1))
