"""The weights inside Tesseract's .lstm component: where each matrix lies, and what is in it.

Source of the format: Tesseract 5.3, src/lstm (network.cpp, plumbing.cpp,
lstm.cpp, weightmatrix.cpp). A network is written as: its kind as a string,
flags, sizes and name, then what the kind adds; matrices are row-major, the bias
is the last column. They are float64, or int8 followed by one step for each row.
"""

import struct

import numpy as np

_LAYERS_INSIDE = {"Series", "Parallel", "Replicated", "ParBidiLSTM", "RTLReversed", "TTBReversed", "XYTranspose"}
_LEARNING_RATES = 64  # flag: one learning rate per layer follows the layers
_DOUBLE, _INT8 = 128, 1  # modes of a weight matrix


class Matrix:
    """One weight matrix's place in the file; steps are those of its rows where it is int8."""

    def __init__(self, name: str, offset: int, rows: int, columns: int, steps: tuple | None = None):
        self.name, self.offset, self.shape, self.steps = name, offset, (rows, columns), steps


class _Parser:
    def __init__(self, content: bytes):
        self.content, self.at, self.matrices = content, 0, []

    def take(self, layout: str):
        values = struct.unpack_from("<" + layout, self.content, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def text(self) -> str:
        (length,) = self.take("i")
        value = self.content[self.at : self.at + length].decode()
        self.at += length
        return value

    def matrix(self, name: str) -> None:
        (mode,) = self.take("B")
        rows, columns = self.take("ii")
        if mode & _INT8:
            self.take("b")  # the matrix's empty element
            offset = self.at
            self.at += rows * columns
            (count,) = self.take("I")
            self.matrices.append(Matrix(name, offset, rows, columns, self.take(f"{count}d")))
            return
        if not mode & _DOUBLE:
            raise ValueError(f"the weights of {name} are neither 64-bit floats nor 8-bit numbers (mode {mode})")
        self.take("d")
        self.matrices.append(Matrix(name, self.at, rows, columns))
        self.at += 8 * rows * columns

    def network(self) -> None:
        (kind_number,) = self.take("b")
        if kind_number != 0:
            raise ValueError(f"a network of the old numbering ({kind_number})")
        kind = self.text()
        _training, _backward = self.take("bb")
        flags, _inputs, _outputs, _weights = self.take("iiii")
        name = self.text()
        if kind in _LAYERS_INSIDE:
            for _ in range(self.take("I")[0]):
                self.network()
            if flags & _LEARNING_RATES:
                self.take(f"{self.take('I')[0]}f")
        elif kind == "Input":
            self.take("iiiii")
        elif kind in ("Convolve", "Maxpool", "Reconfig"):
            self.take("ii")
        elif kind in ("LSTM", "SummLSTM"):
            self.take("i")
            for gate in ("CI", "GI", "GF1", "GO"):
                self.matrix(f"{name}.{gate}")
        else:
            self.matrix(name)


def replace(content: bytes, weights: list[np.ndarray]) -> bytes:
    """The .lstm component with other weights, given in the file's order."""
    parser = _Parser(content)
    parser.network()
    if len(weights) != len(parser.matrices):
        raise ValueError(f"{len(weights)} weight matrices for a network of {len(parser.matrices)}")
    out = bytearray(content)
    for matrix, values in zip(parser.matrices, weights):
        if matrix.steps is not None:
            raise ValueError(f"the weights of {matrix.name} are rounded to 8 bits")
        if values.shape != matrix.shape:
            raise ValueError(f"{matrix.name} is {matrix.shape}, not {values.shape}")
        raw = np.ascontiguousarray(values, "<f8").tobytes()
        out[matrix.offset : matrix.offset + len(raw)] = raw
    return bytes(out)


def weights(content: bytes) -> list[np.ndarray]:
    """The weight matrices of a .lstm component, in the file's order; rounded ones as they were rounded."""
    parser = _Parser(content)
    parser.network()
    out = []
    for matrix in parser.matrices:
        kind = "<f8" if matrix.steps is None else "i1"
        values = np.frombuffer(content, kind, matrix.shape[0] * matrix.shape[1], matrix.offset).reshape(matrix.shape).astype(np.float64)
        out.append(values if matrix.steps is None else values * np.array(matrix.steps[: matrix.shape[0]])[:, None])
    return out
