"""Your own commands. A file `bot/custom.py` in the folder `image.files` replaces this one.

from bot.handlers import command
from bot.messages import text

@command("weather", "天気")
def weather(event, news):
    return text("It is sunny." if news.language == "en" else "晴れです。")
"""
