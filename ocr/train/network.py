"""A reading network: convolutions over the whole plate, then one LSTM each way.

Everything here follows what Tesseract computes, so that the weights can be
written into its file: convolutions see uniform noise outside the picture,
max-pooling comes before tanh (the same, tanh grows), activations are clipped
to [-1, 1] as its 8-bit arithmetic does.
"""

from pathlib import Path
from typing import Callable

import torch
from torch import nn
from torch.nn import functional as F

import alphabet
import noise
import picture
from network_shape import SHAPES, Shape


def _processor() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


# Tesseract rounds a row of weights, its bias included, with one step set by
# the row's largest element. A bias far above the weights takes their bits.
BIAS_LIMIT = 5.0

# Training convolves in 16 bits where the processor computes with them: a third
# faster, and the noise at the border is far above what is rounded away. The
# last part of a run, which rounds as Tesseract does, keeps 32.
HALF = torch.cuda.is_available() or "avx512_bf16" in _processor() or "amx_bf16" in _processor()


class _NoisePad(torch.autograd.Function):
    """Surrounds a picture with uniform noise in [-1, 1]."""

    @staticmethod
    def forward(ctx, x, rows, columns):
        ctx.pad = rows, columns
        batch, channels, height, width = x.shape
        memory = torch.channels_last if channels > 1 else torch.contiguous_format
        out = torch.empty((batch, channels, height + 2 * rows, width + 2 * columns), dtype=x.dtype, device=x.device, memory_format=memory)
        out[:, :, rows : rows + height, columns : columns + width] = x
        if rows:
            out[:, :, :rows].uniform_(-1, 1)
            out[:, :, rows + height :].uniform_(-1, 1)
        if columns:
            out[..., :columns].uniform_(-1, 1)
            out[..., columns + width :].uniform_(-1, 1)
        return out

    @staticmethod
    def backward(ctx, gradient):
        rows, columns = ctx.pad
        return gradient[:, :, rows : gradient.shape[2] - rows, columns : gradient.shape[3] - columns], None, None


def _rounded(weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of weights and their biases in Tesseract's 8 bits, with a straight-through gradient."""
    with torch.no_grad():
        largest = torch.maximum(weight.abs().flatten(1).amax(1), bias.abs())
        step = largest / 127 + 1e-12
        wide = step.view(-1, *[1] * (weight.ndim - 1))
        dw = (weight / wide).round() * wide - weight
        db = (bias / step).round() * step - bias
    return weight + dw, bias + db


def _eight_bits(x: torch.Tensor) -> torch.Tensor:
    """Activations as Tesseract's 8-bit layers hand them on."""
    return x + ((x.clamp(-1, 1) * 127).round() / 127 - x).detach()


class Layer(nn.Module):
    """Convolution, max-pool, batch norm, tanh."""

    def __init__(self, inputs: int, outputs: int, kernel=(3, 3), pool=None):
        super().__init__()
        self.pad = kernel[0] // 2, kernel[1] // 2
        self.pool = pool
        self.weight = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(outputs, inputs, *kernel), a=5**0.5))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("var", torch.ones(outputs))

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of the convolution with the batch norm inside."""
        k = self.scale.abs() / torch.sqrt(self.var + 1e-5)
        return self.weight * k.view(-1, 1, 1, 1), self.bias - self.mean * k

    def excess(self) -> torch.Tensor:
        """How far folded biases stand above BIAS_LIMIT times their row's largest weight."""
        weight, bias = self.folded()
        return F.relu(bias.abs() / (weight.abs().flatten(1).amax(1) + 1e-6) - BIAS_LIMIT).mean()

    def as_exported(self, x: torch.Tensor, border: noise.Border, eight_bits: bool) -> torch.Tensor:
        """What Tesseract computes: batch norm folded, its own noise at the border, 8 bits if wanted."""
        weight, bias = self.folded()
        windows = border.windows.to(x.device)
        if eight_bits:
            weight, bias = _rounded(weight, bias)
            windows = (windows * 127).round() / 127
        y = F.conv2d(x, weight, bias, padding=self.pad).permute(0, 2, 3, 1)
        outside = F.linear(windows, weight.flatten(1))  # places x outputs
        # Rows and columns in one, channels last as they lie in memory: nothing is copied.
        y = y.flatten(1, 2).index_add(1, border.places.to(x.device), outside.expand(len(x), -1, -1)).view(y.shape).permute(0, 3, 1, 2)
        y = torch.tanh(F.max_pool2d(y, self.pool) if self.pool else y)
        return _eight_bits(y) if eight_bits else y

    def unfold(self, x: torch.Tensor) -> torch.Tensor:
        """Gives a batch norm that changes nothing the mean and the spread of x there, and a scale and a bias that undo both."""
        y = self.before_norm(x)
        out = torch.tanh(y + self.bias.view(1, -1, 1, 1))
        self.mean.copy_(y.mean((0, 2, 3)))
        self.var.copy_(y.var((0, 2, 3), unbiased=False))
        self.scale.copy_(torch.sqrt(self.var + 1e-5))
        self.bias += self.mean
        return out

    def before_norm(self, x: torch.Tensor) -> torch.Tensor:
        """What the batch norm sees in training: fresh noise around, no bias."""
        x = _NoisePad.apply(x, *self.pad)
        if HALF and x.shape[1] > 1:
            y = F.conv2d(x.bfloat16(), self.weight.bfloat16()).float()
        else:
            y = F.conv2d(x, self.weight)
        return F.max_pool2d(y, self.pool) if self.pool else y

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Training's way: batch norm from the batch, fresh noise around."""
        y = self.before_norm(x)
        return torch.tanh(F.batch_norm(y, self.mean, self.var, self.scale.abs(), self.bias, self.training, 0.05, 1e-5))


class Drop(nn.Module):
    """Dropout. PyTorch's own draws from a generator that is slow without Intel's library."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return y
        return y * ((torch.rand_like(y) >= self.share) / (1 - self.share))


def deepened(pictures: torch.Tensor, fold: tuple[int, int]) -> torch.Tensor:
    """Pictures with their squares of fold rows and columns as depth, column by column: Tesseract's S."""
    if fold == (1, 1):
        return pictures[:, None]
    batch, height, width = pictures.shape
    rows, columns = fold
    y = pictures.view(batch, height // rows, rows, width // columns, columns)
    y = y.permute(0, 4, 2, 1, 3).reshape(batch, rows * columns, height // rows, width // columns)
    return y.contiguous(memory_format=torch.channels_last)


class Reader(nn.Module):
    """Pictures (batch x 48 x 168, -1 to 1) to class scores (steps x batch x classes)."""

    def __init__(self, shape: Shape = SHAPES["plate"]):
        super().__init__()
        self.shape = shape
        depths = [depth for _, _, depth in shape.maps]
        pools = [p if p != (1, 1) else None for p in shape.pools]
        self.layers = nn.ModuleList([Layer(i, o, pool=p) for i, o, p in zip(depths, shape.channels, pools)])
        self.layers.append(Layer(depths[-1], shape.channels[-1], (1, 3)))
        self.lstm = nn.LSTM(shape.channels[-1], shape.lstm, bidirectional=True)
        self.drop = Drop(0.1)
        self.output = nn.Linear(2 * shape.lstm, alphabet.CLASSES)
        # As it will run: batch norm folded in and frozen, Tesseract's own noise;
        # with eight_bits also Tesseract's rounding.
        self.exported = False
        self.eight_bits = False

    def excess(self) -> torch.Tensor:
        return sum(layer.excess() for layer in self.layers)

    def features(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """What the convolutions put out, layer by layer."""
        borders = iter(noise.borders(self.shape))
        return self._through(pictures, lambda layer, y: layer.as_exported(y, next(borders), self.eight_bits) if self.exported else layer(y))

    def unfold(self, pictures: torch.Tensor) -> None:
        """Gives batch norms that change nothing the measures of the pictures; the network computes what it did."""
        with torch.no_grad():
            self._through(pictures, Layer.unfold)

    def _through(self, pictures: torch.Tensor, step: Callable[[Layer, torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
        """What step makes of each convolution's input."""
        if self.shape.picture != tuple(pictures.shape[1:]):
            pictures = picture.reduced(pictures)
        y, out = deepened(pictures, self.shape.fold), []
        for layer in self.layers:
            if layer is self.layers[-1]:
                # Tesseract's S stacks the rows into the depth, row by row.
                batch, channels, rows, steps = y.shape
                y = y.permute(0, 2, 1, 3).reshape(batch, rows * channels, 1, steps)
            y = step(layer, y)
            out.append(y)
        return out

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.scores(self.features(pictures)[-1])

    def scores(self, y: torch.Tensor) -> torch.Tensor:
        """From what the last convolution puts out to class scores."""
        y = y[:, :, 0].permute(2, 0, 1)
        y = self.drop(self._both_ways(y) if self.eight_bits else self.lstm(y)[0])
        if self.eight_bits:
            return F.linear(_eight_bits(y), *_rounded(self.output.weight, self.output.bias))
        return self.output(y)

    def _both_ways(self, y: torch.Tensor) -> torch.Tensor:
        """The LSTM with rounded weights: a row holds input, recurrent weights and both biases."""
        parameters = []
        for suffix in ("", "_reverse"):
            into, back, b1, b2 = (getattr(self.lstm, f"{n}_l0{suffix}") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            weight, bias = _rounded(torch.cat([into, back], 1), b1 + b2)
            n = into.shape[1]
            parameters += [weight[:, :n], weight[:, n:], bias, torch.zeros_like(bias)]
        zero = y.new_zeros(2, y.shape[1], self.shape.lstm)
        return torch._VF.lstm(y, (zero, zero), parameters, True, 1, 0.0, self.training, True, False)[0]


def load(path: Path, device) -> Reader:
    """The network of a file that imported.py or train.py wrote, to ask what it says."""
    state = torch.load(path, map_location=device)
    net = Reader(SHAPES[state["shape"]]).to(device).to(memory_format=torch.channels_last)
    net.load_state_dict(state["net"])
    return net.eval()


def weights(net: nn.Module) -> int:
    """How many weights a network has."""
    return sum(p.numel() for p in net.parameters())
