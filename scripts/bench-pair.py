#!/usr/bin/env python3
"""Compares this tree with another revision, in turn on the same machine.

    scripts/bench-pair.py REVISION [--runs N] [--bench REGEXP]

Both trees are built once; then each benchmark runs in one and in the other, one after
the other, N times, on a PostgreSQL whose writes wait for the disk. Printed are the
medians of each metric, the median of the ratios run by run (this tree : revision), and
the peak memory of the whole process in MiB.
"""
import argparse
import collections
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def folder(tree):
    """Where the benchmarks of a tree are: revisions of old have them beside the hub."""
    return next(f for f in ("hub/test/bench", "hub") if os.path.isdir(os.path.join(tree, f)))


def build(tree, out):
    subprocess.run(["go", "test", "-c", "-o", out, "./" + folder(tree)], cwd=tree, check=True)


def run(binary, tree, bench):
    """Runs the benchmarks once and returns {(benchmark, unit): value}."""
    command = [os.path.join(TOP, "scripts/with-postgres.sh"), "sh", "-c",
               f'cd "{tree}/{folder(tree)}" && exec "{binary}" -test.run "^$" -test.bench "{bench}" -test.benchtime 1x -test.timeout 30m']
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 1)
        os.close(reader)
        os.environ["EVERGRANT_POSTGRES_DURABLE"] = "1"
        os.execv(command[0], command)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(text)
    figures = {("process", "peak-MiB"): usage.ru_maxrss / 1024}
    for line in text.splitlines():
        parts = line.split()
        if parts and parts[0].startswith("Benchmark"):
            name = re.sub(r"-\d+$", "", parts[0].removeprefix("Benchmark"))
            for value, unit in zip(parts[2::2], parts[3::2]):
                figures[name, unit] = float(value)
    return figures


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("revision")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--bench", default="Wave|CallbackToExchange")
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="evergrant-bench-") as folder:
        other = os.path.join(folder, "tree")
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", other, args.revision], cwd=TOP, check=True)
        try:
            compare(args, folder, other)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=TOP, check=False)


def compare(args, folder, other):
    here, there = os.path.join(folder, "here"), os.path.join(folder, "there")
    build(TOP, here)
    build(other, there)
    this, that = collections.defaultdict(list), collections.defaultdict(list)
    for n in range(args.runs):
        for binary, tree, into in ((here, TOP, this), (there, other, that)):
            for key, value in run(binary, tree, args.bench).items():
                into[key].append(value)
        print(f"run {n + 1} of {args.runs} is done", file=sys.stderr)
    print(f"| benchmark | unit | this tree | {args.revision} | ratio |\n|---|---|---|---|---|")
    for key in this:
        if key in that and len(that[key]) == len(this[key]):
            ratios = [a / b for a, b in zip(this[key], that[key]) if b]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
            print(f"| {key[0]} | {key[1]} | {statistics.median(this[key]):.4g} | {statistics.median(that[key]):.4g} | {ratio} |")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
