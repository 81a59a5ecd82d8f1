"""boto3's clients."""

from typing import Any


def make_client(service: str, region: str, timeouts: tuple[float, float], attempts: int) -> Any:
    """Return a client of the service; `timeouts` for connecting and reading are in seconds."""
    import boto3  # only when it is needed: it takes a fifth of the start
    from botocore.config import Config

    retries = {"total_max_attempts": attempts}
    config = Config(connect_timeout=timeouts[0], read_timeout=timeouts[1], retries=retries)
    session = boto3.Session(region_name=region or None)  # the default one is not for threads
    return session.client(service, config=config)
