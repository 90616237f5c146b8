"""Several samples at once beside the same samples one by one."""

from __future__ import annotations

import numpy as np

from tests.support.single_op import (
    SingleOp,
    assert_same,
    random_feeds,
    run_ours,
    run_stacked,
)

SAMPLES = 3


def assert_stacks(case: SingleOp, seed: int = 0) -> None:
    """Every one of several samples has the outputs that it has alone."""
    model, feeds = case.model(), random_feeds(case, seed)
    together = run_stacked(model, feeds, SAMPLES)
    for sample in range(SAMPLES):
        alone = run_ours(model, [np.roll(array, sample).reshape(array.shape) for array in feeds])
        assert_same([outputs[sample] for outputs in together], alone)
