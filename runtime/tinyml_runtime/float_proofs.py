"""When float64 rounds a product as the exact integers do, though it cannot hold the product.

`requantize.py` says which floor is the result: of x = acc * factor, plus or minus a nudge, plus
1/2. Floats are off by a little; that matters only for an x that comes that near to a value at which
the floor changes. x is a multiple of multiplier * 2**(shift - 31), so which of its values come
nearest to such a place is found by one division, when the factor is known.
"""

from __future__ import annotations

import math

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint

# The product and two sums, no larger than `largest`, are each off by at most largest * 2**-53.
_LOST = 2.0**-51
_LARGEST_EXACT = 2.0**62


def keeps_away(
    factor: FixedPoint, farthest: float, largest: float, *, is_nudged: bool = True
) -> bool:
    """Whether floats give the rounded acc * factor for every accumulator of 32 bits.

    Results matter up to a magnitude of `farthest`, beyond which they are clamped; no term that is
    added on the way to them is larger than `largest`. Without a nudge there is but one rounding.
    """
    bits, right = 31 - factor.shift, max(-factor.shift, 0) if is_nudged else 0
    if factor.multiplier <= 0 or bits < 1 or math.ldexp(farthest, bits) >= _LARGEST_EXACT:
        return False
    # The result is n from n - 1/2 - nudge on if x is positive. The places of a negative x are the
    # same with the other sign, and so are as far from multiples.
    changes = (2 * np.arange(int(farthest) + 1, dtype=np.int64) + 1) << (bits - 1)
    changes -= (1 << (bits - right - 1)) if right else 0
    rest = changes % factor.multiplier
    nearest = np.minimum(rest, factor.multiplier - rest).min()
    return bool(nearest > math.ldexp(largest * _LOST, bits))
