"""The measures of the reading networks, in one place."""

from typing import NamedTuple

import alphabet

HEIGHT, WIDTH = 48, 168
STRIDE = 4  # pixels along the plate per time step
STEPS = WIDTH // STRIDE
# Tesseract's outputs: space, the characters, one that is never read, blank. The
# unread one is there because GetRawLSTMTimesteps() takes the last code before
# the blank for a blank itself (recodebeam.cpp, SaveMostCertainChoices).
CODES = alphabet.CLASSES + 2


class Shape(NamedTuple):
    """A network: convolutions of 3 x 3, a last one of 1 x 3 over the stacked rows, and one LSTM each way."""

    fold: tuple[int, int]  # rows x columns of pixels that become the depth of one position before the first layer
    channels: tuple[int, ...]  # what the convolutions put out
    pools: tuple[tuple[int, int], ...]  # rows x columns, after each but the last
    lstm: int
    picture: tuple[int, int] = (HEIGHT, WIDTH)  # rows x columns that it is shown

    @property
    def maps(self) -> list[tuple[int, int, int]]:
        """Rows, columns and depth of what each convolution sees."""
        rows, columns, depth = self.picture[0] // self.fold[0], self.picture[1] // self.fold[1], self.fold[0] * self.fold[1]
        out = []
        for (down, across), channels in zip(self.pools, self.channels):
            out.append((rows, columns, depth))
            rows, columns, depth = rows // down, columns // across, channels
        return [*out, (1, columns, rows * depth)]

    @property
    def steps(self) -> int:
        """Time steps of a picture."""
        return self.maps[-1][1]

    @property
    def spec(self) -> str:
        """In Tesseract's notation."""
        layers = [f"S{self.fold[0]},{self.fold[1]}"] if self.fold != (1, 1) else []
        for (down, across), channels in zip(self.pools, self.channels):
            layers.append(f"Ct3,3,{channels}" + (f" Mp{down},{across}" if (down, across) != (1, 1) else ""))
        rows = self.maps[-1][2] // self.channels[-2]
        return f"[1,{self.picture[0]},0,1 {' '.join(layers)} S{rows},1 Ct1,3,{self.channels[-1]} Lbx{self.lstm} O1c{CODES}]"


# Each ends with depths that follow each other alike, which a teacher can lend.
SHAPES = {
    "plate": Shape((1, 1), (24, 48, 64, 96), ((2, 2), (2, 2), (3, 1)), 64),
    # What a look costs in Tesseract is book-keeping for every position of the first
    # layers, time steps, and the picture itself, which it packs and unpacks: with 224
    # positions instead of 8,064, 28 steps and two thirds of the picture it is a quarter.
    "cheap": Shape((4, 4), (96, 64, 96), ((1, 1), (2, 1)), 64, (32, 112)),
}
