"""Independent implementations, in one form: what PyTorch on the CPU makes of our arrays. Not a test file."""

import numpy as np
import pytest


def torch_or_skip():
    """Return the torch module, on one thread, or skip the test."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def torch_elman(torch, params, nonlinearity="tanh"):
    """Return `torch.nn.RNN` with our weights: its rows are our columns, and our one bias is the sum of its two."""
    (D, H), dtype = params.W_x.shape, getattr(torch, str(params.b.dtype))
    rnn = torch.nn.RNN(D, H, nonlinearity=nonlinearity, dtype=dtype)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.tensor(params.W_x.T.copy()))
        rnn.weight_hh_l0.copy_(torch.tensor(params.W_h.T.copy()))
        rnn.bias_ih_l0.copy_(torch.tensor(params.b))
        rnn.bias_hh_l0.zero_()
    return rnn


def torch_unroll(torch, rnn, xs, h_first, lengths, dhs, dh_last):
    """Return (hs, h_last, gradients): PyTorch's outputs and the gradients of sum(hs * dhs) + sum(h_last * dh_last).

    gradients: a dict of W_x, W_h, b, xs, h_first in our shapes. Ragged batches go through packed sequences.
    """
    xs, h_first = (torch.tensor(array, requires_grad=True) for array in (xs, h_first))
    packed = torch.nn.utils.rnn.pack_padded_sequence(xs, torch.tensor(lengths), enforce_sorted=False)
    packed_hs, h_last = rnn(packed, h_first[None])
    hs, _ = torch.nn.utils.rnn.pad_packed_sequence(packed_hs, total_length=len(xs))
    ((hs * torch.tensor(dhs)).sum() + (h_last[0] * torch.tensor(dh_last)).sum()).backward()
    gradients = {
        "W_x": rnn.weight_ih_l0.grad.numpy().T,
        "W_h": rnn.weight_hh_l0.grad.numpy().T,
        "b": rnn.bias_ih_l0.grad.numpy(),
        "xs": xs.grad.numpy(),
        "h_first": h_first.grad.numpy(),
    }
    return hs.detach().numpy(), h_last[0].detach().numpy(), gradients


def assert_close(name, value, reference, rtol):
    """Fail unless max |value - reference| <= rtol * max |reference|, the measure of `gradient_check.relative_error`."""
    scale = np.abs(reference).max(initial=0.0)
    worst = np.abs(value - reference).max(initial=0.0)
    assert value.shape == reference.shape, name
    assert worst <= rtol * scale + 1e-300, f"{name}: off by {worst / max(scale, 1e-300):.1e}, relative"
