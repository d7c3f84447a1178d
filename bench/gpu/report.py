# SPDX-License-Identifier: Apache-2.0
"""A finished run as JSON and as Markdown."""
import datetime
import json
import os
import re

from bench.table import text_of


def write_whole(path, text):
    """No reader sees half a file."""
    part = f"{path}.part"
    with open(part, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(part, path)


def result_path(path, card):
    """In a folder: <card>-<date>.json."""
    if not os.path.isdir(path):
        return path
    name = re.sub(r"[^A-Za-z0-9]+", "-", card).strip("-")
    return os.path.join(path, f"{name}-{datetime.date.today().isoformat()}.json")


def as_json(machine, rows):
    """A line for every row; samples to five digits."""
    lines = []
    for row in rows:
        seconds = {name: [float(f"{s:.5g}") for s in all] for name, all in row.get("seconds", {}).items()}
        lines.append(json.dumps({**row, "seconds": seconds}))
    return '{"machine": ' + json.dumps(machine, indent=1) + ',\n "rows": [\n' + ",\n".join(lines) + "\n]}\n"


def ratio_text(row):
    if row["ratio"] is None:
        return "-"
    low, high = row["interval"]
    return f"{row['ratio']:.2f} ({low:.2f} to {high:.2f})"


def verdict(row):
    return {True: "met", False: "MISSED", None: "not measured"}[row["met"]]


def figure(row, name):
    return "-" if row[name] is None else f"{text_of(row[name])} {row['unit']}"


def as_line(row):
    """For the terminal, while the run goes on."""
    return (f"{row['id']:<36} {figure(row, 'ours'):>12} {figure(row, 'rival_value'):>12} {ratio_text(row):>21} "
            f"{row['goal']:>5g}  {verdict(row):<12}  {row['shape']} | {row['rival']}\n{'':<36} {row['note']}")


def clocks(rows):
    """Lowest and highest SM clock seen right after a race."""
    seen = [row["after"]["sm_mhz"] for row in rows if "sm_mhz" in row.get("after", {})]
    return f"; SM clock after the rows: {min(seen)} to {max(seen)} MHz" if seen else ""


def as_markdown(machine, rows):
    head = "; ".join(f"{name}: {value}" for name, value in machine.items()) + clocks(rows)
    lines = [head + ".", "",
             "Ratio: of the medians, with its 95 % interval; a goal is met when the interval reaches it.", "",
             "| id | what | shape | ours | rival | ratio | goal | |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        note = f": {row['note']}" if row["met"] is None and row["note"] else ""
        lines.append(f"| `{row['id']}` | {row['what']} | {row['shape']} | {figure(row, 'ours')} | "
                     f"{row['rival']} {figure(row, 'rival_value')} | {ratio_text(row)} | {row['goal']:g} | "
                     f"{verdict(row)}{note} |")
    return "\n".join(lines) + "\n"
