# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on: card, driver, versions, clocks. Changes no setting of the card."""
import datetime
import platform
import subprocess

QUERY = "name,driver_version,clocks.max.sm,clocks.max.mem,power.limit,persistence_mode"


def smi(fields, device):
    """{field: text} as nvidia-smi prints them; empty when it cannot be asked."""
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader", "-i", str(device)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    values = [v.strip() for v in done.stdout.strip().split(",")]
    return dict(zip(fields.split(","), values)) if done.returncode == 0 else {}


def describe(torch, device, versions):
    """Written at the head of a table."""
    asked = smi(QUERY, device)
    seen = {"date": datetime.date.today().isoformat(), "card": torch.cuda.get_device_name(device),
            "driver": asked.get("driver_version", "unknown"),
            "SM clock, highest": asked.get("clocks.max.sm", "unknown"),
            "memory clock, highest": asked.get("clocks.max.mem", "unknown"),
            "power limit": asked.get("power.limit", "unknown"), "python": platform.python_version(),
            "torch": torch.__version__, "CUDA of torch": torch.version.cuda}
    try:
        import triton
        seen["triton"] = triton.__version__
    except ImportError:
        pass
    seen.update(versions)
    return seen


def readings(torch, device):
    """SM clock in MHz, temperature and power just now, where NVML can be asked."""
    found = {}
    for name, ask in (("sm_mhz", "clock_rate"), ("celsius", "temperature"), ("milliwatts", "power_draw")):
        try:
            found[name] = getattr(torch.cuda, ask)(device)
        except Exception:  # NVML's Python binding or the reading is missing: the number is left out
            pass
    return found
