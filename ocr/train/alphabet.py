"""The characters a plate may carry, and their numbers in the network's output."""

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
BLANK = 0
CLASSES = 1 + len(CHARACTERS)
_NUMBER = {c: i + 1 for i, c in enumerate(CHARACTERS)}


def encode(text: str) -> list[int]:
    """The classes of a text."""
    return [_NUMBER[c] for c in text]


def decode(classes: list[int]) -> str:
    """The text of one class per time step: repeats merged, blanks dropped."""
    out, last = [], BLANK
    for k in classes:
        if k != last and k != BLANK:
            out.append(CHARACTERS[k - 1])
        last = k
    return "".join(out)


def fold(text: str) -> str:
    """The text with O, Q as 0 and I as 1: shapes that several countries do not tell apart."""
    return text.replace("O", "0").replace("Q", "0").replace("I", "1")
