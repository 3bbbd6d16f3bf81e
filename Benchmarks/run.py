"""Races EvenKeel against its peers on this machine; `make bench` sets everything up and runs this.

Contestants take turns round by round, on the same processors; medians and ratios are printed, and
everything is written as JSON. README.md beside this file tells what is measured.
"""

import argparse
import os
import pathlib
import sys

from harness import machine, report
from harness.contestant import ROOT
from harness.options import Options
from suites import inference, layer, layers, mlp, neighbour, resnet

SUITES = {
    "mlp": mlp,
    "resnet": resnet,
    "inference": inference,
    "layer": layer,
    "layers": layers,
    "neighbour": neighbour,
}


def parse():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", metavar="suite", help=f"{', '.join(SUITES)}; all by default"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each race (7)")
    parser.add_argument("--threads", type=int, default=2, help="threads of everybody (2)")
    parser.add_argument(
        "--quick", action="store_true", help="a few short rounds: a look, not a figure"
    )
    parser.add_argument("--peers-only", action="store_true", help="leave EvenKeel out")
    parser.add_argument(
        "--output", type=pathlib.Path, default=ROOT / "bench-results", help="JSON goes here"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(SUITES)
    if unknown:
        parser.error(
            f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}"
        )
    if arguments.rounds < 1 or arguments.threads < 1:
        parser.error("rounds and threads must be at least 1")
    return arguments


def main():
    arguments = parse()
    chosen = machine.processors(arguments.threads)
    if len(chosen) < arguments.threads:
        sys.exit(
            f"error: {arguments.threads} threads need as many processors; here are {len(chosen)}"
        )
    described = machine.describe(ROOT, arguments.threads)
    if os.getloadavg()[0] > 0.5:
        print(f"The machine is not quiet: load average {os.getloadavg()[0]:.1f}.", file=sys.stderr)
    options = Options(
        threads=arguments.threads,
        rounds=min(arguments.rounds, 2) if arguments.quick else arguments.rounds,
        processors=chosen,
        quick=arguments.quick,
        peers_only=arguments.peers_only,
    )
    races, goals = [], []
    for name in arguments.suites or SUITES:
        more_races, more_goals = SUITES[name].run(options)
        races += more_races
        goals += more_goals

    print(f"{described['cpu']}, {arguments.threads} threads; medians of {options.rounds} rounds\n")
    print("\n\n".join(report.table(race) for race in races))
    if goals:
        print("\n" + report.goals_table(goals))
    print(f"\nWritten to {report.write(arguments.output, described, races, goals)}")
    # A figure that is missing is a failure; one that misses its goal is a result.
    if not all(
        entry.values
        for race in races
        for entry in race.entries
        if entry.family.startswith("EvenKeel")
    ):
        sys.exit("error: EvenKeel could not be measured in every race")


if __name__ == "__main__":
    main()
