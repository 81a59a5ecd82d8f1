"""The only door to LINE: bot info, the webhook endpoint and LINE's own test of it.

The calls are line-bot-sdk's (it is a CLI's start-up that must not pay for its import, so it is imported in
use). LINE's token is asked for when first needed and never shown.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.errors import NotYet, Refusal
from provision.words import _

TIMEOUT = 20  # seconds; LINE's test of a webhook may itself take ten
CONSOLE = "https://developers.line.biz/console/"


@dataclass(frozen=True)
class Tested:
    """What LINE's test of a webhook said (POST /v2/bot/channel/webhook/test)."""

    success: bool
    status: int
    reason: str
    detail: str


class Refused(Refusal):
    """LINE said no. status: the HTTP status it said it with."""

    def __init__(self, status: int, what: str, why: str, then: str) -> None:
        super().__init__(what, why, then)
        self.status = status


class Line:
    """One LINE channel. token: called when the channel access token is needed. timeout: seconds for a call.

    Every call goes through `_call`, which hands the timeout to the SDK (it has none of its own).
    """

    def __init__(
        self,
        token: Callable[[], str],
        url: str = "https://api.line.me",
        timeout: float = TIMEOUT,
    ) -> None:
        self._token, self._url, self._client = token, url.rstrip("/"), None
        self._timeout = timeout

    def _api(self) -> Any:
        from linebot.v3.messaging import ApiClient, Configuration, MessagingApi

        if self._client is None:
            configuration = Configuration(access_token=self._sendable(), host=self._url)
            configuration.retries = False  # waiting is on the engine's clock
            self._client = ApiClient(configuration)
        return MessagingApi(self._client)

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
        for operation in ("verify_channel_token", "verify_channel_token_by_jwt"):
            _status, told = self._oauth(operation, token)
            if told is not None:
                return str(told.client_id)
        return ""

    def has_secret(self, channel: str, secret: str) -> bool | None:
        """Whether the secret is this channel's; None where LINE does not tell.

        POST /oauth2/v3/token, which takes both: the stateless token it issues is dropped, unused.
        """
        operation = "issue_stateless_channel_token_by_client_secret"
        status, _told = self._oauth(operation, channel, secret)
        return {200: True, 400: False, 401: False}.get(status)

    def _oauth(self, operation: str, *arguments: str) -> tuple[int, Any]:
        """HTTP status and answer of one of LINE's OAuth calls; (0, None) where none came."""
        import urllib3.exceptions
        from linebot.v3.oauth import ApiClient, ChannelAccessToken, Configuration
        from linebot.v3.oauth.exceptions import ApiException

        configuration = Configuration()
        configuration.retries = False
        api = ChannelAccessToken(ApiClient(configuration))
        api.line_base_path = self._url
        try:
            return 200, getattr(api, operation)(*arguments, _request_timeout=self._timeout)
        except (urllib3.exceptions.HTTPError, ValueError, TypeError, AttributeError):
            return 0, None  # the latter three: as in _call
        except ApiException as error:
            return error.status or 0, None

    def _call(self, doing: str, operation: str, *arguments: Any) -> Any:
        """One call; None where LINE answers 404. Raises NotYet or Refused."""
        import urllib3.exceptions
        from linebot.v3.messaging.exceptions import ApiException

        try:
            return getattr(self._api(), operation)(*arguments, _request_timeout=self._timeout)
        except (urllib3.exceptions.HTTPError, ValueError, TypeError, AttributeError) as error:
            # The latter three: the SDK met something else than LINE's answer (a proxy's or hotel's page).
            raise NotYet(_("LINE does not answer ({error})", error=type(error).__name__)) from None
        except ApiException as error:
            if error.status == 404:
                return None
            if not error.status:  # TLS failed
                said = str(error.reason).partition("\n")[0]
                raise NotYet(_("LINE does not answer ({error})", error=said)) from None
            if error.status == 429 or error.status >= 500:
                raise NotYet(
                    _("LINE asks to come back later ({status})", status=error.status)
                ) from None
            raise self._refused(doing, error) from None

    def _refused(self, doing: str, error: Any) -> "Refused":
        import json

        try:
            said = json.loads(error.body)["message"]
        except (ValueError, TypeError, KeyError):
            said = error.reason
        if error.status == 401:
            then = _(
                "Issue a channel access token at {console} and give that one.", console=CONSOLE
            )
        else:
            then = _(
                "Look at the channel at {console}, then run the same command again.",
                console=CONSOLE,
            )
        return Refused(
            error.status,
            doing,
            _("LINE says {status}: {said}", status=error.status, said=said),
            then,
        )

    def forget(self) -> None:
        """The token has changed: the next call asks for it again."""
        self._client = None

    def info(self) -> dict[str, str]:
        """The bot's basicId, displayName and chatMode (GET /v2/bot/info): it also proves the token."""
        bot = self._call(_("Asking LINE which bot the access token belongs to."), "get_bot_info")
        return {} if bot is None else bot.to_dict()

    def endpoint(self) -> dict[str, Any]:
        """{"endpoint", "active"} (GET /v2/bot/channel/webhook/endpoint); {} where none is set."""
        told = self._call(_("Reading LINE's webhook endpoint."), "get_webhook_endpoint")
        return {} if told is None else {"endpoint": told.endpoint, "active": told.active}

    def set_endpoint(self, url: str) -> None:
        """PUT /v2/bot/channel/webhook/endpoint; in effect within a minute."""
        from linebot.v3.messaging import SetWebhookEndpointRequest

        request = SetWebhookEndpointRequest(endpoint=url)
        self._call(_("Telling LINE the webhook {url}.", url=url), "set_webhook_endpoint", request)

    def test(self, url: str) -> Tested:
        """Has LINE send `events: []` to the URL (POST /v2/bot/channel/webhook/test; 60 an hour)."""
        from linebot.v3.messaging import TestWebhookEndpointRequest

        request = TestWebhookEndpointRequest(endpoint=url)
        try:
            told = self._call(
                _("Having LINE test the webhook {url}.", url=url), "test_webhook_endpoint", request
            )
        except Refused as refusal:
            if refusal.status != 400:
                raise
            # The name does not resolve from where LINE stands, yet.
            return Tested(False, 400, "COULD_NOT_CONNECT", refusal.why)
        if told is None:
            return Tested(False, 404, "COULD_NOT_CONNECT", _("LINE has no such test"))
        return Tested(
            bool(told.success), told.status_code or 0, told.reason or "", told.detail or ""
        )
