"""line-bot-sdk's flask-echo example (examples/flask-echo/app_with_handler.py); LINE's URL is configurable."""

import os

from flask import Flask, abort, request
from linebot.v3 import WebhookHandler
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    ApiClient,
    Configuration,
    MessagingApi,
    ReplyMessageRequest,
    TextMessage,
)
from linebot.v3.webhooks import MessageEvent, TextMessageContent

app = Flask(__name__)
handler = WebhookHandler(os.environ["CHANNEL_SECRET"])
configuration = Configuration(
    access_token=os.environ["ACCESS_TOKEN"], host=os.environ["LINE_API_URL"]
)


@app.get("/healthz")
def healthz() -> str:
    """Answer the target group's health check."""
    return "ok"


@app.post("/webhook")
def callback() -> str:
    """Handle a webhook as the example does."""
    signature = request.headers["X-Line-Signature"]
    try:
        handler.handle(request.get_data(as_text=True), signature)
    except InvalidSignatureError:
        abort(400)
    return "OK"


@handler.add(MessageEvent, message=TextMessageContent)
def message_text(event: MessageEvent) -> None:
    """Reply as the example does."""
    with ApiClient(configuration) as api_client:
        MessagingApi(api_client).reply_message_with_http_info(
            ReplyMessageRequest(
                reply_token=event.reply_token, messages=[TextMessage(text=event.message.text)]
            )
        )
