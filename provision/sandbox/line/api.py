"""The endpoints of the Messaging API that the tool and the bot use, as a WSGI application.

Source: Messaging API reference (developers.line.biz). Differences: there is one channel, a webhook endpoint
is in effect at once, and there are no rate limits.
"""

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from provision.sandbox.line.channel import Channel
from provision.sandbox.line.messages import problems

UNAUTHORIZED = (
    "Authentication failed. Confirm that the access token in the authorization header is valid."
)


class LineApiError(Exception):
    """An error response of LINE."""

    def __init__(self, status: int, message: str, details: list[dict[str, str]] | None = None):
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if details:
            self.body["details"] = details


def application(channel: Channel) -> Flask:
    """Return the Messaging API of a channel; paths under /v2/, except /v2/oauth/, need its access token."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 2_000_000
    for method, path, view in (
        ("GET", "/v2/bot/info", _info),
        ("GET", "/v2/bot/channel/webhook/endpoint", _get_endpoint),
        ("PUT", "/v2/bot/channel/webhook/endpoint", _put_endpoint),
        ("POST", "/v2/bot/channel/webhook/test", _test_endpoint),
        ("POST", "/v2/bot/message/reply", _reply),
        ("POST", "/v2/bot/message/validate/reply", _validate),
        ("POST", "/v2/bot/chat/loading/start", _loading),
        ("GET", "/v2/bot/profile/<user>", _profile),
    ):
        app.add_url_rule(path, view.__name__, partial(view, channel), methods=[method])

    @app.before_request
    def authenticate() -> None:
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        needs_token = request.path.startswith("/v2/") and not request.path.startswith("/v2/oauth/")
        if needs_token and not (scheme == "Bearer" and channel.accepts(token)):
            raise LineApiError(401, UNAUTHORIZED)

    @app.errorhandler(LineApiError)
    def refused(error: LineApiError) -> tuple[Response, int]:
        return jsonify(error.body), error.status

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify({"message": error.name}), error.code or 500

    return app


def _info(channel: Channel) -> Response:
    return jsonify(
        userId=channel.user_id,
        basicId=channel.basic_id,
        displayName=channel.display_name,
        chatMode="bot",
        markAsReadMode="auto",
    )


def _profile(channel: Channel, user: str) -> Response:
    """Return the profile of a user who has sent a message, with the language of POST /_sandbox/send."""
    if user not in channel.languages:
        raise LineApiError(404, "Not found")
    language = channel.languages[user]
    profile = {"userId": user, "displayName": "Somebody"}
    return jsonify(profile | ({"language": language} if language else {}))


def _get_endpoint(channel: Channel) -> Response:
    if not channel.endpoint:
        raise LineApiError(404, "Webhook endpoint not found")
    return jsonify(endpoint=channel.endpoint, active=channel.active)


def _put_endpoint(channel: Channel) -> Response:
    channel.endpoint = _https_url(json_body().get("endpoint"))
    return jsonify({})


def _test_endpoint(channel: Channel) -> Response:
    body = json_body() if request.get_data() else {}
    url = _https_url(body["endpoint"]) if body.get("endpoint") is not None else channel.endpoint
    if not url:
        raise LineApiError(404, "Webhook endpoint not found")
    if not channel.resolve(urlsplit(url).hostname or ""):
        raise LineApiError(400, "Invalid webhook endpoint URL")
    delivery = channel.send_events(url, [])
    moment = datetime.fromtimestamp(channel.clock.now(), UTC)
    return jsonify(
        success=delivery.reason == "OK",
        timestamp=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        statusCode=delivery.status,
        reason=delivery.reason,
        detail=delivery.detail,
    )


def _reply(channel: Channel) -> Response:
    if request.headers.get("X-Line-Retry-Key"):
        raise LineApiError(400, "The header X-Line-Retry-Key is not supported by this API")
    body = json_body()
    messages = _messages(body)
    if not channel.tokens.use(body.get("replyToken"), messages):
        raise LineApiError(400, "Invalid reply token")
    sent = [{"id": str(secrets.randbelow(10**18))} for _message in messages]
    return jsonify(sentMessages=sent)


def _validate(channel: Channel) -> Response:
    _messages(json_body())
    return jsonify({})


def _loading(channel: Channel) -> tuple[Response, int]:
    body = json_body()
    chat, seconds = body.get("chatId"), body.get("loadingSeconds", 20)
    if not isinstance(chat, str) or not chat.startswith("U"):
        raise invalid("chatId")
    if isinstance(seconds, bool) or seconds not in range(5, 61, 5):
        raise invalid("loadingSeconds")
    return jsonify({}), 202


def json_body() -> dict[str, Any]:
    """Return the request's JSON object. Raises LineApiError."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise LineApiError(400, "The request body could not be parsed as JSON (line: 1, column: 1)")
    return body


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    details = problems(body.get("messages"))
    if details:
        raise LineApiError(400, f"The request body has {len(details)} error(s)", details)
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def invalid(name: str) -> LineApiError:
    """Return LINE's error for an invalid property."""
    return LineApiError(
        400, f"The property, '{name}', in the request body is invalid (line: -, column: -)"
    )


def _https_url(url: object) -> str:
    """Require an https URL of at most 500 characters ("Set webhook endpoint URL")."""
    if not isinstance(url, str) or len(url) > 500:
        raise LineApiError(400, "Invalid webhook endpoint URL")
    try:
        parts = urlsplit(url)
        valid = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or not url.isascii() or " " in url:
        raise LineApiError(400, "Invalid webhook endpoint URL")
    return url
