"""The sandbox: AWS, DNS, a registrar, LINE and a feed server, in this process or served on ports."""

import logging
import threading
from dataclasses import asdict
from typing import Any

from provision.console.guard import Guard
from provision.console.pages import Pages
from provision.console.server import HttpServer
from provision.sandbox.aws.application import AwsApplication
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.public_gallery import Gallery
from provision.sandbox.aws.ecr.registry_api import Registry
from provision.sandbox.aws.elbv2.data_plane import DataPlane
from provision.sandbox.aws.regions import opt_in_regions
from provision.sandbox.clock import SimulatedClock
from provision.sandbox.delays import Delays
from provision.sandbox.dns.server import DnsServer
from provision.sandbox.line.delivery import WebhookSender
from provision.sandbox.line.platform import LinePlatform
from provision.sandbox.tasks.processes import ProcessTasks
from provision.sandbox.tasks.rootfs import Rootfs
from provision.sandbox.tasks.runners import TaskRunner
from provision.sandbox.web import control
from provision.sandbox.web.feed_server import PATH, FeedServer
from provision.sandbox.web.page_server import on_one_port
from provision.sandbox.web.serving import TlsServer
from provision.sandbox.web.stack_process import StackProcess

# Simulated seconds that the bot keeps serving after SIGTERM, unless the task definition sets them.
LINGER_SECONDS = 20.0
_TICK = 0.05  # real seconds between ticks
# The services that setup calls; loading them takes seconds, so they are loaded in the background.
PRELOADED = (
    "sts",
    "ec2",
    "acm",
    "elbv2",
    "route53",
    "iam",
    "ecr",
    "ecs",
    "ssm",
    "logs",
    "s3",
    "scheduler",
)

log = logging.getLogger(__name__)


class Sandbox:
    """One sandbox, which works inside this process until `serve` is called.

    `aws`, `line.wsgi` and `front` (the load balancers) are WSGI applications. By default each task is a
    process. Always close the sandbox.
    """

    def __init__(
        self, clock: SimulatedClock, delays: Delays | None = None, tasks: TaskRunner | None = None
    ) -> None:
        self.tasks = tasks or ProcessTasks()
        self.cloud = Cloud(clock, delays, self.tasks)
        self.aws = AwsApplication(self.cloud)
        self.rootfs = Rootfs(self.cloud)
        if isinstance(self.tasks, ProcessTasks):
            self.tasks.unpacked = self.rootfs.unpacked
        self.registry = Registry(self.cloud)
        self.gallery = Gallery()
        self.front = DataPlane(self.cloud)
        self._delivery = WebhookSender(self.cloud, self.front)
        self.line = LinePlatform(self._delivery, self._delivery.resolve, clock)
        self.feed = FeedServer()
        self._stack = StackProcess(lambda: self.cloud.stack_file)
        self._servers: list[HttpServer | DnsServer] = []
        self._stopping = threading.Event()
        self._ticker: threading.Thread | None = None

    def serve(self, region: str = "ap-northeast-1", idle: float = 1.0) -> dict[str, str]:
        """Open all ports and start the clock; return addresses and keys as in `sandbox --json`.

        The backends of `region` are loaded after the first call, or after `idle` real seconds.
        """
        keys = self.cloud.keys
        aws = HttpServer(Guard(self.aws.verified, keys.token, control.is_guarded))
        registrar = HttpServer(Guard(self.cloud.registrar, keys.token, lambda how, _: how == "PUT"))
        page = Pages(on_one_port(self.line.wsgi, self.cloud, self.feed, self._stack), sandbox=True)
        line = HttpServer(Guard(page, keys.token, lambda _, path: "_sandbox" in path))
        front = TlsServer(self.front)  # without Guard: open to everybody
        dns = DnsServer(lambda query: self.cloud.dns.respond(query))
        registry, gallery = HttpServer(Guard(self.registry)), HttpServer(Guard(self.gallery))
        feed_server = HttpServer(Guard(self.feed, keys.token, lambda _, path: "_sandbox" in path))
        self._servers = [aws, registrar, line, front, dns, registry, gallery, feed_server]
        self.cloud.endpoint = aws.url
        self.cloud.registry, self.cloud.gallery = registry.url, gallery.url
        self.cloud.opted_in |= opt_in_regions()  # enable all regions
        self._delivery.tls_port = front.port
        if isinstance(self.tasks, ProcessTasks):
            self.tasks.extra |= {
                "AWS_ENDPOINT_URL": aws.url,
                "AWS_EC2_METADATA_DISABLED": "true",  # no credentials without a task role
                "LINE_API_URL": line.url,
                "PRIVATE_FEEDS": "1",  # the feed server is on this machine
                "LINGER_SECONDS": f"{LINGER_SECONDS / self.cloud.clock.speed:.3f}",
            }
        self._ticker = threading.Thread(target=self._run, args=(region, idle), daemon=True)
        self._ticker.start()
        host, port = dns.address
        return {
            "aws": aws.url,
            "dns": f"{host}:{port}",
            "line": line.url,
            "registrar": registrar.url,
            "page": f"{line.url}/#{keys.token}",  # browsers do not send the fragment to servers
            "front": front.url,
            "ca": str(self.cloud.authority.root),
            "registry": registry.url,
            "gallery": gallery.url,
            "news": f"{feed_server.url}{PATH}",
            **asdict(keys),
        }

    def close(self) -> None:
        """Stop the servers and tasks, and remove all files."""
        self._stopping.set()
        self.aws.first_call_done.set()
        if self._ticker is not None:
            self._ticker.join()
        for server in self._servers:
            server.close()
        self._servers = []
        self._stack.close()
        self.cloud.close()
        self.tasks.close()
        self.rootfs.close()
        self.cloud.authority.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _run(self, region: str, idle: float) -> None:
        self.aws.first_call_done.wait(idle)
        for service in PRELOADED:
            if self._stopping.is_set():
                return
            self.aws.preload(service, region)
        last_error = ""
        while not self._stopping.wait(_TICK):
            try:
                self.cloud.tick()
            except Exception as error:
                if repr(error) != last_error:  # it may recur at every tick
                    log.exception("a tick of the sandbox failed")
                last_error = repr(error)
