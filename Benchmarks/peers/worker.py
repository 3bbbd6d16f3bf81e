"""A process of peers: builds and warms up what it is told to, then measures whatever it is told to.

    python -m peers.worker

Each line on standard input is a request as JSON, each line on standard output its answer:

    {"prepare": [MODULE, VARIANT, WORKLOAD]}    {"number": 0}
    {"measure": 0}                              what the peer's function gives
    {"forget": 0}                               {}

A peer's module has `prepare(variant, workload)`, which returns a function that measures one round
and gives a dictionary. What goes wrong is answered with {"error": ...}. Standard output belongs to
the answers; all else goes to standard error.
"""

import importlib
import json
import os
import sys


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    prepared = []
    for line in sys.stdin:
        try:
            answer = respond(json.loads(line), prepared)
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}".splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


def respond(request, prepared):
    if "prepare" in request:
        module, variant, workload = request["prepare"]
        prepared.append(importlib.import_module(module).prepare(variant, workload))
        return {"number": len(prepared) - 1}
    if "forget" in request:
        prepared[request["forget"]] = None
        return {}
    return prepared[request["measure"]]()


if __name__ == "__main__":
    main()
