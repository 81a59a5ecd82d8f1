"""What a command costs before it does anything: `python -m benchmarks.startup [--rounds N]`.

Every command takes its turn in every round; what is compared is the ratio, round by round, to
`python -c "import click"`, which takes its turn twice: what the second differs from the first is the
machine's noise. `status` runs on a whole stack in a sandbox, which answers at once.
"""

import argparse
import statistics
import sys

from benchmarks.harness import PROVISION, Stage, machine, middle, stage, timed

CLICK = [sys.executable, "-c", "import click"]
COMPLETION = {
    "_PROVISION_COMPLETE": "bash_complete",
    "COMP_WORDS": "provision st",
    "COMP_CWORD": "1",
}


def commands(on: Stage) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return what is measured, and what it finds in its environment besides."""
    file = str(on.folder / "stack.yaml")
    return {
        "import click": (CLICK, {}),
        "import click, again: the noise": (CLICK, {}),
        "import boto3": ([sys.executable, "-c", "import boto3"], {}),
        "provision --help": ([*PROVISION, "--help"], {}),
        "provision --lang ja --help": ([*PROVISION, "--lang", "ja", "--help"], {}),
        "provision --version": ([*PROVISION, "--version"], {}),
        "a usage error": ([*PROVISION, "nonsense"], {}),
        "completion": (PROVISION, COMPLETION),
        "provision cost": ([*PROVISION, "cost", "--sandbox", "--stack", file], {}),
        "provision status": ([*PROVISION, "status", "--sandbox", "--stack", file], {}),
    }


def main() -> None:
    """Measures, and prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with stage(speed=100) as on:
        on.provision("setup")
        measured = commands(on)
        for command, more in measured.values():
            timed(command, {**on.environ, **more})  # its bytecode is written, and in memory
        turns = [
            {name: timed(one, {**on.environ, **more}) for name, (one, more) in measured.items()}
            for _round in range(rounds)
        ]
    print(f"\n{machine()}, median (middle half) of {rounds} rounds\n")
    print("| | seconds | times `import click` | CPU s | MB |\n|---|---|---|---|---|")
    for name in measured:
        seconds = [turn[name].seconds for turn in turns]
        ratios = [turn[name].seconds / turn["import click"].seconds for turn in turns]
        cpu = statistics.median(turn[name].cpu for turn in turns)
        memory = statistics.median(turn[name].memory for turn in turns)
        print(f"| {name} | {middle(seconds, 3)} | {middle(ratios)} | {cpu:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
