"""The linear recurrence: by its formula, in three ways, and its gradient."""

import inspect

import numpy as np
import pytest
from judges import assert_close, torch_or_skip
from mutation import caught, surviving

from rnn_tutorial.bound import Bound
from rnn_tutorial.gradient_check import check_gradients
from rnn_tutorial.sequence import (
    associative_scan,
    chunked_recurrence,
    linear_recurrence,
    linear_recurrence_backward,
)

B, H = 3, 4
WAYS = {
    "loop": linear_recurrence,
    "scan": associative_scan,
    "chunks": chunked_recurrence,
    "chunks of 1": Bound(chunked_recurrence, size=1),
    "chunks of 3": Bound(chunked_recurrence, size=3),
    "one chunk": Bound(chunked_recurrence, size=100),
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
each_length = pytest.mark.parametrize("T", [1, 2, 3, 4, 7, 8, 9, 16, 33])


def drawn(rng, T, dtype=np.float64):
    """Return (a, b, h), with a near 1 in size: what is lost on the way shows at the end."""
    size, sign = rng.uniform(0.8, 1.1, (T, B, H)), rng.choice([-1, 1], (T, B, H))
    a, b, h = size * sign, rng.standard_normal((T, B, H)), rng.standard_normal((B, H))
    if np.dtype(dtype).kind == "c":
        turned = np.exp(1j * rng.uniform(0, 2 * np.pi, a.shape))
        a, b, h = a * turned, b + 1j * rng.standard_normal(b.shape), h * np.exp(0.3j)
    return tuple(leaf.astype(dtype) for leaf in (a, b, h))


def formula(a, b, h):
    """Return the closed form, one number at a time: a sum over s of b_s times all later a."""
    hs = np.empty_like(b)
    for t, n, k in np.ndindex(b.shape):
        later = [a[s + 1 : t + 1, n, k].prod() * b[s, n, k] for s in range(t + 1)]
        hs[t, n, k] = a[: t + 1, n, k].prod() * h[n, k] + sum(later)
    return hs


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@each_length
@each_way
def test_every_way_is_the_closed_form(way, T, dtype, rng):
    a, b, h = drawn(rng, T, dtype)
    given = [leaf.copy() for leaf in (a, b, h)]
    assert_close("hs", way(a, b, h), formula(a, b, h), 1e-12)
    for leaf, before in zip((a, b, h), given):
        np.testing.assert_array_equal(leaf, before)  # nothing that is given is changed


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
@each_way
def test_single_precision_stays_single_precision(way, dtype, rng):
    a, b, h = drawn(rng, 20, dtype)
    hs = way(a, b, h)
    assert hs.dtype == dtype
    assert_close(
        "hs", hs, linear_recurrence(*(np.array(leaf, complex) for leaf in (a, b, h))), 1e-5
    )
    gradients = linear_recurrence_backward(a, h, hs, b, scan=way)
    assert {leaf.dtype for leaf in gradients} == {np.dtype(dtype)}


@each_way
def test_a_factor_of_zero_forgets_everything_before(way, rng):
    """The closed form with quotients of products would divide by zero here."""
    a, b, h = drawn(rng, 9)
    a[5] = 0
    hs = way(a, b, h)
    np.testing.assert_allclose(hs[5], b[5], rtol=1e-14)
    assert_close("after", hs[5:], linear_recurrence(a[5:], b[5:], h), 1e-13)


@each_way
def test_ten_thousand_factors_near_zero_do_not_underflow_into_nan(way):
    a, b = np.full((10_000, 1, 1), 1e-9), np.ones((10_000, 1, 1))
    np.testing.assert_allclose(way(a, b, np.zeros((1, 1)))[1:], 1 + 1e-9, rtol=1e-12)


@each_way
def test_two_pieces_are_the_whole(way, rng):
    a, b, h = drawn(rng, 11)
    whole, first = way(a, b, h), way(a[:4], b[:4], h)
    assert_close("second", way(a[4:], b[4:], first[-1]), whole[4:], 1e-13)


def check_backward(backward, way=linear_recurrence, T=9):
    rng = np.random.default_rng(0)
    a, b, h = drawn(rng, T)

    def forward(point):
        hs = way(*point)
        return (hs,), (point[0].real, point[2].real, hs.real)

    def gradients(cache, doutputs):
        return backward(*cache, *doutputs, scan=way)

    check_gradients(forward, gradients, (a, b, h), rng)


@pytest.mark.parametrize("T", [1, 2, 9])
@each_way
def test_every_gradient_is_the_slope(way, T):
    check_backward(linear_recurrence_backward, way, T)


# The state behind the last step is zero, so its factor may be anything; hs has the shape of a.
AS_RIGHT = "np.ones_like(h)", "np.ones_like(a[:1])", "hs[:1])"


def test_every_slip_in_the_backward_is_found():
    count, alive = surviving(linear_recurrence_backward, check_backward)
    alive = [slip for slip in alive if not any(right in slip for right in AS_RIGHT)]
    assert count > 5 and not alive, alive


def check_a_scan(scan):
    rng = np.random.default_rng(0)
    for T in (1, 2, 5, 8):
        a, b, h = drawn(rng, T)
        given = a.copy(), b.copy()
        assert_close("hs", scan(a, b, h), formula(a, b, h), 1e-12)
        assert (a == given[0]).all() and (b == given[1]).all()


SLOWER = "size = ", "isqrt", "local[0]", "a  ->  "  # sizes of chunks; the length of another array


@pytest.mark.parametrize("scan", [linear_recurrence])
def test_every_slip_in_a_scan_is_found(scan):
    count, alive = surviving(scan, check_a_scan)
    alive = [slip for slip in alive if not any(right in slip for right in SLOWER)]
    assert count > 5 and not alive, alive


def test_the_backward_runs_the_scan_that_it_is_given_once(rng):
    a, b, h = drawn(rng, 9)
    lengths = []

    def counted(a, b, h):
        lengths.append(len(a))
        return associative_scan(a, b, h)

    linear_recurrence_backward(a, h, linear_recurrence(a, b, h), b, scan=counted)
    assert lengths == [9]


# Slips of the other two ways, by hand: most that `surviving` makes would never end.
B_THEN_A = inspect.getsource(associative_scan).splitlines(keepends=True)[-4:-2]
SLIPS = [
    (associative_scan, "".join(B_THEN_A), "".join(reversed(B_THEN_A))),
    (associative_scan, "distance = 1", "distance = 2"),
    (associative_scan, "while distance", "while 2 * distance"),
    (associative_scan, "distance *= 2", "distance *= 3"),
    (associative_scan, "+= a[distance:] * b", "+= a[:-distance] * b"),
    (associative_scan, "a[distance:] = a[distance:]", "a[distance:] = a[:-distance]"),
    (associative_scan, "b[0] += a[0] * h", "b[0] += h"),
    (associative_scan, "b[0] += a[0] * h", ""),
    (associative_scan, "a, b = a.copy(), b.copy()", "b = b.copy()"),
    (chunked_recurrence, "local[0] = b[0]", "local[0] = a[0] * b[0]"),
    (chunked_recurrence, "range(1, size)", "range(1, size - 1)"),
    (chunked_recurrence, "a[t] *= a[t - 1]", "pass"),
    (chunked_recurrence, "ends = linear_recurrence(a[-1], local[-1], h)", "ends = local[-1]"),
    (chunked_recurrence, "local[-1], h)", "local[-1], 0 * h)"),
    (chunked_recurrence, "np.concatenate([h[None], ends[:-1]])", "ends"),
    (chunked_recurrence, "[h[None], ends[:-1]]", "[0 * h[None], ends[:-1]]"),
    (chunked_recurrence, "local += a *", "local += a[-1] *"),
    (chunked_recurrence, "[leaf, padding]", "[padding, leaf]"),
    (chunked_recurrence, "(chunks, size, B, H).swapaxes(0, 1)", "(size, chunks, B, H)"),
]


@pytest.mark.parametrize(("scan", "right", "wrong"), SLIPS)
def test_a_slip_in_a_scan_is_found(scan, right, wrong):
    source = inspect.getsource(scan)
    assert source.count(right) == 1
    namespace = dict(scan.__globals__)
    exec(source.replace(right, wrong), namespace)
    assert caught(check_a_scan, namespace[scan.__name__])


@each_way
def test_agrees_with_pytorch_for_complex_numbers_too(way, rng):
    """PyTorch's gradient by z = u + iv is dL/du + i dL/dv, which is where conj comes from."""
    torch = torch_or_skip()
    for dtype in (np.float64, np.complex128):
        a, b, h = drawn(rng, 9, dtype)
        dhs = drawn(rng, 9, dtype)[1]
        ours = way(a, b, h), *linear_recurrence_backward(a, h, way(a, b, h), dhs, scan=way)
        leaves = [torch.tensor(leaf, requires_grad=True) for leaf in (a, b, h)]
        state, hs = leaves[2], []
        for a_t, b_t in zip(*leaves[:2]):
            state = a_t * state + b_t
            hs.append(state)
        (torch.stack(hs) * torch.tensor(dhs).conj()).sum().real.backward()
        theirs = torch.stack(hs).detach(), *(leaf.grad for leaf in leaves)
        for name, one, other in zip(("hs", "da", "db", "dh"), ours, theirs, strict=True):
            assert_close(name, one, other.numpy(), 1e-12)


def test_without_the_conjugate_a_complex_gradient_is_wrong_and_a_real_one_right(rng):
    for dtype, right in ((np.float64, True), (np.complex128, False)):
        a, b, h = drawn(rng, 9, dtype)
        hs = linear_recurrence(a, b, h)
        G = linear_recurrence(np.concatenate([a[1:], 0 * a[:1]])[::-1], b[::-1], 0 * h)[::-1]
        assert np.allclose(G, linear_recurrence_backward(a, h, hs, b)[1]) == right


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda a, b, h: (a[0], b, h), ValueError, "a: expected shape"),
        (lambda a, b, h: (a[:0], b[:0], h), ValueError, "a: expected at least one step"),
        (lambda a, b, h: (a, b[1:], h), ValueError, "b: expected shape"),
        (lambda a, b, h: (a[:, :1], b, h), ValueError, "b: expected shape"),
        (lambda a, b, h: (a, b, h[:1]), ValueError, "h: expected shape"),
        (lambda a, b, h: (a, b.astype(np.float32), h), TypeError, "b: expected dtype"),
        (lambda a, b, h: (a.astype(int), b.astype(int), h.astype(int)), TypeError, "a: expected"),
        (lambda a, b, h: (list(a), b, h), TypeError, "a: expected a NumPy array"),
    ],
)
@each_way
def test_what_does_not_fit_is_refused_by_name(way, change, error, message, rng):
    with pytest.raises(error, match=message):
        way(*change(*drawn(rng, 5)))


def test_a_size_of_chunks_is_a_positive_whole_number(rng):
    for size in (0, -2, 1.5):
        with pytest.raises(ValueError, match="size"):
            chunked_recurrence(*drawn(rng, 5), size=size)
