"""A proxy that refuses the connection: AWS, LINE, a registry and pip say what the proxy says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from provision.clients.aws import Aws
from provision.clients.aws_errors import translate_errors
from provision.clients.http import proxy as proxy_of
from provision.clients.line import Line
from provision.clients.package_index import PackageIndex
from provision.clients.registry import Registries
from provision.console.server import HttpServer
from provision.errors import Pending, ProvisionError

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "AWS_ENDPOINT_URL")


class Proxy:
    """A proxy on loopback that answers every request with one status, and notes the requests."""

    def __init__(self, status: str) -> None:
        self.requests: list[str] = []
        self._answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _address = self._listening.accept()
            with connection, suppress(OSError):
                request = connection.recv(65536).decode()
                if not request:
                    return
                self.requests.append(request)
                connection.sendall(self._answer.encode())

    def close(self) -> None:
        """Stop; the thread ends at a connection without a request."""
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listening.close()


@pytest.fixture
def start_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Proxy]]:
    """Yield a function that starts a proxy which answers with a status, and sets HTTPS_PROXY to it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    proxies: list[Proxy] = []

    def start(status: str) -> Proxy:
        proxies.append(Proxy(status))
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://me:s%40cret@127.0.0.1:{proxies[-1].port}")
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.close()


def call_aws() -> None:
    with translate_errors("doing"):
        Aws("ap-northeast-1").sts.get_caller_identity()


def call_account() -> None:
    Aws("ap-northeast-1").account()


def call_identity() -> None:
    Aws("ap-northeast-1").identity()


def call_line() -> None:
    Line(lambda: "token").info()


def call_line_over_http() -> None:
    Line(lambda: "token", "http://line.example").info()


def call_line_secret() -> None:
    Line(lambda: "token").has_secret("1", "secret")


def call_registry() -> None:
    Registries().public("public.ecr.aws", "docker/library/python").manifest("3.12-slim")


CALLS = [
    call_aws,
    call_account,
    call_identity,
    call_line,
    call_line_over_http,
    call_line_secret,
    call_registry,
]


@pytest.mark.parametrize("call", CALLS)
def test_proxy_that_wants_a_password(
    start_proxy: Callable[[str], Proxy], call: Callable[[], None]
) -> None:
    """407 is the proxy's word and not retried; the password was sent, decoded, and is not shown."""
    proxy = start_proxy("407 Proxy Authentication Required")
    with pytest.raises(ProvisionError) as refused:
        call()
    assert "the proxy refuses: 407 Proxy Authentication Required" == refused.value.why
    assert "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" in refused.value.then
    assert not refused.value.answered
    (request,) = proxy.requests
    assert "proxy-authorization: basic bwu6c0bjcmv0" in request.lower()


@pytest.mark.parametrize("call", [call_aws, call_line, call_registry])
def test_proxy_that_does_not_allow_the_address(
    start_proxy: Callable[[str], Proxy], call: Callable[[], None]
) -> None:
    """403 is not LINE's or AWS's: the advice is to ask for the address to be allowed."""
    start_proxy("403 Forbidden")
    with pytest.raises(ProvisionError) as refused:
        call()
    assert "the proxy refuses: 403 Forbidden" == refused.value.why
    assert refused.value.then.startswith("Ask the administrator of the proxy to allow this address")


@pytest.mark.parametrize("call", [call_aws, call_line, call_registry])
def test_proxy_with_an_error_of_its_own_is_pending(
    start_proxy: Callable[[str], Proxy], call: Callable[[], None]
) -> None:
    """502 may pass."""
    start_proxy("502 Bad Gateway")
    with pytest.raises(Pending):
        call()


@pytest.mark.parametrize("call", [call_aws, call_line, call_registry])
def test_proxy_without_a_scheme(
    start_proxy: Callable[[str], Proxy], monkeypatch: pytest.MonkeyPatch, call: Callable[[], None]
) -> None:
    """HOST:PORT means http://, as for curl and boto3, also with a password."""
    proxy = start_proxy("407 Proxy Authentication Required")
    monkeypatch.setenv("https_proxy", f"me:s%40cret@127.0.0.1:{proxy.port}")
    with pytest.raises(ProvisionError, match="the proxy refuses: 407"):
        call()
    (request,) = proxy.requests
    assert "proxy-authorization: basic bwu6c0bjcmv0" in request.lower()


@pytest.mark.parametrize("call", [call_aws, call_line, call_registry])
def test_proxy_that_does_not_speak_tls(call: Callable[[], None]) -> None:
    """An https:// address of a proxy that has http:// only is not retried."""
    server = HttpServer(None)
    with pytest.MonkeyPatch.context() as patch:
        for name in (*VARIABLES, *(name.upper() for name in VARIABLES)):
            patch.delenv(name, raising=False)
        patch.setenv("https_proxy", server.url.replace("http:", "https:"))
        patch.setenv("AWS_ACCESS_KEY_ID", "a")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        with pytest.raises(ProvisionError) as refused:
            call()
    server.close()
    assert "the proxy does not speak TLS" == refused.value.why


@pytest.mark.parametrize(
    "address",
    [
        *("socks5://127.0.0.1:1080", "socks5h://127.0.0.1:1080", "http://proxy:port", "http://"),
        *("http://me:s#cret@127.0.0.1:9", "http://me:s?cret@127.0.0.1:9", "http://127.0.0.1:9 "),
        *("http://me:s%E3%81%82cret@127.0.0.1:9", "ftp://127.0.0.1:9"),
    ],
)
@pytest.mark.parametrize("call", [call_aws, call_line, call_registry])
def test_address_of_no_http_proxy(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[], None], address: str
) -> None:
    """It is refused before anything is sent, with the variable and without the password."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ProvisionError) as refused:
        call()
    assert (
        "Could not use HTTPS_PROXY.",
        "it is no address of an HTTP proxy (SOCKS is not supported)",
    ) == (refused.value.what, refused.value.why)


def test_all_proxy_is_not_used_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 ignores it, so it stops no call to AWS; LINE and the registries use it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    assert "" == proxy_of("https://sts.ap-northeast-1.amazonaws.com", ignored="all")
    with pytest.raises(ProvisionError, match="Could not use ALL_PROXY"):
        proxy_of("https://api.line.me")


@pytest.mark.slow
def test_pip_behind_a_proxy_that_wants_a_password(
    start_proxy: Callable[[str], Proxy], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """pip's own error says only that it found no version."""
    start_proxy("407 Proxy Authentication Required")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://pypi.org/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ProvisionError) as refused:
        PackageIndex(lambda: tmp_path).check()
    assert "the proxy refuses: 407 Proxy Authentication Required" == refused.value.why
    assert "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" in refused.value.then
