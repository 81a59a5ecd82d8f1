"""The registrar: the name servers in the parent zone."""

import json
from typing import Any

import pytest
from werkzeug.test import Client

from provision.sandbox.dns.registrar import PARKING, Registrar, registrable


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("example.jp", "example.jp"),
        ("bot.example.jp.", "example.jp"),
        ("a.b.example.co.jp", "example.co.jp"),
        ("Bot.Example.COM", "example.com"),
        ("co.jp", "co.jp"),
    ],
)
def test_registrable_domain(name: str, domain: str) -> None:
    """The domain that has to be bought to own a name."""
    assert domain == registrable(name)


def test_delegation_is_the_closest_entry() -> None:
    """A name below a domain belongs to it, unless name servers were entered for the name itself."""
    registrar = Registrar()
    assert registrar.delegation("bot.example.jp") == ("example.jp", PARKING)
    registrar.enter("example.jp", ["NS1.test."])
    assert registrar.delegation("bot.example.jp") == ("example.jp", ("ns1.test",))
    registrar.enter("bot.example.jp", ["ns2.test"])
    assert registrar.delegation("x.bot.example.jp") == ("bot.example.jp", ("ns2.test",))
    registrar.enter("bot.example.jp", [])
    assert registrar.delegation("bot.example.jp") == ("example.jp", ("ns1.test",))


def test_over_http() -> None:
    """GET returns what PUT entered; an untouched domain is parked."""
    client = Client(Registrar())
    got = json.loads(client.get("/domains/example.jp").get_data())
    assert list(PARKING) == got["name_servers"]
    put = client.put("/domains/Example.JP", json={"name_servers": ["ns-1.awsdns-00.com."]})
    assert put.status_code == 200
    got = json.loads(client.get("/domains/example.jp").get_data())
    assert got == {"domain": "example.jp", "name_servers": ["ns-1.awsdns-00.com"]}


RECORD = {"name": "example.jp", "type": "MX", "value": "10 mail.example.jp."}


def test_records_of_a_domain_in_use() -> None:
    """Entered with or without name servers; returned; the other is kept."""
    client = Client(Registrar())
    servers = {"name_servers": ["ns1.test"]}
    assert client.put("/domains/example.jp", json=servers).status_code == 200
    assert client.put("/domains/example.jp", json={"records": [RECORD]}).status_code == 200
    got = json.loads(client.get("/domains/example.jp").get_data())
    assert got == {"domain": "example.jp", **servers, "records": [RECORD]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name_servers": "ns1.test"},
        {"name_servers": [1]},
        [],
        {"records": 1},
        {"records": ["MX"]},
        {"records": [{"name": "example.jp"}]},
    ],
)
def test_malformed_body(body: Any) -> None:
    """Invalid name servers or incomplete records are a 400 and change nothing."""
    registrar = Registrar()
    assert Client(registrar).put("/domains/example.jp", json=body).status_code == 400
    assert registrar.name_servers("example.jp") == PARKING


def test_other_paths_and_methods() -> None:
    """The registrar has no others."""
    client = Client(Registrar())
    assert client.get("/").status_code == 404
    assert client.get("/domains/jp").status_code == 404
    assert client.delete("/domains/example.jp").status_code == 405
