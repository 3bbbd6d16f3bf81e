"""Prints the table of docs/layer-speed.md from results of the suite `layers`.

    python Benchmarks/layer_table.py bench-results/TIME.json [more, where the suite was run in parts]
"""

import json
import re
import sys

TITLE = re.compile(r"(?P<kind>[\w-]+), forward and backward, [(\[](?P<shape>[\d, ]+)[)\]], (?P<type>\w+)")
FORMS = {
    "eager": "eager",
    "compiled": "compiled",
    "channels-last": "channels last",
    "channels-last-compiled": "channels last, compiled",
    "contiguous": "channels first",
    "contiguous-compiled": "channels first, compiled",
}


def main():
    print("| layer | type | size | EvenKeel | channels on axis 1 | PyTorch | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in sys.argv[1:]:
        with open(path) as file:
            for race in json.load(file)["races"]:
                print(row(race))


def row(race):
    title = TITLE.match(race["title"])
    medians = {c["name"]: c["median"] for c in race["contestants"] if c["median"]}
    ours, first = medians["EvenKeel"], medians.get("EvenKeel, channel axis 1")
    name = min((n for n in medians if n.startswith("PyTorch ")), key=medians.get)
    best = min(ours, first or ours)
    cells = [
        title["kind"],
        title["type"],
        title["shape"].replace(", ", " x "),
        f"{ours:.2f}",
        f"{first:.2f}" if first else "",
        f"{medians[name]:.2f} ({FORMS[name.removeprefix('PyTorch ')]})",
        f"{medians[name] / best:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
