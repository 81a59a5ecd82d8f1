"""The only door to LINE: bot info, the webhook endpoint and LINE's own test of it.

Seven small calls over urllib3, which boto3 brings anyway. Not line-bot-sdk's client: importing it takes
0.7 s of CPU and 45 MB, more than all else that `provision status` loads. LINE's token is asked for when first
needed and never shown.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.clients.http import Connections, trust_it, untrusted
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _

TIMEOUT = 20  # seconds; LINE's test of a webhook may itself take ten
ENDPOINT = "/v2/bot/channel/webhook/endpoint"
CONSOLE = "https://developers.line.biz/console/"


@dataclass(frozen=True)
class Tested:
    """What LINE's test of a webhook said (POST /v2/bot/channel/webhook/test)."""

    success: bool
    status: int
    reason: str
    detail: str


class Refused(UnknownState):
    """LINE said no. status: the HTTP status it said it with."""

    def __init__(self, status: int, what: str, why: str, then: str) -> None:
        super().__init__(what, why, then)
        self.status = status


class Line:
    """One LINE channel. token: called when the channel access token is needed. timeout: seconds for a call.

    Every call is sent once: waiting is on the engine's clock.
    """

    def __init__(
        self,
        token: Callable[[], str],
        url: str = "https://api.line.me",
        timeout: float = TIMEOUT,
    ) -> None:
        self._token, self._url, self._timeout = token, url.rstrip("/"), timeout
        self._known = ""  # the token, once it was asked for
        self._connections = Connections()

    def _sendable(self) -> str:
        """The token. What fits in no HTTP header is refused here: http.client's error would show it."""
        token = self._token().strip()
        if not re.fullmatch(r"[!-~]+", token):
            raise Refused(
                401,
                _("Asking LINE which bot the access token belongs to."),
                _("it is empty or holds characters that no access token has"),
                _("Issue a channel access token at {console} and give that one.", console=CONSOLE),
            )
        return token

    def channel(self) -> str:
        """The id of the channel that the token belongs to; "" where LINE does not tell.

        POST /v2/oauth/verify, and for a token v2.1 GET /oauth2/v2.1/verify.
        """
        token = self._sendable()
        for method, path in (("POST", "/v2/oauth/verify"), ("GET", "/oauth2/v2.1/verify")):
            _status, told = self._oauth(method, path, {"access_token": token})
            if isinstance(channel := told.get("client_id"), str):
                return channel
        return ""

    def has_secret(self, channel: str, secret: str) -> bool | None:
        """Whether the secret is this channel's; None where LINE does not tell.

        POST /oauth2/v3/token, which takes both: the stateless token it issues is dropped, unused.
        """
        fields = {
            "grant_type": "client_credentials",
            "client_id": channel,
            "client_secret": secret,
        }
        status, _told = self._oauth("POST", "/oauth2/v3/token", fields)
        return {200: True, 400: False, 401: False}.get(status)

    def _oauth(self, method: str, path: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """HTTP status and answer of one of LINE's OAuth calls. Raises Pending, ProvisionError."""
        import urllib3.exceptions

        try:
            form = {} if method == "GET" else {"encode_multipart": False}
            answer = self._send(method, path, fields=fields, **form)
            told = _object(answer) if answer.status == 200 else {}
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            doing = _("Asking LINE whether secret and access token belong together.")
            raise _unanswered(doing, error) from None
        if later := _later(answer.status):
            raise later
        return answer.status, told

    def _send(self, method: str, path: str, **what: Any) -> Any:
        url = self._url + path
        pool = self._connections.pool(url)
        return pool.request(method, url, timeout=self._timeout, retries=False, **what)

    def _call(self, doing: str, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        """One call's answer; None where LINE answers 404. Raises Pending or Refused."""
        import urllib3.exceptions

        self._known = self._known or self._sendable()
        headers = {"Authorization": f"Bearer {self._known}"}
        sent = {"json": body} if body is not None else {}
        try:
            answer = self._send(method, path, headers=headers, **sent)
            if answer.status == 200:
                return _object(answer)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise _unanswered(doing, error) from None
        if answer.status == 404:
            return None
        if later := _later(answer.status):
            raise later
        raise self._refused(doing, answer)

    def _refused(self, doing: str, answer: Any) -> "Refused":
        answered = True
        try:
            said = _object(answer)["message"]
        except (ValueError, KeyError):  # not LINE's answer, but a proxy's page
            said, answered = answer.reason, False
        if answer.status == 401:
            then = _(
                "Issue a channel access token at {console} and give that one.", console=CONSOLE
            )
        else:
            then = _(
                "Look at the channel at {console}, then run the same command again.",
                console=CONSOLE,
            )
        refused = Refused(
            answer.status,
            doing,
            _("LINE says {status}: {said}", status=answer.status, said=said),
            then,
        )
        refused.answered = answered
        return refused

    def forget(self) -> None:
        """The token has changed: the next call asks for it again."""
        self._known = ""

    def info(self) -> dict[str, str]:
        """The bot's basicId, displayName and chatMode (GET /v2/bot/info): it also proves the token."""
        doing = _("Asking LINE which bot the access token belongs to.")
        told = self._call(doing, "GET", "/v2/bot/info")
        if told is None:
            return {}
        if not isinstance(told.get("basicId"), str):
            raise Pending(_("LINE does not answer ({error})", error="basicId"))
        return told

    def endpoint(self) -> dict[str, Any]:
        """{"endpoint", "active"} (GET /v2/bot/channel/webhook/endpoint); {} where none is set."""
        told = self._call(_("Reading LINE's webhook endpoint."), "GET", ENDPOINT)
        if told is None:
            return {}
        return {"endpoint": told.get("endpoint"), "active": told.get("active")}

    def set_endpoint(self, url: str) -> None:
        """PUT /v2/bot/channel/webhook/endpoint; in effect within a minute."""
        doing = _("Telling LINE the webhook {url}.", url=url)
        self._call(doing, "PUT", ENDPOINT, {"endpoint": url})

    def test(self, url: str) -> Tested:
        """Has LINE send `events: []` to the URL (POST /v2/bot/channel/webhook/test; 60 an hour)."""
        doing = _("Having LINE test the webhook {url}.", url=url)
        try:
            told = self._call(doing, "POST", "/v2/bot/channel/webhook/test", {"endpoint": url})
        except Refused as refusal:
            if refusal.status != 400:
                raise
            # The name does not resolve from where LINE stands, yet.
            return Tested(False, 400, "COULD_NOT_CONNECT", refusal.why)
        if told is None:
            return Tested(False, 404, "COULD_NOT_CONNECT", _("LINE has no such test"))
        status, reason, detail = (told.get(name) for name in ("statusCode", "reason", "detail"))
        return Tested(bool(told.get("success")), status or 0, reason or "", detail or "")


def _later(status: int) -> Pending | None:
    """Return why the same call may succeed later, by its HTTP status; None where it would not."""
    if status in (408, 429) or status >= 500:
        return Pending(_("LINE asks to come back later ({status})", status=status))
    return None


def _unanswered(doing: str, error: Exception) -> Pending | ProvisionError:
    """Return what a lost answer means: ask again, but not where LINE's certificate is not trusted.

    error: a ValueError is somebody else's page (a proxy's, a hotel's), not LINE's answer.
    """
    if why := untrusted(error):
        return ProvisionError(doing, why, trust_it())
    return Pending(_("LINE does not answer ({error})", error=type(error).__name__))


def _object(answer: Any) -> dict[str, Any]:
    """The JSON object in an answer's body. Raises ValueError where there is none."""
    told = json.loads(answer.data)
    if not isinstance(told, dict):
        raise ValueError
    return told
