"""An untrained model with the right network and alphabet, made by Tesseract's own tools."""

import os
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from alphabet import CHARACTERS
from network_shape import HEIGHT, WIDTH


# The character that is never read: see network_shape.CODES.
UNREAD = "."


def tool(folder: Path, *command: str) -> None:
    """Runs one of Tesseract's tools; its output is shown only if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")


def make(folder: Path, spec: str) -> Path:
    """Writes template.traineddata, a network of that spec, into the folder and returns its path."""
    out = folder / "template.traineddata"
    if out.exists():
        return out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "starter").mkdir(exist_ok=True)
    # An empty file makes combine_lang_model fail.
    (folder / "radical-stroke.txt").write_text("#\n")
    noise = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "plate.tif")
    boxes = [f"{c} {4 * i} 0 {4 * i + 4} {HEIGHT} 0" for i, c in enumerate(CHARACTERS + UNREAD)]
    (folder / "plate.box").write_text("\n".join([*boxes, f"\t {WIDTH - 1} 0 {WIDTH} {HEIGHT} 0", ""]))
    (folder / "list").write_text(f"{(folder / 'plate.lstmf').resolve()}\n")
    tool(folder, "unicharset_extractor", "--output_unicharset", "plate.unicharset", "--norm_mode", "1", "plate.box")
    tool(folder, "combine_lang_model", "--input_unicharset", "plate.unicharset", "--script_dir", ".", "--lang", "plate", "--output_dir", "starter")
    tool(folder, "tesseract", "plate.tif", "plate", "--psm", "13", "lstm.train")
    starter = "starter/plate/plate.traineddata"
    tool(folder, "lstmtraining", "--traineddata", starter, "--net_spec", spec, "--model_output", "untrained", "--train_listfile", "list", "--max_iterations", "10")
    tool(folder, "lstmtraining", "--stop_training", "--continue_from", "untrained_checkpoint", "--traineddata", starter, "--model_output", "template.part")
    os.replace(folder / "template.part", out)
    return out
