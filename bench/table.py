# SPDX-License-Identifier: Apache-2.0
"""Speeds against rivals: one row per goal. Every ratio is measured in one run, interleaved with its rival."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

MODEL = "models/kjv-8x11m"
ROWS = "build/bin/ks_bench_rows"
MODEL_IDS = [f"model-{phase}-{dtype}" for dtype in ("f32", "bf16") for phase in ("prefill", "decode")]


def fail(text):
    sys.exit(f"error: {text}")


def empty_row(ident, what, shape, rival, unit, goal):
    return {"id": ident, "what": what, "shape": shape, "ours": None, "rival": rival, "rival_value": None,
            "unit": unit, "ratio": None, "goal": goal, "met": None, "note": ""}


def run_json(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"{command[0]} ended with {done.returncode}")
    return json.loads(done.stdout)


def core_ids(isa):
    try:
        done = subprocess.run([ROWS, "--list"] + (["--isa", isa] if isa else []), capture_output=True, text=True)
    except OSError as error:
        fail(f"{ROWS}: {error.strerror}; run bench/run")
    if done.returncode:
        fail(done.stderr.strip() or f"{ROWS} ended with {done.returncode}")
    return done.stdout.split()


def core_rows(only, rounds, isa):
    """Rows of one core, measured in one process; yields them as they come."""
    command = [ROWS, "--rounds", str(rounds)] + (["--only", only] if only else []) + (["--isa", isa] if isa else [])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        fail("ks_bench_rows failed")


def cpu_name():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "unknown CPU")


def torch_reason(python):
    """Why this Python cannot be the rival, or nothing."""
    if not python:
        return "PyTorch was not asked for: --torch-python PATH or KS_TORCH_PYTHON"
    try:
        done = subprocess.run([python, "-c", "import numpy, torch"], capture_output=True, text=True)
    except OSError as error:
        return f"{python}: {error.strerror}"
    return f"{python}: {done.stderr.strip().splitlines()[-1]}" if done.returncode else None


def model_rows(args, ids):
    for dtype in ("f32", "bf16"):
        wanted = [p for p in ("prefill", "decode") if f"model-{p}-{dtype}" in ids]
        if wanted:
            yield from measure_model(args, dtype, wanted)


def measure_model(args, dtype, phases):
    """Both engines by turns, on the same core, each time a fresh process; the ratio is that of the rounds' median."""
    threads, prompt, new = 1, 512, 128
    rows = {}
    for phase in phases:
        shape = f"{dtype} {MODEL} {'pp' if phase == 'prefill' else 'tg'}{prompt if phase == 'prefill' else new}, {threads} thread"
        rows[phase] = empty_row(f"model-{phase}-{dtype}", f"ks bench, {phase}", shape, "PyTorch, fastest form", "tokens/s", 2.0)
    reason = torch_reason(args.torch_python)
    ours, theirs, forms = {p: [] for p in phases}, {p: [] for p in phases}, {p: set() for p in phases}
    core = str(max(os.sched_getaffinity(0)))
    mine = ["taskset", "-c", core, "build/bin/ks", "bench", "-m", MODEL, "--dtype", dtype, "-t", str(threads),
            "-p", str(prompt), "-n", str(new), "-o", "json"]
    rival = ["taskset", "-c", core, args.torch_python, "models/bench_torch.py", "--model", MODEL, "--dtype", dtype,
             "--threads", str(threads), "-p", str(prompt), "-n", str(new)]
    mine += ["--isa", args.isa] if args.isa else []
    note = ""
    for _ in range(args.torch_rounds):
        try:
            for result in run_json(mine):
                phase = "prefill" if result["n_prompt"] else "decode"
                if phase in ours:
                    ours[phase].append(result["avg_ts"])
                note = f"{cpu_name()}, core {core}, {result['isa']}"
        except RuntimeError as error:
            fail(error)
        if reason:
            break
        try:
            result = run_json(rival)
        except RuntimeError as error:
            reason = f"bench_torch.py: {error}"
            break
        for phase in phases:
            theirs[phase].append(result[f"{phase}_tokens_per_s"])
            forms[phase].add(result[f"{phase}_form"])
        engine = f"{result['engine']}, error of its logits {result['relative_error_of_logits']}"
    for phase, row in rows.items():
        row["ours"] = statistics.median(ours[phase])
        if reason:
            row["note"] = f"{reason}; {note}"
        else:
            row["rival_value"] = statistics.median(theirs[phase])
            row["ratio"] = statistics.median(a / b for a, b in zip(ours[phase], theirs[phase]))
            row["met"] = row["ratio"] >= row["goal"]
            row["note"] = f"{engine}, {' / '.join(sorted(forms[phase]))}; {note}"
        yield row


def text_of(value):
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def print_row(row):
    met = {True: "met", False: "MISSED", None: "no goal" if row["goal"] is None else "no rival"}[row["met"]]
    ratio, goal = ("-" if value is None else f"{value:.2f}" for value in (row["ratio"], row["goal"]))
    print(f"{row['id']:<27} {text_of(row['ours']):>8} {text_of(row['rival_value']):>8} {row['unit']:<9} "
          f"{ratio:>6} {goal:>5}  {met:<8}  {row['shape']} | {row['rival']}", flush=True)
    print(f"{'':<27} {row['note']}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write the rows to FILE as well")
    parser.add_argument("--only", metavar="ID", help="one row")
    parser.add_argument("--list", action="store_true", help="print the ids of all rows")
    parser.add_argument("--rounds", type=int, default=11, help="interleaved rounds of the rows of one core")
    parser.add_argument("--isa", choices=["avx2", "avx512", "avx512_bf16"],
                        help="rows of one instruction set (default: the best of this CPU and avx2; models: the best)")
    parser.add_argument("--torch-python", metavar="PATH", default=os.environ.get("KS_TORCH_PYTHON", ""),
                        help="a Python that has torch and numpy (default: KS_TORCH_PYTHON)")
    parser.add_argument("--torch-rounds", type=int, default=3, help="turns of both engines, each about a minute")
    args = parser.parse_args()
    if args.rounds < 3 or args.torch_rounds < 1:
        parser.error("--rounds must be at least 3, --torch-rounds at least 1")

    of_core = core_ids(args.isa)
    ids = of_core + MODEL_IDS
    if args.list:
        return print("\n".join(ids))
    if args.only and args.only not in ids:
        fail(f"--only {args.only}: the rows are {', '.join(ids)}")
    wanted = [args.only] if args.only else ids
    print(f"{'id':<27} {'ours':>8} {'rival':>8} {'unit':<9} {'ratio':>6} {'goal':>5}  met")
    rows = []

    def take(found):
        for row in found:
            rows.append(row)
            print_row(row)

    if set(wanted) & set(of_core):
        take(core_rows(args.only, args.rounds, args.isa))
    take(model_rows(args, wanted))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
