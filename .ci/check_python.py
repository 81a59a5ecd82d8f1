"""Say in one sentence why this Python will not do. Runs on older ones, too, and before anything is installed.

Arguments: how the Python was called, and what was to be made.
"""

import shutil
import subprocess
import sys


def runs(python: str) -> bool:
    """Whether this command is a Python that starts."""
    quiet = subprocess.DEVNULL
    return subprocess.call([python, "-c", ""], stdout=quiet, stderr=quiet) == 0


name, goal = (*sys.argv[1:], "", "")[:2]
if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is found out
    version = ".".join(str(number) for number in sys.version_info[:3])
    known = [f"python3.{minor}" for minor in range(14, 10, -1)]
    # `which` is not enough: pyenv has a command for every Python, and some of them only say no.
    other = next(
        (python for python in known if shutil.which(python) and runs(python)), "python3.12"
    )
    sys.exit(
        f"provision needs Python 3.11 or newer; {name} is {version}: make PYTHON={other} {goal}"
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    package = f"python3.{sys.version_info[1]}-venv"
    sys.exit(
        f"{name} cannot make virtual environments; on Debian and Ubuntu install python3-venv ({package}): "
        "sudo apt-get install python3-venv"
    )
