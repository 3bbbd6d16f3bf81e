"""Measuring for a given time, however slow the machine happens to be."""

import statistics
import time


def throughput(run_block, block_steps, batch, seconds):
    """Calls `run_block()`, which does `block_steps` steps, until the time is over."""
    steps, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        run_block()
        steps += block_steps
    return {
        "samplesPerSecond": batch * steps / elapsed,
        "meanStepMilliseconds": 1e3 * elapsed / steps,
        "steps": steps,
    }


def median_time(once, seconds, least=3):
    """Calls `once()`, which returns what it took in seconds, until the time is over."""
    times, start = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - start < seconds:
        times.append(once())
    return {"medianMilliseconds": 1e3 * statistics.median(times), "iterations": len(times)}
