"""Registration of all rules and tickers: importing a service's modules registers its rules."""

import importlib
import pkgutil

from provision.sandbox import aws
from provision.sandbox.aws.awslambda import invocations
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs import tick
from provision.sandbox.aws.events import rule_firing
from provision.sandbox.aws.scheduler import firing

for service in pkgutil.iter_modules(aws.__path__, f"{aws.__name__}."):
    if service.ispkg:
        package = importlib.import_module(service.name)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)

Cloud.tickers += (
    firing.fire_due,
    rule_firing.fire_due,
    invocations.run_queued,
    tick.tick,
)
