"""line-bot-sdk's fastapi-echo example (examples/fastapi-echo/main.py), with a configurable LINE URL.

Needs `pip install fastapi uvicorn`; run as `python -m uvicorn benchmarks.fastapi_echo:app --port $PORT`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from linebot.v3 import WebhookParser
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    ReplyMessageRequest,
    TextMessage,
)
from linebot.v3.webhooks import MessageEvent, TextMessageContent

configuration = Configuration(
    access_token=os.environ["ACCESS_TOKEN"], host=os.environ["LINE_API_URL"]
)
parser = WebhookParser(os.environ["CHANNEL_SECRET"])
line: Any = None


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make one client for all requests, as the example does; it needs a running loop."""
    global line
    line = AsyncMessagingApi(AsyncApiClient(configuration))
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> str:
    """Answer the target group's health check."""
    return "ok"


@app.post("/webhook")
async def callback(request: Request) -> str:
    """Handle a webhook as the example does."""
    signature = request.headers["X-Line-Signature"]
    body = (await request.body()).decode()
    try:
        events = parser.parse(body, signature)
    except InvalidSignatureError:
        raise HTTPException(status_code=400, detail="Invalid signature") from None
    for event in events:
        if isinstance(event, MessageEvent) and isinstance(event.message, TextMessageContent):
            await line.reply_message(
                ReplyMessageRequest(
                    reply_token=event.reply_token, messages=[TextMessage(text=event.message.text)]
                )
            )
    return "OK"
