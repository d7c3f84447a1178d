# SPDX-License-Identifier: Apache-2.0
"""Speeds against rivals on a GPU: one row per goal, every ratio measured in one process, interleaved and shuffled."""
import argparse
import fnmatch
import shlex
import sys
import traceback

from bench.gpu import machine, report
from bench.gpu.contest import measure
from bench.gpu.kingsnake import Error, NoKernel, open_pack
from bench.gpu.rivals import Rivals
from bench.gpu.rows import all_contests
from bench.table import empty_row


class Bench:
    """What every contest needs: our library (`missing` says why there is none), rivals, the device, torch."""

    def __init__(self, args, root):
        import torch
        self.torch, self.rounds, self.ordinal = torch, args.rounds, args.device
        torch.cuda.set_device(args.device)
        torch.set_default_device(f"cuda:{args.device}")  # of every tensor of the rows
        torch.manual_seed(1)
        torch.backends.cuda.matmul.allow_tf32 = False
        from bench.gpu.timing import Cuda
        self.device = Cuda()
        self.rivals = Rivals(args.rivals)
        self.library, self.missing = None, None
        try:
            self.library = open_pack(args.pack, args.device, root)
        except NoKernel as reason:
            self.missing = f"no CUDA kernel yet: {reason}"

    def bind(self, op, **values):
        """A launch of our op on torch's current stream."""
        if not self.library:
            raise NoKernel(self.missing)
        call = self.library.bind(op, **values)
        return lambda: call(self.torch.cuda.current_stream().cuda_stream)

    def readings(self):
        return machine.readings(self.torch, self.ordinal)

    def release(self):
        self.torch.cuda.synchronize()
        self.torch.cuda.empty_cache()


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/gpu/run", description=__doc__)
    parser.add_argument("--pack", default="build/pack", metavar="DIR", help="built for CUDA (default: build/pack)")
    parser.add_argument("--rivals", metavar="FILE", help="a Python file with rivals (how: bench/gpu/rivals.py)")
    parser.add_argument("--only", metavar="IDS", default="*", help="rows whose id fits one of these patterns: a,b*")
    parser.add_argument("--list", action="store_true", help="print the ids of all rows")
    parser.add_argument("--rounds", type=int, default=41, help="samples of every contender (default: 41)")
    parser.add_argument("--device", type=int, default=0, help="ordinal of the GPU")
    parser.add_argument("--json", metavar="FILE", help="write machine, rows and all samples to FILE (or into a folder)")
    parser.add_argument("--markdown", metavar="FILE", help="write the table to FILE")
    args = parser.parse_args(arguments)
    if args.rounds < 11:
        parser.error("--rounds must be at least 11")
    return args


def chosen(contests, patterns):
    """Contests with the claims that fit a pattern."""
    fits = lambda claim: any(fnmatch.fnmatch(claim.id, p) for p in patterns.split(","))
    kept = []
    for contest in contests:
        contest.claims = [claim for claim in contest.claims if fits(claim)]
        if contest.claims:
            kept.append(contest)
    return kept


def failed_rows(contest, error):
    """A contest that could not be held is told, never dropped."""
    for claim in contest.claims:
        row = empty_row(claim.id, claim.what, claim.shape, " or ".join(claim.rivals), claim.unit, claim.goal)
        row.update(interval=None, note=f"FAILED: {type(error).__name__}: {' '.join(str(error).split())[:300]}",
                   failed=["all"])
        yield row


def command_of(args):
    """What to type again; pack and rivals are known by their hash and versions, not by where they lay."""
    words = ["bench/gpu/run", "--pack", "DIR", *(["--rivals", "FILE"] if args.rivals else [])]
    return shlex.join([*words, "--only", args.only, "--rounds", str(args.rounds)])


def main(root, arguments):
    args = parse(arguments)
    contests = chosen(all_contests(), args.only)
    if not contests:
        sys.exit(f"error: --only {args.only}: no row fits; --list prints the ids")
    if args.list:
        return print("\n".join(claim.id for contest in contests for claim in contest.claims))
    try:
        bench = Bench(args, root)
    except Error as error:
        sys.exit(f"error: {error}")
    except (ImportError, RuntimeError, AssertionError) as error:
        sys.exit(f"error: needs torch and a GPU: {str(error).splitlines()[0]}")
    about = {"pack": bench.library.identity() if bench.library else bench.missing, "rounds": args.rounds,
             "command": command_of(args), **bench.rivals.versions}
    about = machine.describe(bench.torch, args.device, about)
    path = args.json and report.result_path(args.json, about["card"])
    rows, failed = [], False
    for contest in contests:
        try:
            found = measure(contest, bench)
        except Exception as error:  # the other rows are still wanted
            traceback.print_exc()
            found = list(failed_rows(contest, error))
        for row in found:
            rows.append(row)
            failed = failed or bool(row["failed"])
            print(report.as_line(row), flush=True)
        if path:
            report.write_whole(path, report.as_json(about, rows))
        if args.markdown:
            report.write_whole(args.markdown, report.as_markdown(about, rows))
    sys.exit(1 if failed else 0)
