"""The bot's environment variables."""

import pytest

from bot.config import SAMPLES, Config, ConfigError

SECRETS = {"ACCESS_TOKEN": "token-value", "CHANNEL_SECRET": "secret-value"}


def test_the_two_secrets_are_enough() -> None:
    """Everything else has a default that works in the container."""
    settings = Config.from_environment(SECRETS)
    assert ("0.0.0.0", 8080) == (settings.host, settings.port)
    assert "https://api.line.me" == settings.line_api_url
    assert SAMPLES == settings.news_url


def test_every_variable_is_read() -> None:
    """Each name in the module's docstring reaches its field."""
    given = {
        **SECRETS,
        "ACCESS_TOKEN_PARAMETER": "A",
        "CHANNEL_SECRET_PARAMETER": "B",
        "NEWS_URL": "s3://bucket/news",
        "LINE_API_URL": "http://127.0.0.1:1/",
        "HOST": "127.0.0.1",
        "PORT": "9",
        "AWS_REGION": "ap-northeast-1",
        "LINGER_SECONDS": "1.5",
        "SSL_CERT_FILE": "/ca.pem",
    }
    expected = Config(
        access_token="token-value",
        channel_secret="secret-value",
        access_token_parameter="A",
        channel_secret_parameter="B",
        news_url="s3://bucket/news",
        line_api_url="http://127.0.0.1:1",
        host="127.0.0.1",
        port=9,
        region="ap-northeast-1",
        linger_seconds=1.5,
        ca_bundle="/ca.pem",
    )
    assert expected == Config.from_environment(given)


def test_a_channel_id_takes_the_place_of_the_token() -> None:
    """LINE issues one for it and the secret."""
    given = {"CHANNEL_SECRET": "s", "CHANNEL_ID": "1650000000"}
    assert Config("", "s", "1650000000") == Config.from_environment(given)


@pytest.mark.parametrize(
    "url",
    [
        *("http://192.0.2.1.example", "http://8.8.8.8", "http://169.254.169.254", "http://[::1"),
        *("http://a@8.8.8.8", "ftp://127.0.0.1", "api.line.me", "https://", "https://[", "HTTP:"),
    ],
)
def test_line_is_called_with_tls(url: str) -> None:
    """Others could read the access token."""
    with pytest.raises(ConfigError, match="LINE_API_URL must begin with https://"):
        Config.from_environment({**SECRETS, "LINE_API_URL": url})


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.0.0.1", "http://10.0.0.1", "https://line.example"]
)
def test_another_line(url: str) -> None:
    """Without TLS on this machine and in private networks."""
    assert url == Config.from_environment({**SECRETS, "LINE_API_URL": url}).line_api_url


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_secret_is_named(name: str, value: str | None) -> None:
    """The error names the variable, and no value of another one."""
    given = {key: words for key, words in SECRETS.items() if key != name}
    if value is not None:
        given[name] = value
    with pytest.raises(ConfigError) as raised:
        Config.from_environment(given)
    assert name in str(raised.value)
    assert "-value" not in str(raised.value)


@pytest.mark.parametrize("port", ["http", "65536", "-1", "８０"])
def test_a_port_must_be_one(port: str) -> None:
    """What is no port number is refused at the start."""
    with pytest.raises(ConfigError, match="PORT"):
        Config.from_environment({**SECRETS, "PORT": port})


@pytest.mark.parametrize("seconds", ["-1", "46", "nan", "soon", "1.2.3"])
def test_lingering_must_end_before_the_container_is_killed(seconds: str) -> None:
    """A number of seconds that leaves time for what has come in."""
    with pytest.raises(ConfigError, match="LINGER_SECONDS"):
        Config.from_environment({**SECRETS, "LINGER_SECONDS": seconds})


def test_repr_shows_no_secret() -> None:
    """Config may end up in a log or a traceback."""
    shown = repr(Config.from_environment(SECRETS))
    assert "token-value" not in shown
    assert "secret-value" not in shown
