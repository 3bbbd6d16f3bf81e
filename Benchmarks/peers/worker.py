"""One peer's process: builds and warms up, says so, then measures whenever it is told to.

    python -m peers.worker MODULE VARIANT WORKLOAD-AS-JSON

A peer's module has `prepare(variant, workload)`, which returns a function that measures one round
and gives a dictionary. Standard output belongs to the answers; all else goes to standard error.
"""

import importlib
import json
import os
import sys


def main():
    module, variant, workload = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    measure = importlib.import_module(module).prepare(variant, workload)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure()), file=answers, flush=True)


if __name__ == "__main__":
    main()
