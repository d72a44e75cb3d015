"""From the pixels of a cut-out plate to what the network sees.

prepare() is what the program does before it hands a picture to Tesseract;
seen() is what Tesseract then makes of it. Both are in README.md, word for word.
"""

import numpy as np
import torch

from network_shape import HEIGHT, WIDTH

CONTROL_ROW = HEIGHT // 2
# Tesseract interpolates the quartiles of a control row of 0, 255, 0, 255 ...:
# black comes out as 0.25 and half the contrast as 127.75 - derived in README.md.
BLACK, HALF_CONTRAST = 0.25, 127.75


def prepare(grey: np.ndarray) -> np.ndarray:
    """A 48 x 168 grey picture with its contrast stretched and the control row written."""
    height, width = grey.shape
    inner = grey[height // 5 : height - height // 5, width // 10 : width - width // 10]
    count = np.bincount(inner.ravel(), minlength=256).cumsum()
    low, high = np.searchsorted(count, (0.05 * count[-1], 0.95 * count[-1]))
    out = np.clip((grey.astype(np.float32) - low) * (255.0 / max(2, high - low)), 0, 255).astype(np.uint8)
    out[CONTROL_ROW, 0::2] = 0
    out[CONTROL_ROW, 1::2] = 255
    return out


def seen(prepared: np.ndarray) -> np.ndarray:
    """What Tesseract's network gets of a prepared picture."""
    return np.clip((prepared.astype(np.float32) - BLACK) / HALF_CONTRAST - 1, -1, 1)


def seen_batch(grey: torch.Tensor) -> torch.Tensor:
    """prepare() and seen() of a batch of 48 x 168 pictures, values 0 to 255 (not rounded to whole grey levels)."""
    batch, height, width = grey.shape
    inner = grey[:, height // 5 : height - height // 5, width // 10 : width - width // 10].reshape(batch, -1)
    n = inner.shape[1]
    low = inner.kthvalue(max(1, round(0.05 * n)), 1).values.view(-1, 1, 1)
    high = inner.kthvalue(max(1, round(0.95 * n)), 1).values.view(-1, 1, 1)
    out = ((grey - low) * (255.0 / (high - low).clamp(min=2))).clamp(0, 255)
    return write_control_row(((out - BLACK) / HALF_CONTRAST - 1).clamp(-1, 1))


def write_control_row(seen: torch.Tensor) -> torch.Tensor:
    """The control row as the network sees it, into a batch, in place."""
    row = seen.shape[1] // 2
    seen[:, row, 0::2] = (0 - BLACK) / HALF_CONTRAST - 1
    seen[:, row, 1::2] = (255 - BLACK) / HALF_CONTRAST - 1
    return seen.clamp_(-1, 1)


def reduced(seen: torch.Tensor) -> torch.Tensor:
    """A batch at two thirds of its size, by area: each pixel is the mean of 1.5 x 1.5; its control row is written anew.

    The control row of the batch goes into the reduced one's alone.
    """
    for axis in (1, 2):
        triples = seen.unflatten(axis, (-1, 3))
        a, b, c = triples.unbind(axis + 1)
        seen = torch.stack([2 * a + b, b + 2 * c], axis + 1).flatten(axis, axis + 1) / 3
    return write_control_row(seen)


def fitted(prepared: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A prepared picture for a network that is shown pictures of that size (rows x columns)."""
    if prepared.shape == size:
        return prepared
    grey = (reduced(torch.from_numpy(seen(prepared))[None])[0].numpy() + 1) * HALF_CONTRAST + BLACK
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
