"""Renders the lettering around a plate's characters: states' names and slogans, and country signs in blue bands.

    python3 lettering.py POOL [--pictures N] [--seed N]

writes a pool as renderplates does, for train.py --lettering. What is written
comes from the regions' data files (says, band); the fonts are Debian's, of free
licences. Each picture is the strip above or below a number, or the band beside
it, as ocr/issuer cuts it out.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from plates import BOX_HEIGHT, BOX_WIDTH, STORED_HEIGHT, STORED_WIDTH

DATA = Path(__file__).resolve().parents[1] / "region" / "data"
CHUNK = 5000
SCALE = 2  # everything is drawn larger and then reduced
PLAIN = ("liberation2", "dejavu", "opendin", "cabin", "bebas-neue", "yanone-kaffeesatz", "league-spartan", "comfortaa")
SERIF = ("linuxlibertine", "goudybookletter", "roboto-slab", "vollkorn", "levien-typoscript")
SCRIPT = ("lobster", "lobstertwo", "dancingscript", "kaushanscript", "leckerli-one", "havana", "rufscript")
WITHOUT = ("symbol", "dingbat", "standardsymbols", "d050000l", "initials", "keyboard", "oblique-", "math", "wide")


def fonts(packages) -> list[str]:
    """The font files of Debian packages."""
    out = []
    for name in packages:
        listed = Path(f"/var/lib/dpkg/info/fonts-{name}.list")
        if listed.exists():
            out += [f for f in listed.read_text().split("\n") if f.lower().endswith((".ttf", ".otf")) and not any(w in f.lower() for w in WITHOUT)]
    return sorted(out)


def dictionary() -> tuple[list[str], list[str], list[str]]:
    """The states' names, their other words, and the signs in bands."""
    names, says, bands = [], [], []
    for path in sorted(DATA.glob("*.txt")):
        named = False
        for line in path.read_text().split("\n"):
            word, _, rest = line.partition(" ")
            if line.startswith("["):
                named = False
            elif word == "says":  # the name comes first
                (says if named else names).append(rest.strip())
                named = True
            elif word == "band":
                bands += rest.split()
    return names, says, bands


class Painter:
    """Draws one picture after the other."""

    def __init__(self, seed: int):
        self.chance = np.random.default_rng(seed)
        self.names, self.says, self.bands = dictionary()
        self.plain, self.serif, self.script = fonts(PLAIN), fonts(SERIF), fonts(SCRIPT)
        if not (self.plain and self.serif and self.script):
            sys.exit("the fonts are not installed; make lettering installs them")
        self.loaded: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}

    def pick(self, of):
        return of[int(self.chance.integers(len(of)))]

    def font(self, path: str, size: int) -> ImageFont.FreeTypeFont:
        size = max(6, size // 2 * 2)
        if (path, size) not in self.loaded:
            self.loaded[path, size] = ImageFont.truetype(path, size)
        return self.loaded[path, size]

    def one(self):
        """A stored picture, its text, the corners of the text and the middles of its letters."""
        return self.band() if self.chance.random() < 0.35 else self.strip()

    # The strip above or below a number.

    def words(self) -> str:
        c = self.chance.random()
        if c < 0.5:
            return self.pick(self.names)
        if c < 0.86:
            return self.pick(self.says)
        if c < 0.93:  # a dealer, a county, a month: what is not in the dictionary
            letters = "EEEAAOOIUNRTLSTHDCMPBGFKVWY"
            return " ".join("".join(self.pick(letters) for _ in range(self.chance.integers(2, 9))) for _ in range(self.chance.integers(1, 3)))
        return ""

    def strip(self):
        c, w, h = self.chance, STORED_WIDTH * SCALE, STORED_HEIGHT * SCALE
        paper, ink = self.paper_and_ink()
        im = Image.new("L", (w, h), int(paper))
        d = ImageDraw.Draw(im)
        self.scenery(d, w, h, paper)
        bw, bh = BOX_WIDTH * SCALE, BOX_HEIGHT * SCALE
        words = self.words()
        kind = self.pick([self.plain, self.plain, self.plain, self.serif, self.serif, self.script, self.script])
        path = self.pick(kind)
        script = kind is self.script
        text = words if not script and c.random() < 0.7 else words.title()
        if " " in text and c.random() < 0.15:
            text = text.replace(" ", "")
        if "COM" in words or "GOV" in words or "WWW" in words:
            text = words.lower().replace(" ", ".")
        corners, centres = np.zeros((4, 2)), []
        if text:
            spacing = 0 if script else float(c.choice([0, 0, 0, c.uniform(0, 0.35)]))
            size = int(c.uniform(0.30, 0.80) * bh)
            most = float(c.uniform(0.45, 0.97)) * bw
            cells, total = self.measure(text, path, size, spacing)
            if total > most:
                size = max(8, int(size * most / total))
                cells, total = self.measure(text, path, size, spacing)
            f = self.font(path, size)
            x0 = (w - total) / 2 + c.normal(0, 0.10) * (bw - total)
            x0 = float(np.clip(x0, (w - bw) / 2, (w + bw) / 2 - total))
            top, bottom = f.getbbox("H" if text.isupper() else text)[1::2]
            tall = bottom - top
            y0 = (h - bh) / 2 + c.uniform(-0.08, 1.0) * max(bh - tall, 2) - top
            turn = c.normal(0, 0.02) + (0.12 * abs(c.normal()) if script and c.random() < 0.4 else 0)
            layer = Image.new("L", (w, h), 0)
            ld = ImageDraw.Draw(layer)
            if spacing:
                for letter, at in cells:
                    ld.text((x0 + at, y0), letter, font=f, fill=255)
            else:
                ld.text((x0, y0), text, font=f, fill=255)
            if turn:
                layer = layer.rotate(np.degrees(turn), resample=Image.BILINEAR, center=(w / 2, y0 + top + tall / 2))
            if c.random() < 0.15:  # an outline of the other kind
                rim = layer.filter(ImageFilter.MaxFilter(3))
                im.paste(int(255 - ink), mask=rim)
            im.paste(int(ink), mask=layer)
            for letter, at in cells:
                if letter.strip() and letter.isalnum():
                    width = f.getlength(letter)
                    centres.append((x0 + at + width / 2) / SCALE)
            corners = np.array([[x0, y0 + top], [x0 + total, y0 + top], [x0 + total, y0 + bottom], [x0, y0 + bottom]]) / SCALE
        self.number(d, w, h, bh)
        self.stickers(im, d, w, h, bw, bh)
        label = "".join(ch for ch in words.upper() if ch.isalnum())
        return self.seen(im), label, corners, centres

    def measure(self, text, path, size, spacing):
        """Each letter with its place, and the width of all."""
        f = self.font(path, size)
        if not spacing:
            return [(letter, f.getlength(text[:i])) for i, letter in enumerate(text)], f.getlength(text)
        out, x = [], 0.0
        for letter in text:
            out.append((letter, x))
            x += f.getlength(letter) + spacing * size
        return out, max(1.0, x - spacing * size)

    def paper_and_ink(self):
        c = self.chance
        paper = c.uniform(130, 250) if c.random() < 0.72 else c.uniform(15, 120)
        apart = c.uniform(35, 190)
        ink = paper - apart if paper > 125 else paper + apart
        return float(np.clip(paper, 0, 255)), float(np.clip(ink, 0, 255))

    def scenery(self, d, w, h, paper):
        """What is printed under the lettering: a sky that fades, hills, bars."""
        c = self.chance
        if c.random() < 0.5:
            to = paper + c.normal(0, 35)
            for y in range(h):
                d.line([(0, y), (w, y)], fill=int(np.clip(paper + (to - paper) * y / h, 0, 255)))
        for _ in range(int(c.integers(0, 4))):
            grey = int(np.clip(paper + c.normal(0, 22), 0, 255))
            x, y, r = c.uniform(0, w), c.uniform(0, h), c.uniform(5, h * 0.9)
            if c.random() < 0.5:
                d.ellipse([x - r * 2, y - r / 2, x + r * 2, y + r], fill=grey)
            else:
                d.polygon([(x - 2 * r, h), (x, y), (x + 2 * r, h)], fill=grey)
        if c.random() < 0.15:
            grey = int(np.clip(paper + c.normal(0, 70), 0, 255))
            y = int(c.choice([c.uniform(0, 0.25), c.uniform(0.75, 1)]) * h)
            d.rectangle([0, 0, w, y] if y < h / 2 else [0, y, w, h], fill=grey)

    def number(self, d, w, h, bh):
        """The edge of the number's own characters, at the strip's lower or upper side."""
        c = self.chance
        if c.random() < 0.7:
            grey, below = int(c.uniform(0, 90) if c.random() < 0.75 else c.uniform(180, 255)), c.random() < 0.5
            reach = c.uniform(0, 0.16) * bh + (h - bh) / 2
            f = self.font(self.pick(self.plain), int(bh * 1.7))
            text = "".join(self.pick("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(7))
            top, bottom = f.getbbox("H0")[1::2]
            x = c.uniform(-40, 10)
            for letter in text:
                d.text((x, h - reach - top if below else reach - bottom), letter, font=f, fill=grey)
                x += f.getlength(letter) * c.uniform(0.8, 1.05)
        if c.random() < 0.35:  # the plate's frame or the bumper
            grey, y = int(c.uniform(0, 255)), c.uniform(0, 0.2) * bh + (h - bh) / 2
            box = [0, 0, w, y] if c.random() < 0.5 else [0, h - y, w, h]
            d.rectangle(box, fill=grey)
            if c.random() < 0.3:
                f = self.font(self.pick(self.plain), int(max(8, y * 0.7)))
                d.text((c.uniform(0, w / 2), box[1]), "".join(self.pick("AEINORSTLDCM ") for _ in range(12)), font=f, fill=int(255 - grey))

    def stickers(self, im, d, w, h, bw, bh):
        c = self.chance
        for side in (0, 1):
            if c.random() < 0.4:
                sw, sh = c.uniform(0.06, 0.17) * bw, c.uniform(0.5, 1.0) * bh
                x = (w - bw) / 2 + c.uniform(-0.6, 0.4) * sw if side == 0 else (w + bw) / 2 - sw + c.uniform(-0.4, 0.6) * sw
                y = c.uniform((h - bh) / 2, h - sh)
                grey = int(c.uniform(40, 250))
                d.rectangle([x, y, x + sw, y + sh], fill=grey)
                f = self.font(self.pick(self.plain), int(sh * 0.6))
                d.text((x + 2, y + 2), self.pick(["JAN", "FEB", "MAR", "08", "99", "12", "OCT", "04", "7", "2009"]), font=f, fill=int((grey + 128) % 256))
            if c.random() < 0.35:  # a bolt
                r = c.uniform(0.06, 0.16) * bh
                x, y = (w - bw) / 2 + (0.14 if side == 0 else 0.86) * bw + c.normal(0, 12), c.uniform((h - bh) / 2, (h + bh) / 2)
                d.ellipse([x - r, y - r, x + r, y + r], fill=int(c.uniform(0, 255)))

    # The band beside a number.

    def band(self):
        c, w, h = self.chance, STORED_WIDTH * SCALE, STORED_HEIGHT * SCALE
        bw, bh = BOX_WIDTH * SCALE, BOX_HEIGHT * SCALE
        left, top = (w - bw) / 2, (h - bh) / 2
        ground = c.uniform(130, 245)
        im = Image.new("L", (w, h), int(ground))
        d = ImageDraw.Draw(im)
        blue = float(np.clip(c.normal(75, 30), 10, 150))
        ink = float(np.clip(c.normal(220, 30), blue + 40, 255))
        label = self.pick(self.bands) if c.random() < 0.88 else ""
        x0 = left + c.uniform(0.05, 0.42) * bw
        x1 = x0 + c.uniform(0.38, 0.55) * bw
        y0, y1 = top + c.uniform(-0.15, 0.12) * bh, top + bh - c.uniform(-0.15, 0.12) * bh
        # Left of the band: the plate's rim and the car.
        car = int(c.uniform(0, 255))
        d.rectangle([0, 0, x0 - c.uniform(0, 0.06) * bw, h], fill=car)
        if c.random() < 0.5:
            d.rectangle([x0 - 0.06 * bw, 0, x0, h], fill=int(c.uniform(0, 255)))
        corners, centres = np.zeros((4, 2)), []
        if label or c.random() < 0.4:
            d.rectangle([x0, y0, x1, y1], fill=int(blue))
            middle = (x0 + x1) / 2
            # Stars or a flag in the upper half.
            up, r, rx = y0 + 0.33 * (y1 - y0), 0.17 * (y1 - y0), 0.30 * (x1 - x0)
            if c.random() < 0.85:
                star = float(np.clip(c.normal(170, 35), blue + 20, 255))
                for k in range(12):
                    x, y = middle + rx * np.sin(k * np.pi / 6), up - r * np.cos(k * np.pi / 6)
                    sx, sy = 0.055 * (x1 - x0), 0.028 * (y1 - y0)
                    d.ellipse([x - sx, y - sy, x + sx, y + sy], fill=int(star))
            else:
                for k in range(3):
                    d.rectangle([middle - rx, up - r + k * 2 * r / 3, middle + rx, up - r + (k + 1) * 2 * r / 3], fill=int(c.uniform(20, 240)))
        if label:
            # Plates' own letters, stretched by the cut: drawn apart and then placed.
            f = self.font(self.pick(self.plain), 64)
            box = f.getbbox(label)
            letters = Image.new("L", (box[2] - box[0] + 4, box[3] - box[1] + 4), 0)
            ImageDraw.Draw(letters).text((2 - box[0], 2 - box[1]), label, font=f, fill=255)
            wide = {1: c.uniform(0.22, 0.5), 2: c.uniform(0.42, 0.75), 3: c.uniform(0.6, 0.9)}[len(label)] * (x1 - x0)
            tall = c.uniform(0.17, 0.33) * (y1 - y0)
            letters = letters.resize((max(3, int(wide)), max(3, int(tall))), Image.BILINEAR)
            x, y = middle - wide / 2 + c.normal(0, 0.02) * bw, y1 - tall - c.uniform(0.05, 0.20) * (y1 - y0)
            im.paste(int(ink), (int(x), int(y)), letters)
            corners = np.array([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]]) / SCALE
            centres = [(x + wide * (k + 0.5) / len(label)) / SCALE for k in range(len(label))]
        if c.random() < 0.75:  # the first character of the number
            f = self.font(self.pick(self.plain), int(bh * 1.0))
            letter = self.pick("ABCDEFGHJKLMNPRSTUVWXYZ0123456789")
            big = Image.new("L", (int(f.getlength(letter)) + 8, int(bh * 1.3)), 0)
            ImageDraw.Draw(big).text((4, 0), letter, font=f, fill=255)
            big = big.resize((int(big.width * 2.4), big.height))
            im.paste(int(c.uniform(0, 80)), (int(max(x1 + 4, left + c.uniform(0.88, 1.05) * bw)), int(top - 0.12 * bh)), big)
        return self.seen(im), label, corners, centres

    # The camera.

    def seen(self, im: Image.Image) -> np.ndarray:
        c = self.chance
        # As few pixels as the camera had: a strip of 10 to 60 rows.
        rows = float(np.exp(c.uniform(np.log(10), np.log(60)))) * STORED_HEIGHT / BOX_HEIGHT
        factor = rows / STORED_HEIGHT
        aspect = c.uniform(0.5, 1.1)
        small = im.resize((max(24, int(STORED_WIDTH * factor * aspect * 1.6)), max(8, int(rows))), Image.BOX)
        if c.random() < 0.7:
            small = small.filter(ImageFilter.GaussianBlur(float(c.uniform(0, 0.7))))
        a = np.asarray(small).astype(np.float32)
        a = (a - 128) * c.uniform(0.5, 1.05) + 128 + c.normal(0, 15)
        a += c.standard_normal(a.shape) * c.uniform(0, 8)
        small = Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))
        if c.random() < 0.5:
            b = io.BytesIO()
            small.save(b, "JPEG", quality=int(c.integers(45, 95)))
            small = Image.open(b)
        return np.asarray(small.resize((STORED_WIDTH, STORED_HEIGHT), Image.BICUBIC))


def main() -> None:
    arguments = argparse.ArgumentParser(description="Renders the lettering around plates' characters.")
    arguments.add_argument("pool", type=Path)
    arguments.add_argument("--pictures", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    options.pool.mkdir(parents=True, exist_ok=True)
    for chunk in range((options.pictures + CHUNK - 1) // CHUNK):
        name = options.pool / f"{chunk:05d}"
        if name.with_suffix(".tsv").exists():
            continue
        painter = Painter(options.seed * 1000 + chunk)
        pixels, rows = np.empty((CHUNK, STORED_HEIGHT, STORED_WIDTH), np.uint8), []
        for i in range(CHUNK):
            pixels[i], label, corners, centres = painter.one()
            rows.append("\t".join([label, " ".join(f"{v:.1f}" for v in corners.ravel()), " ".join(f"{v:.1f}" for v in centres)]))
        name.with_suffix(".pix.part").write_bytes(pixels.tobytes())
        name.with_suffix(".pix.part").rename(name.with_suffix(".pix"))
        name.with_suffix(".tsv.part").write_text("\n".join(rows) + "\n")
        name.with_suffix(".tsv.part").rename(name.with_suffix(".tsv"))
        print(f"{(chunk + 1) * CHUNK} pictures", flush=True)


if __name__ == "__main__":
    main()
