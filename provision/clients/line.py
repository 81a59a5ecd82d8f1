"""Call LINE: bot info, the webhook endpoint and LINE's own test of it.

line-bot-sdk is imported when LINE is first called: that takes 0.7 s of CPU.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provision.clients.http import authorities, proxy, proxy_headers, trust_it, untrusted
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _

if TYPE_CHECKING:
    from linebot.v3.messaging import MessagingApi

TIMEOUT = 20  # seconds; LINE's webhook test itself takes up to ten
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
        self._messaging: MessagingApi | None = None

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
        token, api = self._valid_token(), self._oauth()
        for verify in (api.verify_channel_token, api.verify_channel_token_by_jwt):
            try:
                with self._translated(_unverified()):
                    return str(verify(token, _request_timeout=self._timeout).client_id)
            except LineError:
                continue  # it is a token of the other version, or of no channel
        return ""

    def has_secret(self, channel: str, secret: str) -> bool | None:
        """Return whether the secret is this channel's; None where LINE does not say.

        POST /oauth2/v3/token checks both. The stateless token that it issues is discarded.
        """
        issue = self._oauth().issue_stateless_channel_token_by_client_secret
        try:
            with self._translated(_unverified()):
                issue(channel, secret, _request_timeout=self._timeout)
        except LineError as error:
            return False if error.status in (400, 401) else None
        return True

    def forget(self) -> None:
        """Discard the token: the next call requests it again."""
        self._messaging = None

    def info(self) -> dict[str, str]:
        """Return the bot's basicId, displayName and chatMode (GET /v2/bot/info).

        Raise LineError for a wrong token.
        """
        doing = _("Could not find out which bot the access token belongs to.")
        with self._translated(doing):
            bot = self._api().get_bot_info(_request_timeout=self._timeout)
        return {
            "basicId": bot.basic_id,
            "displayName": bot.display_name,
            "chatMode": bot.chat_mode,
        }

    def endpoint(self) -> dict[str, Any]:
        """Return {"endpoint", "active"} (GET /v2/bot/channel/webhook/endpoint); {} where none is set."""
        try:
            with self._translated(_("Could not read LINE's webhook URL.")):
                found = self._api().get_webhook_endpoint(_request_timeout=self._timeout)
        except LineError as error:
            if error.status != 404:
                raise
            return {}
        return {"endpoint": found.endpoint, "active": found.active}

    def set_endpoint(self, url: str) -> None:
        """Set the webhook URL (PUT /v2/bot/channel/webhook/endpoint), in effect within a minute."""
        from linebot.v3.messaging import SetWebhookEndpointRequest

        with self._translated(_("Could not set LINE's webhook URL to {url}.", url=url)):
            request = SetWebhookEndpointRequest(endpoint=url)
            self._api().set_webhook_endpoint(request, _request_timeout=self._timeout)

    def test(self, url: str) -> WebhookTest:
        """Let LINE send `events: []` to the URL (POST /v2/bot/channel/webhook/test; 60 calls an hour)."""
        from linebot.v3.messaging import TestWebhookEndpointRequest

        try:
            with self._translated(_("LINE could not test the webhook URL {url}.", url=url)):
                request = TestWebhookEndpointRequest(endpoint=url)
                result = self._api().test_webhook_endpoint(request, _request_timeout=self._timeout)
        except LineError as error:
            if error.status not in (400, 404):
                raise
            # 400: LINE's resolvers do not know the name yet.
            return WebhookTest(False, error.status, "COULD_NOT_CONNECT", error.why)
        return WebhookTest(bool(result.success), result.status_code, result.reason, result.detail)

    def _api(self) -> "MessagingApi":
        """Return the Messaging API with this channel's token."""
        if self._messaging is None:
            from linebot.v3 import messaging

            configuration = messaging.Configuration(self._url, access_token=self._valid_token())
            self._configure(configuration)
            self._messaging = messaging.MessagingApi(messaging.ApiClient(configuration))
        return self._messaging

    def _oauth(self) -> Any:
        """Return the API of channel access tokens, which needs none."""
        from linebot.v3 import oauth

        configuration = oauth.Configuration(self._url)
        self._configure(configuration)
        return oauth.ChannelAccessToken(oauth.ApiClient(configuration))

    def _configure(self, configuration: Any) -> None:
        """Set what the environment has: authorities and proxy. The SDK retries nothing."""
        configuration.retries = False
        configuration.ssl_ca_cert = authorities()
        if address := proxy(self._url):
            configuration.proxy = address
            configuration.proxy_headers = proxy_headers(address)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Translate the SDK's exceptions: Pending for a lost answer, else LineError or ProvisionError."""
        import urllib3.exceptions
        from linebot.v3 import messaging, oauth

        try:
            yield
        except (messaging.ApiException, oauth.ApiException) as error:
            if not error.status:  # TLS failed
                raise _unanswered(doing, error) from None
            raise _transient(error.status) or _refused(doing, error) from None
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise _unanswered(doing, error) from None


def _unverified() -> str:
    return _("The channel secret and the access token could not be verified.")


def _refused(doing: str, error: Any) -> LineError:
    """Return the LineError for the SDK's ApiException."""
    answered = True
    try:
        message = str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):  # not LINE's answer, but a proxy's page
        message, answered = error.reason, False
    if error.status == 401:
        then = _("Issue a channel access token at {console} and use it.", console=CONSOLE)
    else:
        then = _(
            "Check the channel at {console}, then run the same command again.", console=CONSOLE
        )
    refusal = LineError(
        error.status,
        doing,
        _("LINE says {status}: {said}", status=error.status, said=message),
        then,
    )
    refusal.answered = answered
    return refusal


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
