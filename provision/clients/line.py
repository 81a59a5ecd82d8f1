"""Call LINE's API: tokens, bot info, the webhook endpoint and its test.

line-bot-sdk is imported on the first call, because that takes 0.7 s of CPU.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.bounds import bound
from provision.clients.http import (
    MALFORMED,
    authorities,
    permanent_error,
    proxy,
    proxy_error,
    proxy_headers,
    retry_after,
)
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _

if TYPE_CHECKING:
    from linebot.v3.messaging import MessagingApi

TIMEOUT = 20  # seconds; LINE's webhook test takes up to ten
CONSOLE = "https://developers.line.biz/console/"


@dataclass(frozen=True)
class WebhookTest:
    """The result of LINE's webhook test (POST /v2/bot/channel/webhook/test)."""

    success: bool
    status: int
    reason: str
    detail: str


class LineError(UnknownState):
    """LINE refused a request. status: the HTTP status of the response."""

    def __init__(self, status: int, what: str, why: str, then: str) -> None:
        super().__init__(what, why, then)
        self.status = status


class Line:
    """A client for one LINE channel. It sends each request once; the engine retries.

    credential: returns the channel access token; called on first use. timeout: seconds per request.
    `console`: where a person changes the channel's settings.
    """

    console = CONSOLE

    def __init__(
        self,
        credential: Callable[[], str],
        url: str = "https://api.line.me",
        timeout: float = TIMEOUT,
    ) -> None:
        self._credential, self._url, self._timeout = credential, url.rstrip("/"), timeout
        self._messaging: MessagingApi | None = None
        self._token = ""
        self._channel: str | None = None  # its id, for stateless tokens
        self._lock = threading.Lock()

    def issue_tokens(self, channel: str) -> None:
        """Use stateless tokens: `credential` returns the secret of the channel with this id."""
        self._channel = channel

    def _access_token(self) -> str:
        """Return the stored token, or the stateless one, which LINE issues on first use."""
        with self._lock:
            if not self._token:
                stored = self._channel is None
                self._token = self._stored_token() if stored else self._issued_token()
            return self._token

    def _issued_token(self) -> str:
        """Return a new stateless token (POST /oauth2/v3/token). Raise LineError or Pending."""
        secret = self._credential().strip()
        doing = _("LINE issues no access token for the channel {channel}.", channel=self._channel)
        try:
            with self._translated(doing):
                return str(self._issue(self._channel, secret).access_token)
        except LineError as error:
            if error.status in (400, 401):
                error.then = _(
                    "Take line.channel_id and the channel secret from the same channel: {console}, tab "
                    "Basic settings.",
                    console=CONSOLE,
                )
            raise

    def _stored_token(self) -> str:
        """Return the token. Raise LineError if it is invalid in an HTTP header.

        (http.client's own error message would contain the token.)
        """
        token = self._credential().strip()
        if not re.fullmatch(r"[!-~]+", token):
            raise LineError(
                401,
                _("Could not find out which bot the access token belongs to."),
                _("it is empty or contains characters that are not allowed in an access token"),
                _("Issue a channel access token at {console} and use it.", console=CONSOLE),
            )
        return token

    def channel(self) -> str:
        """Return the id of the channel that the token belongs to; "" if LINE does not return it.

        POST /v2/oauth/verify, and for a token v2.1 GET /oauth2/v2.1/verify.
        """
        token, api = self._access_token(), self._oauth()
        if self._channel is not None:
            return self._channel
        for verify in (api.verify_channel_token, api.verify_channel_token_by_jwt):
            try:
                with self._translated(_unverified()):
                    return str(verify(token, _request_timeout=self._timeout).client_id)
            except LineError:
                continue  # a token of the other version, or an invalid one
        return ""

    def has_secret(self, channel: str, secret: str) -> bool | None:
        """Return whether the secret is this channel's; None if that could not be checked.

        POST /oauth2/v3/token checks both. The stateless token that it issues is discarded.
        """
        try:
            with self._translated(_unverified()):
                return bool(self._issue(channel, secret).access_token)
        except LineError as error:  # unless answered, it is a proxy's page
            return False if error.answered and error.status in (400, 401) else None

    def _issue(self, channel: str | None, secret: str) -> Any:
        """Return LINE's answer with a stateless token."""
        issue = self._oauth().issue_stateless_channel_token_by_client_secret
        return issue(channel, secret, _request_timeout=self._timeout)

    def forget(self) -> None:
        """Discard the token, so that the next call gets it again."""
        self._token = ""

    def info(self) -> dict[str, str]:
        """Return the bot's basicId, displayName and chatMode (GET /v2/bot/info).

        Raise LineError for a wrong token.
        """
        doing = _("Could not find out which bot the access token belongs to.")
        with self._translated(doing):
            bot = self._call("get_bot_info")
            return {
                "basicId": bot.basic_id,
                "displayName": bot.display_name,
                "chatMode": bot.chat_mode,
            }

    def endpoint(self) -> dict[str, Any]:
        """Return {"endpoint", "active"} (GET /v2/bot/channel/webhook/endpoint); {} if none is set."""
        try:
            with self._translated(_("Could not read LINE's webhook URL.")):
                found = self._call("get_webhook_endpoint")
                return {"endpoint": found.endpoint, "active": found.active}
        except LineError as error:
            if error.status != 404 or not error.answered:
                raise
            return {}

    def set_endpoint(self, url: str) -> None:
        """Set the webhook URL (PUT /v2/bot/channel/webhook/endpoint). It takes effect within a minute."""
        from linebot.v3.messaging import SetWebhookEndpointRequest

        with self._translated(_("Could not set LINE's webhook URL to {url}.", url=url)):
            self._call("set_webhook_endpoint", SetWebhookEndpointRequest(endpoint=url))

    def test(self, url: str) -> WebhookTest:
        """Make LINE send `events: []` to the URL (POST /v2/bot/channel/webhook/test; 60 calls an hour)."""
        from linebot.v3.messaging import TestWebhookEndpointRequest

        try:
            with self._translated(_("LINE could not test the webhook URL {url}.", url=url)):
                request = TestWebhookEndpointRequest(endpoint=url)
                result = self._call("test_webhook_endpoint", request)
                return WebhookTest(
                    bool(result.success), result.status_code, result.reason, result.detail
                )
        except LineError as error:
            if error.status not in (400, 404) or not error.answered:
                raise
            # 400: LINE cannot resolve the name yet.
            return WebhookTest(False, error.status, "COULD_NOT_CONNECT", error.why)

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the Messaging API; once more with a new token if a stateless one has expired."""
        from linebot.v3 import messaging

        token = self._access_token()
        try:
            return getattr(self._api(token), method)(*arguments, _request_timeout=self._timeout)
        except messaging.ApiException as error:
            if error.status != 401 or self._channel is None:
                raise
        with self._lock:
            if self._token == token:  # no other thread has had a new one issued
                self._token = ""
        api = self._api(self._access_token())
        return getattr(api, method)(*arguments, _request_timeout=self._timeout)

    def _api(self, token: str) -> "MessagingApi":
        """Return the Messaging API client with this token."""
        if self._messaging is None:
            from linebot.v3 import messaging

            self._messaging = messaging.MessagingApi(self._client(messaging, access_token=token))
        self._messaging.api_client.configuration.access_token = token
        return self._messaging

    def _oauth(self) -> Any:
        """Return the client of the channel access token API, which needs no token."""
        from linebot.v3 import oauth

        return oauth.ChannelAccessToken(self._client(oauth))

    def _client(self, api: Any, **options: str) -> Any:
        """Return the client of one of the SDK's packages: no retries, the environment's proxy and CAs."""
        configuration = api.Configuration(self._url, **options)
        configuration.retries = False
        configuration.ssl_ca_cert = authorities()
        if address := proxy(self._url):
            configuration.proxy = address
            configuration.proxy_headers = proxy_headers(address)
        client = api.ApiClient(configuration)
        bound(client.rest_client.pool_manager)
        return client

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Translate the SDK's exceptions: Pending without a response, else LineError or ProvisionError."""
        import urllib3.exceptions
        from linebot.v3 import messaging, oauth

        try:
            yield
        except (messaging.ApiException, oauth.ApiException) as error:
            if not error.status:  # TLS failed
                raise _unanswered(doing, error) from None
            if error.status == 407:  # over plain HTTP
                raise proxy_error(doing, f"407 {error.reason}") from None
            raise _transient(error) or _refused(doing, error) from None
        except (urllib3.exceptions.HTTPError, *MALFORMED) as error:
            raise _unanswered(doing, error) from None


def _unverified() -> str:
    return _("The channel secret and the access token could not be verified.")


def _refused(doing: str, error: Any) -> LineError:
    """Return the LineError for the SDK's ApiException."""
    is_line_error = True
    try:
        body = json.loads(error.body)
        names = ("message", "error_description", "error")
        message = next(str(body[name]) for name in names if body.get(name))
    except (StopIteration, *MALFORMED):  # a proxy's page
        message, is_line_error = error.reason, False
    if error.status == 401:
        then = _("Issue a channel access token at {console} and use it.", console=CONSOLE)
    else:
        then = _(
            "Check the channel at {console}, then run the same command again.", console=CONSOLE
        )
    translated = LineError(
        error.status,
        doing,
        _("LINE says {status}: {said}", status=error.status, said=message),
        then,
    )
    translated.answered = is_line_error
    return translated


def _transient(error: Any) -> Pending | None:
    """Return Pending for the SDK's ApiException if a retry may succeed, else None."""
    if error.status in (408, 429) or error.status >= 500:
        reason = _("LINE asks to try again later ({status})", status=error.status)
        return Pending(reason, remaining=retry_after(error.headers), exact=True)
    return None


def _unanswered(doing: str, error: Exception) -> Pending | ProvisionError:
    """Return Pending; ProvisionError for an error that a retry cannot change.

    error: one of MALFORMED means that the response is a proxy's or captive portal's page.
    """
    if permanent := permanent_error(doing, error):
        return permanent
    return Pending(_("LINE does not answer ({error})", error=type(error).__name__))
