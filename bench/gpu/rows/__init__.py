# SPDX-License-Identifier: Apache-2.0
"""The rows of the table, by op."""
from bench.gpu.rows import conv, experts, linear, scan, state_update


def all_contests():
    return [contest for op in (scan, state_update, conv, experts, linear) for contest in op.contests()]
