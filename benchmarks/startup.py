"""What a command costs before it does anything: `python -m benchmarks.startup [--rounds N]`.

Every command runs once per round; the ratio to `python -c "import click"` in the same round is compared. That
runs twice: the difference is the machine's noise. `status` runs on a complete stack in a sandbox, which
answers at once.
"""

import argparse
import statistics
import sys

from benchmarks.harness import PROVISION, Harness, format_median, harness, machine, run_command

CLICK = [sys.executable, "-c", "import click"]
COMPLETION = {
    "_PROVISION_COMPLETE": "bash_complete",
    "COMP_WORDS": "provision st",
    "COMP_CWORD": "1",
}


def commands(bench: Harness) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return the commands to measure, with additional environment variables."""
    file = str(bench.folder / "stack.yaml")
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
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with harness(speed=100) as bench:
        bench.provision("setup")
        measured = commands(bench)
        for command, more in measured.values():
            run_command(
                command, {**bench.environ, **more}
            )  # so that its bytecode is written and cached
        turns = [
            {
                name: run_command(one, {**bench.environ, **more})
                for name, (one, more) in measured.items()
            }
            for _round in range(rounds)
        ]
    print(f"\n{machine()}, median (middle half) of {rounds} rounds\n")
    print("| | seconds | times `import click` | CPU s | MB |\n|---|---|---|---|---|")
    for name in measured:
        seconds = [turn[name].seconds for turn in turns]
        ratios = [turn[name].seconds / turn["import click"].seconds for turn in turns]
        cpu = statistics.median(turn[name].cpu for turn in turns)
        memory = statistics.median(turn[name].memory for turn in turns)
        print(
            f"| {name} | {format_median(seconds, 3)} | {format_median(ratios)} | {cpu:.2f} | {memory:.0f} |"
        )


if __name__ == "__main__":
    main()
