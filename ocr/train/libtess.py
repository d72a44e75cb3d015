"""Reading a prepared picture with libtesseract, the way the program does it."""

import ctypes
import os
import time
from pathlib import Path

import numpy as np

from network_shape import HEIGHT, WIDTH
from picture import fitted

os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # four threads on so small a network take seven times as long

_LSTM_ONLY = 1
VARIABLES = {
    "debug_file": "/dev/null",
    "tessedit_pageseg_mode": "13",  # one raw line: no search for text, no slope, no border
    "tessedit_do_invert": "0",  # the network reads both polarities
    "classify_enable_learning": "0",
}


def _library() -> ctypes.CDLL:
    lib = ctypes.CDLL("libtesseract.so.5")
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for name, result, arguments in (
        ("TessBaseAPICreate", pointer, []),
        ("TessBaseAPIInit2", number, [pointer, text, text, number]),
        ("TessBaseAPISetVariable", number, [pointer, text, text]),
        ("TessBaseAPISetImage", None, [pointer, pointer, number, number, number, number]),
        ("TessBaseAPISetSourceResolution", None, [pointer, number]),
        ("TessBaseAPIRecognize", number, [pointer, pointer]),
        ("TessBaseAPIGetUTF8Text", pointer, [pointer]),
        ("TessDeleteText", None, [pointer]),
        ("TessBaseAPIDelete", None, [pointer]),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


class Tesseract:
    """One instance with one model; counts reads and their time."""

    def __init__(self, model: Path, size: tuple[int, int] = (HEIGHT, WIDTH), variables: dict[str, str] | None = None):
        self._size = size  # rows x columns of what the model is shown
        self._lib = _library()
        self._api = self._lib.TessBaseAPICreate()
        if self._lib.TessBaseAPIInit2(self._api, str(model.parent).encode(), model.stem.encode(), _LSTM_ONLY):
            raise RuntimeError(f"Tesseract does not open {model}")
        for name, value in {**VARIABLES, **(variables or {})}.items():
            if not self._lib.TessBaseAPISetVariable(self._api, name.encode(), value.encode()):
                raise RuntimeError(f"Tesseract knows no variable {name}")
        self.reads, self.seconds = 0, 0.0

    def read(self, prepared: np.ndarray) -> str:
        """The text of a prepared 48 x 168 picture."""
        picture = np.ascontiguousarray(fitted(prepared, self._size))
        start = time.process_time()
        self._lib.TessBaseAPISetImage(self._api, picture.ctypes.data, picture.shape[1], picture.shape[0], 1, picture.strides[0])
        self._lib.TessBaseAPISetSourceResolution(self._api, 300)
        self._lib.TessBaseAPIRecognize(self._api, None)
        raw = self._lib.TessBaseAPIGetUTF8Text(self._api)
        text = ctypes.string_at(raw).decode() if raw else ""
        self._lib.TessDeleteText(raw)
        self.seconds += time.process_time() - start
        self.reads += 1
        return "".join(c for c in text if c.isalnum())

    def close(self) -> None:
        self._lib.TessBaseAPIDelete(self._api)
