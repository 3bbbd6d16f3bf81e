"""What was measured on, and how quiet it was."""

import importlib.metadata
import os
import platform
import subprocess


def processors(count):
    """Pins this process, and all it starts, to `count` processors, so that nobody can use more."""
    allowed = sorted(os.sched_getaffinity(0))
    chosen = allowed[:count]
    os.sched_setaffinity(0, chosen)
    return chosen


def cpu_model():
    try:
        with open("/proc/cpuinfo") as file:
            names = [
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            ]
        return names[0] if names else platform.processor()
    except OSError:
        return platform.processor()


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def commit(root):
    result = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
    )
    return result.stdout.strip() or None


def describe(root, threads):
    return {
        "cpu": cpu_model(),
        "processors": os.cpu_count(),
        "threads": threads,
        "loadAverage": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "jax", "flax", "optax")},
        "commit": commit(root),
    }
