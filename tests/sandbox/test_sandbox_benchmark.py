"""The benchmark of the sandbox itself."""

import re
import subprocess
import sys

import pytest


@pytest.mark.full
def test_benchmark_runs() -> None:
    """It measures starts, rates and noise, and prints them; the results are not tested."""
    command = [sys.executable, "-m", "benchmarks.sandbox", "--starts", "2", "--rounds", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    ends = "The sandbox ends, and everything in it.\n"  # of two and two starts, and of the rates
    assert (5 * ends, 0) == (done.stderr, done.returncode)
    shapes = [
        r"\d{4}-\d\d-\d\d, \d+ cores, load [\d.]+, Python 3[.\d]+, .*, n = 2 starts",
        r"seconds to the first answer, sandbox, sts get_caller_identity: [\d.]+ .*",
        r"seconds to the first answer, moto, sts get_caller_identity: [\d.]+ .*",
        r"seconds to the first answer, sandbox, ec2 describe_vpcs: [\d.]+ .*",
        r"seconds to the first answer, moto, ec2 describe_vpcs: [\d.]+ .*",
        r"calls a second, sandbox: .*, 2 rounds of 31",
        r"calls a second, moto: .*",
        r"calls a second, moto again: .*",
        r"sandbox / moto: [\d.]+ .*",
        r"moto again / moto, the noise: [\d.]+",
    ]
    lines = done.stdout.splitlines()
    assert len(shapes) == len(lines)
    for shape, line in zip(shapes, lines, strict=True):
        assert re.fullmatch(shape, line), line
