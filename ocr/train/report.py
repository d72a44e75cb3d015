"""Puts a trained model where the program finds it, with its training report beside it.

    python3 report.py STATE FOLDER PHOTOS TARGET COMMAND...

STATE is train.py's folder, FOLDER export.py's, TARGET the folder in the
repository; COMMAND is the command line to note.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import torch

import measure
from network import Reader, weights
from network_shape import SPEC


def history(state: Path) -> tuple[list[dict], list[dict]]:
    """The runs (one a start of train.py) and the measurements of history.jsonl."""
    lines = [json.loads(line) for line in (state / "history.jsonl").read_text().splitlines()]
    starts = [{k: v for k, v in line["started"].items() if k not in ("pool", "state", "photos")} for line in lines if "started" in line]
    return starts, [line for line in lines if "samples" in line]


def curve(measurements: list[dict]) -> str:
    """The learning curve in lines: samples, loss, and the mean over the watched sets as a bar."""
    shown = measurements[:: max(1, len(measurements) // 40)]
    return "\n".join(f"{m['samples']:9}  loss {m['loss']:6.3f}  {m['overall']:5.1f}  {'#' * round(m['overall'] / 2)}" for m in shown)


def compose(state: Path, folder: Path, root: Path, command: list[str]) -> dict:
    best = torch.load(state / "best.pt", map_location="cpu")
    starts, measurements = history(state)
    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return {
        "model": "plate.traineddata",
        "sha256": hashlib.sha256((folder / "plate.traineddata").read_bytes()).hexdigest(),
        "bytes": (folder / "plate.traineddata").stat().st_size,
        "network": SPEC,
        "weights": weights(Reader()),
        "command": " ".join(command),
        "samples": best["samples"],
        "hours": round(best["hours"], 2),
        "loss": round(best["loss"], 4),
        "starts": starts,
        "measurements": measurements,
        "machine": {"processor": platform.machine(), "torch": torch.__version__, "tesseract": version},
        **measure.report(state / "best.pt", folder, root),
    }


def main() -> None:
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    state, folder, root, target = (Path(a) for a in sys.argv[1:5])
    result = compose(state, folder, root, sys.argv[5:])
    target.mkdir(parents=True, exist_ok=True)
    (target / "report.json.part").write_text(json.dumps(result, indent=1) + "\n")
    shutil.copy(folder / "plate.traineddata", target / "plate.traineddata.part")
    for name in ("plate.traineddata", "report.json"):
        os.replace(target / f"{name}.part", target / name)
    print(curve(result["measurements"]))
    for name, row in result["scores"].items():
        print(f"{name:18} {row['plates']:4}  torch {row['torch']}  float {row['tesseract_float']}  int8 {row['tesseract_int8']}")
        print(f"{'':18} misread: {', '.join(f'{k} {v}' for k, v in row['misread'].items() if k != 'pairs')}; {', '.join(row['misread']['pairs'])}")


if __name__ == "__main__":
    main()
