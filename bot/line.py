"""The calls to LINE, through line-bot-sdk's client."""

import enum
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import urllib3
from linebot.v3 import messaging
from linebot.v3.messaging import ApiException, ErrorResponse, MessagingApi
from requests import utils

from bot.bounds import bound
from bot.config import Config
from bot.logs import reason
from bot.messages import Message
from bot.secrets import Secret, secret_of
from bot.text import Language

log = logging.getLogger(__name__)

CONNECT_SECONDS = 1.0
REPLY_SECONDS = 12.0  # for all tries of a reply
PROFILE_SECONDS = 0.4
ISSUE_SECONDS, ISSUE_PAUSE = 2.0, 5.0  # for having a token issued, and between two tries
TOKEN_SECONDS = 900.0  # for which LINE says that a stateless token is valid
LANGUAGES = 10_000  # people whose language is remembered, some 2 MB
# Raised by the SDK, or with what it returns, for an answer that is not LINE's.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
PAUSES = (0.1, 0.3, 0.9)  # before the second, third and fourth try


class Outcome(enum.Enum):
    """What became of a reply."""

    TAKEN = "taken"
    SPENT = "spent"  # the reply token was used, perhaps by us before a crash, or is too old
    REFUSED = "refused"  # no try can succeed
    FAILED = "failed"  # another delivery of the event may succeed


class Line:
    """The Messaging API with one client for all threads. Waiting between tries is by `sleep` and `clock`."""

    def __init__(
        self,
        config: Config,
        access_token: Secret,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access_token = access_token
        self._sleep, self._clock = sleep, clock
        self._language = lru_cache(LANGUAGES)(self._ask_language)
        self._client = _client(messaging, config, access_token=access_token.value)
        self._api = MessagingApi(self._client)

    def reply(self, reply_token: str, messages: list[Message], plain: list[Message]) -> Outcome:
        """Reply; send `plain` if LINE refuses the messages. Trying again is safe: a token works once."""
        end = self._clock() + REPLY_SECONDS
        pauses = iter(PAUSES)
        while True:
            access_token = self._authorize()
            try:
                body = {"replyToken": reply_token, "messages": messages}
                self._post_reply(body, end - self._clock())
                return Outcome.TAKEN
            except ApiException as error:
                status, said = int(error.status or 0), _error(error.body)
                if status == 400 and said.message == "Invalid reply token":
                    return Outcome.SPENT
                if status == 400 and plain:
                    properties = ", ".join(str(one.var_property) for one in said.details or [])
                    log.error("LINE refused the messages", extra={"error": properties[:200]})
                    messages, plain = plain, []
                    continue
                if status == 401 and self._access_token.renewed_since(access_token):
                    continue
                log.warning("LINE did not take the reply", extra={"status": status})
                if status == 401:  # by the next delivery there may be another token
                    return Outcome.FAILED
                if 0 < status < 500 and status != 429:
                    return Outcome.REFUSED
            except (urllib3.exceptions.HTTPError, OSError, *UNREADABLE) as error:
                log.warning("no answer from LINE", extra={"error": reason(error)})
            pause = next(pauses, None)
            if pause is None or self._clock() + pause > end:
                return Outcome.FAILED
            self._sleep(pause)

    def _authorize(self) -> str:
        """Let the next requests carry the present access token; return it."""
        self._client.configuration.access_token = token = self._access_token.value
        return token

    def _post_reply(self, body: Message, seconds: float) -> None:
        """Post dictionaries: the SDK's models cost five times the rest of an answer."""
        self._client.call_api(
            "/v2/bot/message/reply",
            "POST",
            header_params={"Content-Type": "application/json"},
            body=body,
            response_types_map={},
            auth_settings=["Bearer"],
            _request_timeout=(min(CONNECT_SECONDS, seconds), max(seconds, 0.1)),
        )

    def language(self, user_id: str) -> Language | None:
        """Return the language of a friend's LINE; None if LINE does not say so at once."""
        try:
            return self._language(user_id)
        except (ApiException, urllib3.exceptions.HTTPError, OSError, *UNREADABLE):
            return None

    def _ask_language(self, user_id: str) -> Language:
        self._authorize()
        profile = self._api.get_profile(user_id, _request_timeout=PROFILE_SECONDS)
        if not profile.language:
            raise ValueError("LINE does not say")
        return "ja" if profile.language.startswith("ja") else "en"


def channel_token(
    config: Config, channel_secret: Secret, clock: Callable[[], float] = time.monotonic
) -> Secret:
    """Return the access token: what LINE issues for the channel id, if there is one, or the stored one."""
    if not config.channel_id:
        return secret_of(config, "access_token")
    from linebot.v3 import oauth  # only where it is needed

    api = oauth.ChannelAccessToken(_client(oauth, config))

    def issue() -> str:
        secret = channel_secret.value
        try:
            issued = api.issue_stateless_channel_token_by_client_secret(
                config.channel_id, secret, _request_timeout=ISSUE_SECONDS
            )
        except oauth.ApiException as error:
            if error.status in (400, 401) and channel_secret.renewed_since(secret):
                return issue()
            raise
        return str(issued.access_token)

    return Secret("", issue, clock, ISSUE_PAUSE, TOKEN_SECONDS)


def _client(api: Any, config: Config, **options: str) -> Any:
    """Return the client of one of the SDK's packages, each of which has classes of its own."""
    configuration = api.Configuration(config.line_api_url, **options)
    configuration.connection_pool_maxsize = config.threads
    configuration.retries = False  # `reply` knows what a second try means
    configuration.ssl_ca_cert = config.ca_bundle or None
    proxy = utils.select_proxy(config.line_api_url, utils.get_environ_proxies(config.line_api_url))
    if proxy:
        configuration.proxy = proxy if "//" in proxy else f"http://{proxy}"
        login = ":".join(utils.get_auth_from_url(configuration.proxy))
        if login != ":":
            configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=login)
    client = api.ApiClient(configuration)
    bound(client.rest_client.pool_manager)
    return client


def _error(body: Any) -> ErrorResponse:
    """Return what LINE says is wrong with a request; its values stay out of the log."""
    try:
        return ErrorResponse.from_json(body) or ErrorResponse(message="")
    except Exception:  # something between LINE and us has answered
        return ErrorResponse(message="")
