# SPDX-License-Identifier: Apache-2.0
# Draws models/loss.csv as a picture: training loss per token on the left, validation bits per byte on the right.
#
#   python3 models/plot_loss.py models/loss.csv models/loss.png
import csv
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def main(source, target):
    rows = list(csv.DictReader(open(source)))
    checked = [row for row in rows if row["valid_bpb"]]
    figure, left = pyplot.subplots(figsize=(7, 4))
    right = left.twinx()
    a = left.plot(
        [int(r["step"]) for r in rows],
        [float(r["train_nats"]) for r in rows],
        lw=1,
        label="training (nats per token, dropout on)",
    )
    b = right.plot(
        [int(r["step"]) for r in checked],
        [float(r["valid_bpb"]) for r in checked],
        "o-",
        color="tab:orange",
        label="validation chapters (bits per byte)",
    )
    left.set_xlabel("step")
    left.set_ylabel("nats per token")
    right.set_ylabel("bits per byte")
    right.set_ylim(1.0, 2.2)
    left.legend(handles=a + b)
    left.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(target, dpi=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
