"""Broken TLS and untrusted certificates: AWS, LINE and a registry, over real sockets."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wrappers import Response

from provision.clients.aws import Aws
from provision.clients.aws_errors import translate_errors
from provision.clients.line import Line
from provision.clients.registry import Registries
from provision.console.server import HttpServer
from provision.errors import Pending, ProvisionError

Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Yield a function that serves one connection with the given behaviour and returns its URL."""
    threads: list[threading.Thread] = []

    def begin(behave: Callable[[socket.socket], None]) -> str:
        listening = socket.create_server(("127.0.0.1", 0))

        def once() -> None:
            with closing(listening):
                connection, _address = listening.accept()
            with closing(connection), suppress(OSError):
                behave(connection)

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        return f"https://127.0.0.1:{listening.getsockname()[1]}"

    yield begin
    for thread in threads:
        thread.join(10)


@pytest.fixture
def server() -> ssl.SSLContext:
    """Return a server's TLS context with an untrusted certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def answer_plain_text(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def close_without_answer(connection: socket.socket) -> None:
    connection.recv(65536)


def call_aws(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with translate_errors("doing"):
        Aws("ap-northeast-1").sts.get_caller_identity()


def call_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Line(lambda: "token", url).info()


def call_line_channel(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Line(lambda: "token", url).channel()


def call_line_secret(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Line(lambda: "token", url).has_secret("1", "secret")


def call_registry(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Registries().private(url, "bot", "dXNlcjpw").has("sha256:1")


CALLS = [call_aws, call_line, call_line_channel, call_line_secret, call_registry]
Call = Callable[[str, pytest.MonkeyPatch], None]


@pytest.mark.parametrize("behave", [answer_plain_text, close_without_answer])
@pytest.mark.parametrize("call", CALLS)
def test_broken_tls_is_pending(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
    behave: Callable[[socket.socket], None],
) -> None:
    """Plain text or a closed connection is no response, which is not a rejection."""
    with pytest.raises(Pending) as waiting:
        call(serve(behave), monkeypatch)
    assert not waiting.value.refused


@pytest.mark.parametrize("call", CALLS)
def test_untrusted_certificate_is_an_error(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, server: ssl.SSLContext, call: Call
) -> None:
    """Waiting would not help; the advice is AWS_CA_BUNDLE."""

    def shake_hands(connection: socket.socket) -> None:
        server.wrap_socket(connection, server_side=True).close()

    with pytest.raises(ProvisionError, match="AWS_CA_BUNDLE") as refusal:
        call(serve(shake_hands), monkeypatch)
    assert "CERTIFICATE_VERIFY_FAILED" in refusal.value.why
    assert not refusal.value.answered


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest.mark.parametrize("call", CALLS)
def test_unreadable_ca_bundle_is_an_error(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: Call, content: str | None
) -> None:
    """It is missing, or contains something else."""
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    url = serve(close_without_answer)
    with pytest.raises(ProvisionError, match="AWS_CA_BUNDLE"):
        call(url, monkeypatch)
    with suppress(OSError):  # nobody connected
        host, _colon, port = url.removeprefix("https://").partition(":")
        socket.create_connection((host, int(port)), 1).close()


class TlsServer(HttpServer):
    """An HTTP server with a certificate of a company's own authority."""

    scheme = "https"

    def __init__(self, authority: trustme.CA) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        super().__init__(Response("no", 404))

    def _build(self, application: Any) -> ThreadedWSGIServer:
        server = super()._build(application)
        server.socket = self._context.wrap_socket(server.socket, server_side=True)
        return server


@pytest.mark.parametrize(
    "source", ["ca_bundle", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]
)
def test_company_authority_is_trusted_by_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    """Each client trusts the bundle, named in the AWS profile or the environment, and reads the page."""
    authority, bundle, config = trustme.CA(), tmp_path / "ca.pem", tmp_path / "config"
    authority.cert_pem.write_to_path(str(bundle))
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")  # so that what the session sets is undone
        monkeypatch.delenv(name)
    if source == "ca_bundle":
        config.write_text(f"[profile company]\nca_bundle = {bundle}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_PROFILE", "company")
    else:
        monkeypatch.setenv(source, str(bundle))
    server = TlsServer(authority)
    with pytest.raises(Pending, match="ResponseParserError"):
        call_aws(server.url, monkeypatch)
    with pytest.raises(ProvisionError) as line:
        call_line(server.url, monkeypatch)
    with pytest.raises(ProvisionError) as registry:
        Registries().private(server.url, "bot", "dXNlcjpw").manifest("1")
    server.close()
    assert ("LINE says 404: NOT FOUND", "HTTP 404 no") == (line.value.why, registry.value.why)
