"""What must agree: torch with Tesseract, and the two ways to prepare a picture.

    /usr/bin/python3 ocr/train/test_train.py

Needs `renderplates` from Go, PyTorch and Tesseract; takes about a minute.
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
import alphabet
import expected
import export
import imported
import kept
import libtess
import template
import tessfile
import noise
import picture
import plates
import score
import teacher
from network import Reader, _rounded, load
from network_shape import SHAPES
from photos import Photo

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "build/model/run/best.pt"


class Alphabet(unittest.TestCase):
    def test_decode(self):
        for classes, text in (([0, 0], ""), ([1, 1, 0, 1], "AA"), ([27, 0, 28, 28], "01"), ([0, 36], "9")):
            self.assertEqual(alphabet.decode(classes), text)
            self.assertEqual(alphabet.encode(text), [k for i, k in enumerate(classes) if k and (i == 0 or classes[i - 1] != k)])

    def test_fold(self):
        self.assertEqual(alphabet.fold("OQI10"), "00110")


class Pictures(unittest.TestCase):
    def test_both_ways_agree(self):
        grey = np.random.default_rng(3).integers(40, 180, (4, 48, 168)).astype(np.uint8)
        one = np.stack([picture.seen(picture.prepare(g)) for g in grey])
        other = picture.seen_batch(torch.from_numpy(grey).float()).numpy()
        self.assertLess(np.abs(one - other).max(), 2.5 / 127)  # prepare() rounds

    def test_reduced(self):
        """Each pixel is the mean of one and a half by one and a half; the control row is written anew, and spoils no other."""
        grey = np.random.default_rng(3).integers(40, 180, (48, 168)).astype(np.uint8)
        prepared = picture.prepare(grey)
        small = picture.fitted(prepared, (32, 112))
        self.assertEqual(small.shape, (32, 112))
        self.assertEqual(small[16, :4].tolist(), [0, 255, 0, 255])
        large = prepared.astype(float).repeat(2, 0).repeat(2, 1)
        mean = large.reshape(32, 3, 112, 3).mean((1, 3))
        self.assertLess(np.abs(np.delete(small, 16, 0) - np.delete(mean, 16, 0)).max(), 1)
        self.assertIs(picture.fitted(prepared, (48, 168)), prepared)

    def test_flat_picture(self):
        self.assertTrue(np.isfinite(picture.seen(picture.prepare(np.full((48, 168), 77, np.uint8)))).all())


class Taught(unittest.TestCase):
    def test_fewer_steps(self):
        """A character of the teacher is as likely at the student's step, and the order stays."""
        told = torch.zeros(42, 1, alphabet.CLASSES)
        told[..., 0] = 1
        for step, letter in ((4, 3), (7, 3), (20, 5)):
            told[step, 0, 0], told[step, 0, letter] = 0.1, 0.9
        fewer = teacher.at_steps(told, 28)
        self.assertEqual(tuple(fewer.shape), (28, 1, alphabet.CLASSES))
        self.assertTrue(torch.allclose(fewer.sum(2), torch.ones(28, 1)))
        self.assertEqual(alphabet.decode(fewer[:, 0].argmax(1).tolist()), "CCE")
        self.assertAlmostEqual(float(fewer[..., 5].max()), 0.9, 5)
        self.assertIs(teacher.at_steps(told, 42), told)


class Expected(unittest.TestCase):
    def test_the_way_back(self):
        """What is added is taken back, O and 0 are as likely beside each other as before, and the network given is left as it was."""
        net = Reader(SHAPES["cheap"])
        before = net.output.bias.detach().clone()
        changed = expected.added(net)
        self.assertTrue(torch.equal(net.output.bias, before))
        difference = (changed.output.bias - before).detach()
        self.assertAlmostEqual(float(difference[alphabet.encode("Q")[0]]), expected.ADDENDS["Q"], 5)
        self.assertAlmostEqual(float(difference[alphabet.encode("O")[0]]), float(difference[alphabet.encode("0")[0]]), 5)
        self.assertLess(float((expected.taken(changed).output.bias - before).abs().max()), 1e-6)


class Held(unittest.TestCase):
    def test_what_is_right_stays(self):
        """Where the former network reads right, another is told how far from it it is; where it misreads, the characters alone; where nobody could read, only the distance."""
        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder) / "former.pt"
            torch.save({"shape": "cheap", "net": imported.load(ROOT / "ocr/read/model/scout.traineddata", SHAPES["cheap"]).state_dict()}, weights)
            former = kept.Former(weights, "cpu")
        grey = np.full((48, 168), 230, np.uint8)
        grey[10:38, 20:150] = 90
        pictures = picture.seen_batch(torch.from_numpy(grey).float()[None])
        other = Reader(SHAPES["cheap"]).eval()
        with torch.no_grad():
            told = former.net(pictures).log_softmax(2)
            text = alphabet.decode(told.argmax(2).T.tolist()[0])

        def parts(label, net):
            """The loss, and that of the characters."""
            torch.manual_seed(1)  # of the noise around the picture
            batch = plates.Batch(pictures.clone(), [label], np.zeros((1, plates.LONGEST), np.float32))
            loss = float(former.loss_of(net, batch, SameChance()).detach())
            with torch.no_grad():
                return loss, float(batch.distances(net(pictures).log_softmax(2))[0])

        kept.HOPELESS, before = 100.0, kept.HOPELESS
        try:
            right, of_right = parts(text, other)
            wrong, of_wrong = parts(text + "A", other)
        finally:
            kept.HOPELESS = before
        self.assertGreater(right, of_right + 1)
        self.assertAlmostEqual(wrong, of_wrong, delta=0.2)
        far, of_far = parts("ABCDEFG", former.net)  # itself: no distance
        self.assertGreater(of_far, kept.HOPELESS)
        self.assertLess(far, 0.2)


class SameChance:
    """Chance that leaves every picture as it is."""

    def random(self, n):
        return np.ones(n)


class Rounding(unittest.TestCase):
    def test_the_bias_sets_the_step_too(self):
        weight, bias = _rounded(torch.tensor([[1.27, 0.014], [0.07, 0.5]]), torch.tensor([0.5, 12.7]))
        self.assertTrue(torch.allclose(weight, torch.tensor([[1.27, 0.01], [0.1, 0.5]])), weight)
        self.assertTrue(torch.allclose(bias, torch.tensor([0.5, 12.7])), bias)


class WithPlates(unittest.TestCase):
    """On freshly rendered plates."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = Path(cls.folder.name)
        subprocess.run(["go", "run", "./ocr/render/cmd/renderplates", "-out", path, "-size", "64", "-seed", "99"], cwd=ROOT, check=True, capture_output=True)
        cls.pool = plates.Pool(path)
        cls.path = path

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_batch(self):
        everything = np.arange(len(self.pool))
        stored, labels, corners, centres = self.pool.take(everything)
        batch = plates.cut(stored, labels, corners, centres, np.random.default_rng(1))
        self.assertEqual(tuple(batch.pictures.shape), (64, 48, 168))
        told = [alphabet.decode(row) for row in batch.steps.tolist()]
        self.assertGreater(np.mean([t == label for t, label in zip(told, labels)]), 0.9)  # neighbours may share a step
        again = plates.cut(stored, labels, corners, centres, np.random.default_rng(1))
        self.assertEqual(batch.steps.tolist(), again.steps.tolist())

    def test_tesseract_reads_what_torch_reads(self):
        """Float and 8 bits, with Tesseract's noise replayed."""
        if not WEIGHTS.exists():
            self.skipTest(f"no trained weights in {WEIGHTS}")
        net = load(WEIGHTS, "cpu")
        export.write(net, self.path)
        side, top = round(plates.STORED_WIDTH * 0.1), round(plates.STORED_HEIGHT * 0.1)
        stored, labels, _, _ = self.pool.take(np.arange(len(self.pool)))
        from PIL import Image

        photos = []
        for pixels, label in zip(stored, labels):
            inner = Image.fromarray(pixels[top:-top, side:-side]).resize((168, 48), Image.BICUBIC)
            photos.append(Photo("", label, picture.prepare(np.asarray(inner))))
        net.exported = True
        for bits, name in ((False, "plate_float.traineddata"), (True, "plate.traineddata")):
            net.eight_bits = bits
            engine = libtess.Tesseract(self.path / name, net.shape.picture)
            through = [engine.read(p.prepared) for p in photos]
            engine.close()
            same = np.mean([a == b for a, b in zip(through, score.read(net, photos))])
            self.assertGreater(same, 0.92, name)  # Tesseract sums over paths, torch takes the best one


class Imported(unittest.TestCase):
    def test_the_models_come_back(self):
        """Read from the models that are built in, written and rounded again, the weights are the same."""
        for kind, name in (("plate", "plate"), ("cheap", "scout")):
            model = ROOT / f"ocr/read/model/{name}.traineddata"
            with tempfile.TemporaryDirectory() as folder:
                there = Path(folder)
                export.write(imported.load(model, SHAPES[kind]), there)
                parts = []
                for part, path in (("a", model), ("b", there / "plate.traineddata")):
                    template.tool(there, "combine_tessdata", "-e", str(path), f"{part}.lstm")
                    parts.append(tessfile.weights((there / f"{part}.lstm").read_bytes()))
                for a, b in zip(*parts, strict=True):
                    self.assertLess(np.abs(a - b).max(), 1e-6 * np.abs(a).max(), name)

    def test_training_goes_on_where_it_stopped(self):
        """With the measures of pictures in its batch norms a network computes what it did."""
        pictures = torch.from_numpy(np.random.default_rng(4).uniform(-1, 1, (16, 48, 168)).astype(np.float32))
        for kind, name in (("plate", "plate"), ("cheap", "scout")):
            net = imported.load(ROOT / f"ocr/read/model/{name}.traineddata", SHAPES[kind])
            net.exported = True
            with torch.no_grad():
                before = net(pictures)
                net.unfold(pictures)
                self.assertGreater(float((net.layers[0].var - 1).abs().max()), 0.1, name)
                self.assertTrue(torch.allclose(net(pictures), before, atol=1e-3), name)


class Errors(unittest.TestCase):
    def test_kinds(self):
        photos = [Photo("", label, None) for label in ("AB12", "AB10", "AB12", "AB12", "AB12")]
        found = score.errors(photos, ["AB12", "AB1O", "AB1", "A812", "XY12"])
        self.assertEqual(found["pairs"].pop("B as 8"), 1)
        found.pop("pairs")
        self.assertEqual(found, {"stamped alike": 1, "too short": 1, "one character": 1, "several characters": 1})


class Noise(unittest.TestCase):
    def test_borders(self):
        first = noise.borders(SHAPES["plate"])[0]
        self.assertEqual(len(first.places), 2 * 168 + 2 * 46)
        self.assertEqual(tuple(first.windows.shape), (len(first.places), 9))

    def test_exported_is_repeatable(self):
        for name, shape in SHAPES.items():
            net = Reader(shape).eval()
            net.exported = net.eight_bits = True
            x = torch.zeros(2, 48, 168)
            with torch.no_grad():
                self.assertTrue(torch.equal(net(x), net(x)), name)
                self.assertEqual(tuple(net(x).shape), (shape.steps, 2, alphabet.CLASSES), name)


if __name__ == "__main__":
    unittest.main()
