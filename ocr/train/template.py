"""An untrained model with the right network and alphabet, made by Tesseract's own tools."""

import os
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from alphabet import CHARACTERS
from network_shape import Shape


# The character that is never read: see network_shape.CODES.
UNREAD = "."
FEW = 7


def tool(folder: Path, *command: str) -> None:
    """Runs one of Tesseract's tools; its output is shown only if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")


def make(folder: Path, shape: Shape) -> Path:
    """Writes template.traineddata, a network of that shape, into the folder and returns its path."""
    (height, width), out = shape.picture, folder / "template.traineddata"
    if out.exists():
        return out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "starter").mkdir(exist_ok=True)
    # An empty file makes combine_lang_model fail.
    (folder / "radical-stroke.txt").write_text("#\n")
    noise = np.random.default_rng(1).integers(0, 256, (height, width), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "plate.tif")
    (folder / "alphabet.box").write_text("".join(f"{c} {i} 0 {i + 1} 1 0\n" for i, c in enumerate(CHARACTERS + UNREAD)))
    # The line that lstmtraining is shown must have fewer characters than the network has steps.
    wide = width // FEW
    boxes = [f"{c} {wide * i} 0 {wide * i + wide} {height} 0" for i, c in enumerate(CHARACTERS[:FEW])]
    (folder / "plate.box").write_text("\n".join([*boxes, f"\t {width - 1} 0 {width} {height} 0", ""]))
    (folder / "list").write_text(f"{(folder / 'plate.lstmf').resolve()}\n")
    tool(folder, "unicharset_extractor", "--output_unicharset", "plate.unicharset", "--norm_mode", "1", "alphabet.box")
    tool(folder, "combine_lang_model", "--input_unicharset", "plate.unicharset", "--script_dir", ".", "--lang", "plate", "--output_dir", "starter")
    tool(folder, "tesseract", "plate.tif", "plate", "--psm", "13", "lstm.train")
    starter = "starter/plate/plate.traineddata"
    tool(folder, "lstmtraining", "--traineddata", starter, "--net_spec", shape.spec, "--model_output", "untrained", "--train_listfile", "list", "--max_iterations", "10")
    tool(folder, "lstmtraining", "--stop_training", "--continue_from", "untrained_checkpoint", "--traineddata", starter, "--model_output", "template.part")
    os.replace(folder / "template.part", out)
    return out
