"""Which characters to expect more, and which less, than rendered plates say.

A photograph loses more of a character than a rendered plate does, and what has lost a
detail looks like a simpler character: one Q in nine was read as O but no O as Q (of 151
and 195, one look each), a 9 as 3 17 times and a 3 as 9 never (of 1,137 and 1,191), I as
T 12 and 4 times, Y as V 7 and 1, M as H 6 and 0. So each character's score gets an
addend where the model is written: it is a matter of what is expected, not of what is
seen, and nothing is trained. The addends are rounded from those that make the true
characters of 13 sets of labelled photographs likeliest, with their squares held small;
fitted to two thirds of the sets, they left 401 of 421 errors of the last third. Q has
less since the networks have seen more Qs: they read it as O 27 instead of 35 times, and
with 0.7 an O as Q. O and 0 have the same, because which of them it is depends on the
country alone.
"""

import copy

import torch

from alphabet import encode
from network import Reader

# Natural logarithms: 0.7 is twice as likely.
ADDENDS = {
    "9": 0.7, "K": 0.4, "Y": 0.4, "8": 0.3, "W": 0.3, "B": 0.2, "G": 0.2, "M": 0.2, "Q": 0.2, "R": 0.2,
    "3": -0.2, "H": -0.2, "T": -0.2, "F": -0.3, "0": -0.4, "5": -0.4, "D": -0.4, "O": -0.4, "U": -0.4, "V": -0.4, "Z": -0.4, "L": -0.5,
}  # fmt: skip


def added(net: Reader) -> Reader:
    """A copy of the network that expects as photographs do."""
    return _shifted(net, 1)


def taken(net: Reader) -> Reader:
    """A copy without it, to train with: the way back."""
    return _shifted(net, -1)


def _shifted(net: Reader, sign: int) -> Reader:
    net = copy.deepcopy(net)
    with torch.no_grad():
        for character, addend in ADDENDS.items():
            net.output.bias[encode(character)] += sign * addend
    return net
