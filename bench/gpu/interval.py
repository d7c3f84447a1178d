# SPDX-License-Identifier: Apache-2.0
"""The ratio of two series of times that were measured in the same rounds, and its 95 % interval."""
import random
from statistics import median

RESAMPLES = 2000  # the ends of the interval then move by less than its own width in 40 from seed to seed


def speed(ours, rival, work=1.0):
    """How many times faster `ours` is: ratio of the medians, times `work`, ours over the rival's."""
    return work * median(rival) / median(ours)


def interval(ours, rival, work=1.0, resamples=RESAMPLES, seed=1):
    """The 95 % interval of speed(): percentiles of a bootstrap. Whole rounds are drawn, so that a slow phase of the
    machine, which hits both of a round, does not count as a difference."""
    if len(ours) != len(rival) or len(ours) < 3:
        raise ValueError(f"{len(ours)} and {len(rival)} times: wanted the same number, at least 3")
    draw = random.Random(seed)
    rounds = range(len(ours))
    found = []
    for _ in range(resamples):
        chosen = draw.choices(rounds, k=len(ours))
        found.append(speed([ours[i] for i in chosen], [rival[i] for i in chosen], work))
    found.sort()
    tail = resamples * 25 // 1000
    return found[tail], found[-1 - tail]
