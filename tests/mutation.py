"""Mutation testing: change the code in one place, run the tests that reach it, and see whether one fails.

`make mutate` draws a sample of mutants, the same for the same seed, and prints the survivors as diffs.
Sources, tests and exclusions are in pyproject.toml ([tool.mutmut]).
"""

import argparse
import random
import re
import subprocess
import sys
from collections import Counter

SCORE = 0.85  # the share of the sample that tests must detect
DETECTED = ("killed", "timeout", "segfault", "suspicious", "caught by type check")
LINE = re.compile(r"^\s*(?P<name>\S+__mutmut_\d+): (?P<status>.+)$", re.MULTILINE)
# Any one: mutmut writes all mutants before it runs one.
ONE = "provision.schedules.x_parse__mutmut_1"


def mutmut(*words: str) -> str:
    """Return what mutmut prints. Raise SystemExit if it fails."""
    done = subprocess.run([sys.executable, "-m", "mutmut", *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout[-4000:] + done.stderr[-4000:])
    return done.stdout


def results() -> dict[str, str]:
    """Return the status of every mutant by its name."""
    return {m["name"]: m["status"] for m in LINE.finditer(mutmut("results", "--all", "true"))}


def main() -> int:
    """Return 0 if the tests detect at least SCORE of the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="how many mutants (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws others")
    given = parser.parse_args()
    mutmut("run", "--max-children", "2", ONE)
    names = sorted(results())
    sample = random.Random(given.seed).sample(names, min(given.sample, len(names)))
    mutmut("run", "--max-children", "2", *sample)
    found = results()
    statuses = Counter(found[name] for name in sample)
    survivors = [name for name in sample if found[name] not in DETECTED]
    for name in survivors:
        print(mutmut("show", name))
    score = 1 - len(survivors) / len(sample)
    print(f"{len(names)} mutants, {len(sample)} drawn with seed {given.seed}: {dict(statuses)}")
    print(f"noticed: {score:.2f} (at least {SCORE})")
    return 0 if score >= SCORE else 1


if __name__ == "__main__":
    sys.exit(main())
