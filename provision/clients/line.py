"""Call LINE: bot info, the webhook endpoint and LINE's own test of it.

Seven small calls over urllib3, which boto3 needs anyway. Importing line-bot-sdk's client takes 0.7 s of CPU
and 45 MB, more than everything else that `provision status` loads.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.clients.http import Connections, trust_it, untrusted
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _

TIMEOUT = 20  # seconds; LINE's webhook test itself takes up to ten
ENDPOINT = "/v2/bot/channel/webhook/endpoint"
CONSOLE = "https://developers.line.biz/console/"


@dataclass(frozen=True)
class WebhookTest:
    """The result of LINE's webhook test (POST /v2/bot/channel/webhook/test)."""

    success: bool
    status: int
    reason: str
    detail: str


class LineError(UnknownState):
    """LINE refused a call. status: the HTTP status of its answer."""

    def __init__(self, status: int, what: str, why: str, then: str) -> None:
        super().__init__(what, why, then)
        self.status = status


class Line:
    """Call one LINE channel.

    token: returns the channel access token; it is called on first use. timeout: seconds for a call.
    The token is never shown. Every call is sent once: the engine waits and retries.
    """

    def __init__(
        self,
        token: Callable[[], str],
        url: str = "https://api.line.me",
        timeout: float = TIMEOUT,
    ) -> None:
        self._token, self._url, self._timeout = token, url.rstrip("/"), timeout
        self._cached_token = ""
        self._connections = Connections()

    def _valid_token(self) -> str:
        """Return the token. Raise LineError for one that no HTTP header can hold.

        http.client's own error would show the token.
        """
        token = self._token().strip()
        if not re.fullmatch(r"[!-~]+", token):
            raise LineError(
                401,
                _("Could not find out which bot the access token belongs to."),
                _("it is empty or contains characters that are not allowed in an access token"),
                _("Issue a channel access token at {console} and use it.", console=CONSOLE),
            )
        return token

    def channel(self) -> str:
        """Return the id of the channel that the token belongs to; "" where LINE does not say.

        POST /v2/oauth/verify, and for a token v2.1 GET /oauth2/v2.1/verify.
        """
        token = self._valid_token()
        for method, path in (("POST", "/v2/oauth/verify"), ("GET", "/oauth2/v2.1/verify")):
            _status, body = self._oauth(method, path, {"access_token": token})
            if isinstance(channel := body.get("client_id"), str):
                return channel
        return ""

    def has_secret(self, channel: str, secret: str) -> bool | None:
        """Return whether the secret is this channel's; None where LINE does not say.

        POST /oauth2/v3/token checks both. The stateless token that it issues is discarded.
        """
        fields = {
            "grant_type": "client_credentials",
            "client_id": channel,
            "client_secret": secret,
        }
        status, _body = self._oauth("POST", "/oauth2/v3/token", fields)
        return {200: True, 400: False, 401: False}.get(status)

    def _oauth(self, method: str, path: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return HTTP status and body of one of LINE's OAuth calls. Raise Pending or ProvisionError."""
        import urllib3.exceptions

        try:
            form = {} if method == "GET" else {"encode_multipart": False}
            response = self._send(method, path, fields=fields, **form)
            body = _parse_object(response) if response.status == 200 else {}
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            doing = _("The channel secret and the access token could not be verified.")
            raise _unanswered(doing, error) from None
        if pending := _transient(response.status):
            raise pending
        return response.status, body

    def _send(self, method: str, path: str, **options: Any) -> Any:
        url = self._url + path
        pool = self._connections.pool(url)
        return pool.request(method, url, timeout=self._timeout, retries=False, **options)

    def _call(self, doing: str, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        """Return one call's body; None where LINE answers 404. Raise Pending or LineError."""
        import urllib3.exceptions

        self._cached_token = self._cached_token or self._valid_token()
        headers = {"Authorization": f"Bearer {self._cached_token}"}
        options = {"json": body} if body is not None else {}
        try:
            response = self._send(method, path, headers=headers, **options)
            if response.status == 200:
                return _parse_object(response)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise _unanswered(doing, error) from None
        if response.status == 404:
            return None
        raise _transient(response.status) or self._refused(doing, response)

    def _refused(self, doing: str, response: Any) -> "LineError":
        answered = True
        try:
            message = _parse_object(response)["message"]
        except (ValueError, KeyError):  # not LINE's answer, but a proxy's page
            message, answered = response.reason, False
        if response.status == 401:
            then = _("Issue a channel access token at {console} and use it.", console=CONSOLE)
        else:
            then = _(
                "Check the channel at {console}, then run the same command again.",
                console=CONSOLE,
            )
        error = LineError(
            response.status,
            doing,
            _("LINE says {status}: {said}", status=response.status, said=message),
            then,
        )
        error.answered = answered
        return error

    def forget(self) -> None:
        """Discard the token: the next call requests it again."""
        self._cached_token = ""

    def info(self) -> dict[str, str]:
        """Return the bot's basicId, displayName and chatMode (GET /v2/bot/info).

        Raise LineError for a wrong token.
        """
        doing = _("Could not find out which bot the access token belongs to.")
        body = self._call(doing, "GET", "/v2/bot/info")
        if body is None:
            return {}
        if not isinstance(body.get("basicId"), str):
            raise Pending(_("LINE does not answer ({error})", error="basicId"))
        return body

    def endpoint(self) -> dict[str, Any]:
        """Return {"endpoint", "active"} (GET /v2/bot/channel/webhook/endpoint); {} where none is set."""
        body = self._call(_("Could not read LINE's webhook URL."), "GET", ENDPOINT)
        if body is None:
            return {}
        return {"endpoint": body.get("endpoint"), "active": body.get("active")}

    def set_endpoint(self, url: str) -> None:
        """Set the webhook URL (PUT /v2/bot/channel/webhook/endpoint), in effect within a minute."""
        doing = _("Could not set LINE's webhook URL to {url}.", url=url)
        self._call(doing, "PUT", ENDPOINT, {"endpoint": url})

    def test(self, url: str) -> WebhookTest:
        """Let LINE send `events: []` to the URL (POST /v2/bot/channel/webhook/test; 60 calls an hour)."""
        doing = _("LINE could not test the webhook URL {url}.", url=url)
        try:
            body = self._call(doing, "POST", "/v2/bot/channel/webhook/test", {"endpoint": url})
        except LineError as error:
            if error.status != 400:
                raise
            # LINE's resolvers do not know the name yet.
            return WebhookTest(False, 400, "COULD_NOT_CONNECT", error.why)
        if body is None:
            return WebhookTest(False, 404, "COULD_NOT_CONNECT", _("LINE has no such test"))
        status, reason, detail = (body.get(name) for name in ("statusCode", "reason", "detail"))
        return WebhookTest(bool(body.get("success")), status or 0, reason or "", detail or "")


def _transient(status: int) -> Pending | None:
    """Return Pending for an HTTP status after which the same call may succeed later, else None."""
    if status in (408, 429) or status >= 500:
        return Pending(_("LINE asks to try again later ({status})", status=status))
    return None


def _unanswered(doing: str, error: Exception) -> Pending | ProvisionError:
    """Return Pending for a lost answer, ProvisionError where LINE's certificate is not trusted.

    error: a ValueError means that a proxy's or a captive portal's page was received, not LINE's answer.
    """
    if why := untrusted(error):
        return ProvisionError(doing, why, trust_it())
    return Pending(_("LINE does not answer ({error})", error=type(error).__name__))


def _parse_object(response: Any) -> dict[str, Any]:
    """Return the JSON object in a response's body. Raise ValueError without one."""
    body = json.loads(response.data)
    if not isinstance(body, dict):
        raise ValueError
    return body
