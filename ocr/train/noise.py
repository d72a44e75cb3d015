"""The noise that Tesseract puts around the picture.

A convolution of Tesseract sees random numbers where its window leaves the
picture, drawn anew at every place. Its generator starts from the same seed
for every line, so a picture of fixed size always gets the same numbers: they
are constants of the network, which training may know. Source: Tesseract 5.3,
src/lstm/convolve.cpp, src/ccutil/helpers.h, LSTMRecognizer::SetRandomSeed.
"""

import functools

import numpy as np
import torch

from network_shape import Shape

# What lstmtraining has written into the template (see template.py); part of the seed.
ITERATIONS = 10


class _Generator:
    """std::minstd_rand as TRand uses it."""

    MODULUS = 2147483647

    def __init__(self, iterations: int):
        self.state = ((iterations * 0x10000001) % (1 << 64)) % self.MODULUS or 1
        self.next()

    def next(self) -> int:
        self.state = self.state * 48271 % self.MODULUS
        return self.state

    def signed(self, count: int) -> list[float]:
        """Numbers in [-1, 1]."""
        return [2.0 * self.next() / (self.MODULUS - 1) - 1.0 for _ in range(count)]


class Border:
    """The places of one convolution whose window leaves its input."""

    def __init__(self, rows: int, columns: int, inputs: int, kernel: tuple[int, int], generator: _Generator):
        ky, kx = kernel
        hy, hx = ky // 2, kx // 2
        places, windows = [], []
        for y in range(rows):
            for x in range(columns):
                if hy <= y < rows - hy and hx <= x < columns - hx:
                    continue
                window = np.zeros((kx, ky, inputs), np.float32)
                for i in range(kx):
                    if not 0 <= x + i - hx < columns:
                        window[i] = np.array(generator.signed(ky * inputs)).reshape(ky, inputs)
                        continue
                    for j in range(ky):
                        if not 0 <= y + j - hy < rows:
                            window[i, j] = generator.signed(inputs)
                places.append(y * columns + x)
                windows.append(window.transpose(2, 1, 0).ravel())  # as torch flattens a kernel
        self.places = torch.tensor(places)
        self.windows = torch.from_numpy(np.stack(windows))


@functools.cache
def borders(shape: Shape, iterations: int = ITERATIONS) -> tuple[Border, ...]:
    """Those of the network's convolutions, in the order in which they draw."""
    g = _Generator(iterations)
    *maps, last = shape.maps
    return tuple(Border(*m, (3, 3), g) for m in maps) + (Border(*last, (1, 3), g),)
