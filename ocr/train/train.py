"""Trains the reader on rendered plates.

    python3 train.py POOL STATE [--photos DIR] [--samples N] [--start WEIGHTS] [--teacher WEIGHTS | --kept WEIGHTS] [--processes N] [--seed N]

POOL is what renderplates wrote. STATE is a folder: state.pt (the run, written
every minute, at the end and when the command is told to stop; it goes on from
there), best.pt (the
weights that read the photographs best in the run's last part), history.jsonl
(one line per measurement). A run is over after --samples pictures; every step
draws its chance from the seed and its own number, so that an interrupted run
and an uninterrupted one are the same.
"""

import argparse
import ctypes
import json
import math
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

# Big tensors come and go with every step: keep their memory (a third faster).
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_TOP_PAD_": "200000000", "OPENBLAS_NUM_THREADS": "1"}
if __name__ == "__main__" and any(k not in os.environ for k in _MEMORY):
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_MEMORY})

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import photos
import plates
import score
from alphabet import BLANK
import kept
import teacher
from network import Reader, weights
from network_shape import SHAPES
from together import Team

WARM_UP = 0.03  # share of the run
ALIGNED = 0.3  # share of the run in which the characters' places are told, fading
FITTED = 0.1  # share of a taught run in which only the first layers learn, to put out what the teacher's do
HOPELESS = 2.0  # loss of a character from which a plate teaches a third of what it would
EIGHT_BITS = 0.8  # from this share on as it will run: Tesseract's own border noise and rounding
WATCHED = ("crops/us", "frames/us", "frames/eu", "frames/br", "frames/us_carpark", "crops/br_night", "crops/eu",
           "frames/us_flickr", "frames/uk_flickr", "frames/eu_flickr", "frames/au_flickr")
WATCHED_PHOTOS = 120  # of each set while training; all of them at the end


def learning_rate(done: float, peak: float) -> float:
    """Up for the warm-up, then down a cosine."""
    if done < WARM_UP:
        return peak * (0.05 + 0.95 * done / WARM_UP)
    return peak * (0.5 + 0.5 * math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) + 1e-6


def loss_of(net: Reader, batch: plates.Batch, done: float, aligned: float, device) -> torch.Tensor:
    """CTC; for the share aligned of a run also the right character at the right place, which spares CTC its long plateau.

    After that share, what nobody can read counts less: a fifth of the plates had four fifths of the loss.
    """
    scores = net(batch.pictures.to(device)).log_softmax(2)
    told = max(0.0, 1 - done / aligned) if aligned else 0.0
    each = batch.distances(scores)
    if told > 0:
        wanted = batch.steps.to(device)
        placed = F.nll_loss(scores.permute(1, 2, 0), wanted, reduction="none")
        weight = torch.where(wanted == BLANK, 0.3, 1.0)
        loss = each.mean() + 2 * told * (placed * weight).sum() / weight.sum()
    else:
        loss = (HOPELESS * (1 - torch.exp(-each / HOPELESS))).mean()
    return loss + 0.02 * net.excess()


class Run:
    """One training run, and its state on disk."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(options.seed)
        self.net = Reader(SHAPES[options.shape]).to(self.device).to(memory_format=torch.channels_last)
        self.teacher = teacher.Teacher(options.teacher, self.device) if options.teacher else None
        self.former = kept.Former(options.kept, self.device) if options.kept else None
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 1e-2}, {"params": plain, "weight_decay": 0.0}], lr=1e-3, betas=(0.9, 0.99))
        self.pool = plates.Pool(options.pool)
        self.step, self.seen, self.hours, self.best = 0, 0, 0.0, -1.0
        self.recent = float("nan")  # loss, smoothed
        self.folder: Path = options.state
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "state.pt").exists():
            self._resume(torch.load(self.folder / "state.pt", map_location=self.device))
        elif options.start:
            state = torch.load(options.start, map_location=self.device)
            self.net.load_state_dict(state["net"])
        elif self.teacher:
            self.teacher.lend(self.net)

    def _resume(self, state: dict) -> None:
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        for name in ("step", "seen", "hours", "best", "recent"):
            setattr(self, name, state[name])
        print(f"going on after {self.seen} samples", flush=True)

    def save(self) -> None:
        state = {"shape": self.options.shape, **{k: getattr(self, k) for k in ("step", "seen", "hours", "best", "recent")}}
        write(self.folder / "state.pt", {**state, "net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()})

    def note(self, line: dict) -> None:
        with open(self.folder / "history.jsonl", "a") as history:
            history.write(json.dumps(line) + "\n")

    @property
    def done(self) -> float:
        return self.seen / self.options.samples

    def train_step(self, team: Team, rank: int) -> None:
        """One step; every member does the same one on its own plates."""
        chance = np.random.default_rng([self.options.seed, self.step, rank])
        torch.manual_seed(int(chance.integers(1 << 62)))
        self.net.exported = self.net.eight_bits = self.done >= EIGHT_BITS
        if self.step % 200 == 0:
            self.pool.more()
        where = chance.integers(len(self.pool), size=self.options.batch)
        batch = plates.cut(*self.pool.take(where), chance, 0.0 if self.options.lettering else plates.CUT_SHARE)
        if self.teacher:
            loss = self.teacher.loss_of(self.net, batch, chance, fitting=self.done < FITTED and not self.options.start)
        elif self.former:
            loss = self.former.loss_of(self.net, batch, chance)
        else:
            # A network that reads already is past the plateau.
            loss = loss_of(self.net, batch, self.done, 0.0 if self.options.start else ALIGNED, self.device)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for p in self.net.parameters():
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        team.average(self.net, rank)
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.done, self.options.peak)
        self.optimiser.step()
        self.step += 1
        self.seen += self.options.batch * team.members
        value = loss.item()
        self.recent = value if math.isnan(self.recent) else 0.98 * self.recent + 0.02 * value

    def measure(self, sets: dict, keep: bool = True) -> None:
        """Reads the photographs, notes the result, keeps the weights if they are the best so far."""
        part = {n: sets[n][:: max(1, len(sets[n]) // WATCHED_PHOTOS)] for n in WATCHED if n in sets}
        torch.manual_seed(1)
        scores = score.score_sets(lambda p: score.read(self.net, p, self.device), part)
        value = score.overall(scores)
        line = {"samples": self.seen, "hours": round(self.hours, 3), "loss": round(self.recent, 4), "eight_bits": self.net.eight_bits,
                "overall": round(value, 2), "scores": {n: [round(s.strict, 1), round(s.folded, 1)] for n, s in scores.items()}}
        self.note(line)
        print(f"  {self.seen} samples, loss {self.recent:.3f}, overall {value:.1f}: " + ", ".join(f"{n} {s}" for n, s in scores.items()), flush=True)
        if keep and self.net.eight_bits and value > self.best:
            self.best = value
            write(self.folder / "best.pt", {"shape": self.options.shape, "net": self.net.state_dict(), "samples": self.seen, "hours": self.hours, "loss": self.recent, "overall": value})


def write(path: Path, what: dict) -> None:
    """Writes a file whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(what, part)
    with open(part, "rb") as f:
        os.fsync(f.fileno())
    os.replace(part, path)


def member(run: Run, team: Team, rank: int) -> None:
    """Another member's way: it lives as long as the first one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    torch.set_num_threads(1)
    while run.done < 1:
        run.train_step(team, rank)


def lead(run: Run, team: Team) -> None:
    """The first member's way: it also measures, saves and reports."""
    sets = photos.load_sets(run.options.photos) if run.options.photos else {}
    start, begun, saved, told = time.monotonic(), run.seen, time.monotonic(), time.monotonic()
    last, next_measure = start, run.seen + run.options.every
    if run.options.start and run.seen == 0:  # what there is to beat
        run.net.exported = run.net.eight_bits = True
        run.measure(sets, keep=False)
    told_to_stop = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _: told_to_stop.append(which))
    while run.done < 1:
        if told_to_stop:
            run.save()
            print(f"stopped after {run.seen} samples", flush=True)
            sys.exit(128 + told_to_stop[0])
        run.train_step(team, 0)
        now = time.monotonic()
        run.hours += (now - last) / 3600
        last = now
        if now - told > 20:
            told, rate = now, (run.seen - begun) / (now - start)
            left = (run.options.samples - run.seen) / rate
            print(f"{100 * run.done:.1f} %, loss {run.recent:.3f}, {rate:.0f} samples/s, {left / 60:.0f} min left", flush=True)
        if run.seen >= next_measure or run.done >= 1:
            next_measure = run.seen + run.options.every
            run.measure(sets)
        if now - saved > 60 or run.done >= 1:
            saved = now
            run.save()


def main() -> None:
    arguments = argparse.ArgumentParser(description="Trains the reader on rendered plates.")
    arguments.add_argument("pool", type=Path)
    arguments.add_argument("state", type=Path)
    arguments.add_argument("--photos", type=Path, help="labelled photographs, to choose checkpoints by")
    arguments.add_argument("--samples", type=int, default=3_000_000)
    arguments.add_argument("--start", type=Path, help="weights to begin with, where STATE has none")
    arguments.add_argument("--teacher", type=Path, nargs="+", help="weights of networks of the shape plate, the mean of whose outputs is learned")
    arguments.add_argument("--kept", type=Path, help="weights of a network of the same shape, which is held to what it reads right")
    arguments.add_argument("--shape", choices=SHAPES, default="plate")
    arguments.add_argument("--batch", type=int, default=32, help="pictures a step in every process")
    arguments.add_argument("--processes", type=int, default=0, help="default: one a core, one with a GPU")
    arguments.add_argument("--peak", type=float, default=3e-3, help="highest learning rate")
    arguments.add_argument("--every", type=int, default=20_000, help="samples between two measurements")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--lettering", action="store_true", help="POOL is what lettering.py wrote")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    members = options.processes or (1 if torch.cuda.is_available() else os.cpu_count() or 1)
    if torch.cuda.is_available():
        options.batch *= 4
    run = Run(options)
    if not len(run.pool):
        sys.exit(f"there are no plates in {options.pool}")
    if run.done >= 1:
        print(f"all {run.seen} samples are trained on")
        return
    run.note({"started": {**json.loads(json.dumps(vars(options), default=str)), "processes": members, "at": run.seen, "plates": len(run.pool)}})
    team = Team(run.net, members)
    print(f"{run.net.shape.spec}: {weights(run.net)} weights, {len(run.pool)} plates, {members} processes on {run.device}", flush=True)
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=member, args=(run, team, rank), daemon=True) for rank in range(1, members)]
    for other in others:
        other.start()
    lead(run, team)
    for other in others:
        other.join(60)


if __name__ == "__main__":
    main()
