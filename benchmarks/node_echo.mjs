// @line/bot-sdk's echo example, told where LINE is. Needs `npm install @line/bot-sdk express` beside it.
import * as line from "@line/bot-sdk";
import express from "express";

const client = line.LineBotClient
  ? line.LineBotClient.fromChannelAccessToken({
      channelAccessToken: process.env.ACCESS_TOKEN, apiBaseURL: process.env.LINE_API_URL })
  : new line.messagingApi.MessagingApiClient({
      channelAccessToken: process.env.ACCESS_TOKEN, baseURL: process.env.LINE_API_URL });
const app = express();

app.get("/healthz", (_request, response) => response.send("ok"));
app.post("/webhook", line.middleware({ channelSecret: process.env.CHANNEL_SECRET }), async (request, response) => {
  const echo = (event) => client.replyMessage({
    replyToken: event.replyToken, messages: [{ type: "text", text: event.message.text }] });
  try {
    response.json(await Promise.all(request.body.events.map(echo)));
  } catch (error) {
    console.error(error);
    response.status(500).end();
  }
});
app.listen(Number(process.env.PORT), "127.0.0.1");
