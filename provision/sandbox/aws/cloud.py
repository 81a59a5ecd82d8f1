"""The emulated account with its services."""

import functools
import os
from collections.abc import Callable
from typing import ClassVar

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.acm.state import Acm
from provision.sandbox.aws.awslambda.state import Lambda
from provision.sandbox.aws.ec2.state import Ec2
from provision.sandbox.aws.ecr.state import Ecr
from provision.sandbox.aws.ecs.state import Ecs
from provision.sandbox.aws.elbv2.state import Elbv2
from provision.sandbox.aws.events.state import Events
from provision.sandbox.aws.iam.state import Iam
from provision.sandbox.aws.permissions.principals import Permissions
from provision.sandbox.aws.route53.state import Route53
from provision.sandbox.aws.s3.state import S3
from provision.sandbox.aws.scheduler.state import Scheduler
from provision.sandbox.aws.ssm.state import Ssm
from provision.sandbox.clock import ManualClock, SimulatedClock
from provision.sandbox.delays import Delays
from provision.sandbox.dns.resolver import DnsResolver
from provision.sandbox.faults.lag import Lag
from provision.sandbox.tasks.runners import TaskRunner

# Loading moto's unused list of machine images is half of the start-up time.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")


class Cloud(Account):
    """One account in all regions.

    `cloud.<service>` is the state in the service's state.py that moto lacks. moto's backends are one set per
    process, so there can be one Cloud at a time.
    """

    tickers: ClassVar[list[Callable[["Cloud"], None]]] = []  # aws/registry.py fills it

    def __init__(
        self, clock: SimulatedClock, delays: Delays | None = None, tasks: TaskRunner | None = None
    ) -> None:
        super().__init__(clock, delays, tasks)
        self.reset()
        if isinstance(clock, ManualClock):
            clock.on_advance(self.tick)

    def reset(self) -> None:
        """Stop the tasks and empty the account.

        The registrar's entries and the certificate authority, which are not AWS's, stay.
        """
        self._run_closers()
        with self.lock:
            BackendDict.reset()
            reset_model_data()
            self.iam = Iam(self)
            self.permissions = Permissions(self, self.iam)
            self.s3 = S3()
            self.ssm = Ssm()
            self.ec2 = Ec2(self)
            self.route53 = Route53(self)
            self.elbv2 = Elbv2(self, ec2=self.ec2)
            self.dns = DnsResolver(self, self.route53, self.elbv2)
            self.acm = Acm(self, self.dns)
            self.scheduler = Scheduler(self)
            self.awslambda = Lambda(self)
            self.events = Events(self)
            self.ecr = Ecr(self)
            self.ecs = Ecs(self, self.elbv2)
            self.lag = Lag(self.delays)
            for ticker in self.tickers:
                self.on_tick(functools.partial(ticker, self))
