# SPDX-License-Identifier: Apache-2.0
"""A contest is one piece of work at one size, with everyone who does it; its claims are rows of the table."""
import gc
from dataclasses import dataclass, field
from statistics import median
from typing import Callable

from bench.gpu.interval import interval, speed
from bench.gpu.kingsnake import NoKernel
from bench.gpu.rivals import Absent
from bench.gpu.timing import captured, race
from bench.table import empty_row

OURS = "kingsnake"


@dataclass
class Claim:
    """`rivals`: the one with the smallest median counts. unit "us", or "GB/s": work of a contender over its time."""
    id: str
    what: str
    shape: str
    rivals: tuple
    goal: float
    unit: str = "us"


@dataclass
class Contest:
    """build(bench) makes a Field."""
    claims: list
    build: Callable


@dataclass
class Field:
    """Contenders ready to run. `expected`, in float64, is what results() of each must be, within `bound` of its norm;
    `missing` says why a contender is not there, `failed` why one is out of the race."""
    contenders: list
    expected: list
    bound: float
    missing: dict = field(default_factory=dict)
    failed: dict = field(default_factory=dict)
    note: str = ""

    def add(self, name, make):
        """make() returns the contender, or raises why there is none."""
        try:
            self.contenders.append(make())
        except (NoKernel, Absent) as reason:
            self.missing[name] = str(reason)

    def keep(self, right):
        """Contenders of which right(contender) is true stay; that one fails does not end the race of the others."""
        kept = []
        for c in self.contenders:
            try:
                if right(c):
                    kept.append(c)
            except Exception as error:
                self.failed[c.name] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        self.contenders = kept


def relative_error(got, wanted):
    """Norm of the difference over the norm of `wanted`; NaN where there is one."""
    return ((got.double() - wanted).norm() / wanted.norm()).item()


def drop_wrong(entered):
    """Contenders that do not compute what is asked are out of the race. Returns the errors of all."""
    errors = {}

    def right(c):
        if c.results is None:  # no arithmetic, such as a copy
            return True
        found = [relative_error(got, wanted) for got, wanted in zip(c.results(), entered.expected, strict=True)]
        errors[c.name] = [f"{e:.1e}" for e in found]  # as text: JSON has no NaN
        if not all(e <= entered.bound for e in found):  # true for NaN
            raise ArithmeticError(f"errors {', '.join(errors[c.name])}, allowed {entered.bound:g}")
        return True

    entered.keep(right)
    return errors


def rate(unit, work, seconds):
    return seconds * 1e6 if unit == "us" else work / seconds * 1e-9


def row_of(claim, entered, times):
    """A row as bench/run writes it, and besides the ends of the ratio's interval. The goal is met when the interval
    reaches it."""
    work = {c.name: 1.0 if claim.unit == "us" else c.work for c in entered.contenders}
    present = [name for name in claim.rivals if name in times]
    rival = min(present, key=lambda name: median(times[name]) / work[name], default=None)
    row = empty_row(claim.id, claim.what, claim.shape, rival or " or ".join(claim.rivals), claim.unit, claim.goal)
    row["interval"] = None
    if OURS in times:
        row["ours"] = rate(claim.unit, work[OURS], median(times[OURS]))
    if rival:
        row["rival_value"] = rate(claim.unit, work[rival], median(times[rival]))
    if OURS in times and rival:
        share = work[OURS] / work[rival]
        row["ratio"] = speed(times[OURS], times[rival], share)
        row["interval"] = interval(times[OURS], times[rival], share)
        row["met"] = row["interval"][1] >= claim.goal
    told = {**entered.missing, **{name: f"FAILED: {why}" for name, why in entered.failed.items()}}
    notes = [f"{name}: {why}" for name, why in told.items() if name == OURS or name in claim.rivals]
    others = [f"{n} {rate(claim.unit, work[n], median(times[n])):.4g} {claim.unit}" for n in present if n != rival]
    row["note"] = "; ".join(notes + others + ([entered.note] if entered.note else []))
    return row


def measure(contest, bench):
    """Rows of one contest, each with every sample in seconds, errors of the results and the clock after the race."""
    entered = contest.build(bench)
    errors = drop_wrong(entered)
    graphs = {}

    def ready(c):
        graphs[c.name] = captured(c, bench.device)
        return True

    entered.keep(ready)
    times = race(entered.contenders, graphs, bench.device, bench.rounds)
    after = bench.readings()
    rows = [row_of(claim, entered, times) for claim in contest.claims]
    for row in rows:
        row.update(errors=errors, seconds=times, after=after, failed=sorted(entered.failed))
    del entered, graphs
    gc.collect()
    bench.release()
    return rows
