# SPDX-License-Identifier: Apache-2.0
"""The rivals that torch does not bring along. Each is a function; a Python file given with --rivals may define any of
them, and a dict `versions` (name: text). What that file lacks is taken from the packages where they are installed:

mamba_ssm:      pip install mamba-ssm --no-build-isolation, with its CUDA extension selective_scan_cuda.
state update:   the same package: mamba_ssm/ops/triton/selective_state_update.py.
causal-conv1d:  pip install causal-conv1d --no-build-isolation.

    selective_scan(u, dt, A, B, C, D, z, bias) -> (y, state)
        softplus, skip and gate; u, dt, z, y [batch, D, L], B, C [batch, 1, N, L] in the storage type; A [D, N], D, bias
        [D] and the last state [batch, D, N] in f32; starts from state 0
    state_update(state, x, dt, A, B, C, D, z, bias) -> y
        one step in place; state [S, D, N], A [D, N], D, bias [D] in f32; x, dt, z, y [S, D], B, C [S, N]
    causal_conv1d(x, weight, bias, y)
        SiLU; x, y [batch, D, L] with either of the last two axes contiguous; weight [D, W], bias [D] in f32
"""
import importlib.metadata
import importlib.util

NAMES = {"selective_scan": "mamba_ssm", "state_update": "mamba_ssm, Triton", "causal_conv1d": "causal-conv1d"}


class Absent(Exception):
    """Why a rival is not there."""


class Rivals:
    """Functions by name; `versions` of those that are there."""

    def __init__(self, path=None):
        self.functions, self.missing, self.versions = {}, {}, {}
        module = load(path) if path else None
        for name, package in NAMES.items():
            try:
                given = getattr(module, name, None)
                self.functions[name] = given or globals()[f"installed_{name}"](self.versions)
            except ImportError as error:
                self.missing[name] = f"no {package}: {error}; bench/gpu/rivals.py says where it comes from"
        self.versions.update(getattr(module, "versions", {}))

    def __getitem__(self, name):
        if name not in self.functions:
            raise Absent(self.missing[name])
        return self.functions[name]


def load(path):
    spec = importlib.util.spec_from_file_location("rivals_given", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed_selective_scan(versions):
    import selective_scan_cuda
    versions["mamba_ssm"] = importlib.metadata.version("mamba_ssm")

    def selective_scan(u, dt, A, B, C, D, z, bias):
        _, carries, y = selective_scan_cuda.fwd(u, dt, A, B, C, D, z, bias, True)
        return y, carries[:, :, -1, 1::2]

    return selective_scan


def installed_state_update(versions):
    from mamba_ssm.ops.triton.selective_state_update import selective_state_update
    versions["mamba_ssm"] = importlib.metadata.version("mamba_ssm")

    def state_update(state, x, dt, A, B, C, D, z, bias):
        return selective_state_update(state, x, dt, A, B, C, D=D, z=z, dt_bias=bias, dt_softplus=True)

    return state_update


def installed_causal_conv1d(versions):
    import causal_conv1d_cuda
    versions["causal_conv1d"] = importlib.metadata.version("causal_conv1d")

    def causal_conv1d(x, weight, bias, y):
        causal_conv1d_cuda.causal_conv1d_fwd(x, weight, bias, None, None, y, None, True)

    return causal_conv1d
