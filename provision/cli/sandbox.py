"""The command `sandbox`: serve an AWS, a DNS, a registrar and a LINE on this machine."""

import click

from provision.cli import options
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Options


def command() -> click.Command:
    """Return the command line's `sandbox`."""
    return options.make_command(
        sandbox,
        "sandbox",
        _("Run a local AWS, DNS, registrar and LINE to practise on. Ctrl-C stops it."),
        "provision sandbox --speed 20",
        click.option(
            "--speed",
            type=options.FiniteRange(min=0.1, max=1000),
            default=20.0,
            show_default=True,
            help=_("how many times faster than real time its clock runs"),
        ),
        options.address_as_json(),
    )


def sandbox(given: Options, speed: float, as_json: bool) -> int:
    """Serve until Ctrl-C."""
    try:
        from provision.sandbox.server import serve
    except ModuleNotFoundError as error:
        raise ProvisionError(
            _("Could not start the sandbox."),
            _("the package {name} is not installed", name=error.name),
            _("Install what the sandbox needs: pip install 'provision[sandbox]'"),
        ) from None
    serve(speed, as_json, verbose=given.verbose)
    return 0
