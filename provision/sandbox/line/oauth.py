"""LINE's OAuth endpoints that identify the channel of an access token or a secret.

Messaging API reference, "Verify the validity of short-lived and long-lived channel access tokens",
"Verify the validity of channel access token v2.1" and "Issue stateless channel access token".
"""

import hmac
from functools import partial
from typing import Any

from flask import Flask, Response, jsonify, request

from provision.sandbox.line.channel import STATELESS_SECONDS, Channel


def add_to(app: Flask, channel: Channel) -> None:
    """Add the endpoints, which need no Authorization header."""
    for method, path, view in (
        ("POST", "/v2/oauth/verify", _verify),
        ("GET", "/oauth2/v2.1/verify", _verify),
        ("POST", "/oauth2/v3/token", _issue),
    ):
        app.add_url_rule(path, f"{method} {path}", partial(view, channel), methods=[method])


def _verify(channel: Channel) -> tuple[Response, int]:
    if not _equal(request.values.get("access_token", ""), channel.access_token):
        return _error("invalid_request", "access token expired")
    return jsonify(client_id=channel.channel_id, expires_in=0, scope="P CM"), 200


def _issue(channel: Channel) -> tuple[Response, int]:
    form: Any = request.form
    if form.get("grant_type") != "client_credentials":
        return _error("unsupported_grant_type", "unsupported grant_type")
    client_known = form.get("client_id") == channel.channel_id
    if not client_known or not _equal(form.get("client_secret", ""), channel.channel_secret):
        return _error(
            "invalid_client", "invalid client_secret" if client_known else "invalid client_id"
        )
    token = channel.issue_token()
    return jsonify(access_token=token, expires_in=STATELESS_SECONDS, token_type="Bearer"), 200


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _error(code: str, description: str) -> tuple[Response, int]:
    return jsonify(error=code, error_description=description), 400
