# SPDX-License-Identifier: Apache-2.0
"""Interleaved timing of several ways to do one thing on a GPU.

Each contender becomes a CUDA graph of so many launches that it runs for LEAST_SECONDS, so that gaps of launching on
the host do not count; events around one replay give one sample. A round takes one sample of every contender, in an
order that is shuffled anew.

Cold: a contender has `sets` copies of its operands, launch i uses copy i % sets, and the copies together are larger
than the L2 cache COLD_CACHES times over. Warm: one copy, and an untimed replay comes before the timed one.
"""
import math
import random
from dataclasses import dataclass
from typing import Callable

LEAST_SECONDS = 2e-3  # starting a graph costs some microseconds
MOST_LAUNCHES = 1000
COLD_CACHES = 3
WAIT_CYCLES = 3_000_000  # longer than the host takes to launch a graph of MOST_LAUNCHES


@dataclass
class Contender:
    """run(i) launches the work once on torch's current stream and does not wait.
    `work` is what one run does, in whatever a row's unit divides by time (bytes for GB/s)."""
    name: str
    run: Callable[[int], None]
    sets: int = 1
    work: float = 1.0
    results: Callable[[], list] = None  # what it computed from copy 0, in the reference's layout
    cold: bool = False


def cold_sets(set_bytes, cache_bytes):
    return max(1, math.ceil(COLD_CACHES * cache_bytes / set_bytes))


def launches(seconds, sets):
    """Of one graph: whole turns through the copies."""
    wanted = min(MOST_LAUNCHES, max(1, math.ceil(LEAST_SECONDS / seconds)))
    return math.ceil(wanted / sets) * sets


def captured(contender, device):
    """The graph that race() replays."""
    return device.capture(contender.run, launches(device.estimate(contender.run), contender.sets))


def race(contenders, graphs, device, rounds, seed=1):
    """Times of one launch in seconds, a list of `rounds` for every contender's name. `graphs` by name."""
    order = random.Random(seed)
    times = {c.name: [] for c in contenders}
    for _ in range(rounds):
        device.begin_round()
        turn = list(contenders)
        order.shuffle(turn)
        samples = [(c.name, device.sample(graphs[c.name], warm=not c.cold)) for c in turn]
        for name, seconds in device.finish_round(samples):
            times[name].append(seconds)
    return times


class Cuda:
    """The device of a race: torch's current GPU."""

    def __init__(self):
        import torch
        self.torch = torch
        self.cache_bytes = torch.cuda.get_device_properties(torch.cuda.current_device()).L2_cache_size

    def estimate(self, run):
        """Seconds of one launch, roughly; warms up code and data."""
        for i in range(2):
            run(i)
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        self.begin_round()
        start.record()
        for i in range(2):
            run(i)
        end.record()
        self.torch.cuda.synchronize()
        return start.elapsed_time(end) * 1e-3 / 2

    def capture(self, run, count):
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            run(0)
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for i in range(count):
                run(i)
        graph.replay()
        return graph, count

    def begin_round(self):
        # A wait on the GPU, during which the host launches the first sample.
        self.torch.cuda._sleep(WAIT_CYCLES)

    def sample(self, captured, warm):
        graph, count = captured
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        if warm:
            graph.replay()
        start.record()
        graph.replay()
        end.record()
        return start, end, count

    def finish_round(self, samples):
        self.torch.cuda.synchronize()
        return [(name, start.elapsed_time(end) * 1e-3 / count) for name, (start, end, count) in samples]
