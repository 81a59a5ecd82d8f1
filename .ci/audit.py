"""Ask the Python Packaging Advisory Database about the locked packages, where it can be reached.

Argument: the address that shows whether it can be. Exit status 1 if a package has a known vulnerability.
"""

import json
import subprocess
import sys
import urllib.request

SERVICE = "https://pypi.org/pypi/pip/json"
SECONDS = 5  # to wait for the service
LOCKS = ("requirements.txt", "bot/requirements.txt")


def report(audit: str) -> tuple[int, str]:
    """Return the exit status and a sentence for what pip-audit prints as JSON."""
    packages = json.loads(audit)["dependencies"]
    known = [package for package in packages if "vulns" in package]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions'])}"
        for package in known
        for flaw in package["vulns"]
    ]
    sentence = (
        f"{len(known)} of {len(packages)} locked packages were checked for known vulnerabilities"
    )
    if len(known) < len(packages):
        sentence += "; the service does not know the others"
    return (1, "\n".join(found)) if found else (0, sentence)


def main(service: str = SERVICE) -> int:
    """Print the report; where the service cannot be reached, that nothing was checked."""
    try:
        urllib.request.urlopen(service, timeout=SECONDS).close()
    except OSError as error:
        print(f"make check: nothing was checked for known vulnerabilities: {service}: {error}")
        return 0
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    locks = [word for lock in LOCKS for word in ("-r", lock)]
    command = [sys.executable, "-m", "pip_audit", *options, *locks]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        sys.stderr.write(done.stderr)
        return done.returncode or 1
    status, sentence = report(done.stdout)
    print(f"make check: {sentence}")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
