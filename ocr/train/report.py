"""Puts a trained model where the program finds it, with its training report beside it.

    python3 report.py STATE FOLDER PHOTOS TARGET NAME COMMAND...

STATE is train.py's folder, FOLDER export.py's, TARGET the folder in the
repository, NAME the model's there; COMMAND is the command line to note. The report
of the model plate is report.json, that of another one NAME.json.
"""

import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import torch

import measure
from network import load, weights


def history(state: Path) -> tuple[list[dict], list[dict]]:
    """The runs (one a start of train.py) and the measurements of history.jsonl."""
    lines = [json.loads(line) for line in (state / "history.jsonl").read_text().splitlines()]
    starts = [{k: _named(v) if k in ("start", "teacher", "kept") else v for k, v in line["started"].items() if k not in ("pool", "state", "photos")}
              for line in lines if "started" in line]
    # What a start measures before its first step has no loss.
    return starts, [line for line in lines if "samples" in line and not math.isnan(line["loss"])]


def _named(files: list[str] | str | None) -> list[str] | str | None:
    """The names of files, without their folders."""
    if isinstance(files, list):
        return [Path(f).name for f in files]
    return Path(files).name if files else files


def curve(measurements: list[dict]) -> str:
    """The learning curve in lines: samples, loss, and the mean over the watched sets as a bar."""
    shown = measurements[:: max(1, len(measurements) // 40)]
    return "\n".join(f"{m['samples']:9}  loss {m['loss']:6.3f}  {m['overall']:5.1f}  {'#' * round(m['overall'] / 2)}" for m in shown)


def compose(state: Path, folder: Path, root: Path, name: str, command: list[str]) -> dict:
    best = torch.load(state / "best.pt", map_location="cpu")
    net = load(state / "best.pt", "cpu")
    starts, measurements = history(state)
    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return {
        "model": f"{name}.traineddata",
        "sha256": hashlib.sha256((folder / "plate.traineddata").read_bytes()).hexdigest(),
        "bytes": (folder / "plate.traineddata").stat().st_size,
        "network": net.shape.spec,
        "weights": weights(net),
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
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    state, folder, root, target = (Path(a) for a in sys.argv[1:5])
    name = sys.argv[5]
    result = compose(state, folder, root, name, sys.argv[6:])
    target.mkdir(parents=True, exist_ok=True)
    report, model = "report.json" if name == "plate" else f"{name}.json", f"{name}.traineddata"
    (target / f"{report}.part").write_text(json.dumps(result, indent=1) + "\n")
    shutil.copy(folder / "plate.traineddata", target / f"{model}.part")
    for file in (model, report):
        os.replace(target / f"{file}.part", target / file)
    print(curve(result["measurements"]))
    for name, row in result["scores"].items():
        print(f"{name:18} {row['plates']:4}  torch {row['torch']}  float {row['tesseract_float']}  int8 {row['tesseract_int8']}")
        print(f"{'':18} misread: {', '.join(f'{k} {v}' for k, v in row['misread'].items() if k != 'pairs')}; {', '.join(row['misread']['pairs'])}")


if __name__ == "__main__":
    main()
