"""Route 53: change batches, which are atomic."""

from typing import Any

import pytest

from tests.sandbox.aws.route53.test_hosted_zones import record_sets
from tests.sandbox.conftest import Account


def address(name: str, value: str = "192.0.2.1") -> dict[str, Any]:
    """Return an A record set."""
    return {"Name": name, "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": value}]}


def batch(account: Account, zone: str, *changes: tuple[str, dict[str, Any]]) -> Any:
    """Send a batch of actions and record sets."""
    given = [{"Action": action, "ResourceRecordSet": given} for action, given in changes]
    return account.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": given}
    )


def refused_change(account: Account, zone: str, action: str, *record: str) -> str:
    """Return the message with which this change of a record set is rejected."""
    name, type, *values = record
    code, status, message = account.refusal(
        lambda: account.change(zone, action, name, type, *values)
    )
    assert ("InvalidChangeBatch", 400) == (code, status)
    return message


@pytest.mark.behaviour("route53.create-existing")
def test_create_of_an_existing_record(account: Account, zone: str) -> None:
    """CREATE is rejected where UPSERT replaces; names are case-insensitive."""
    account.change(zone, "CREATE", "WWW.example.jp", "A", "192.0.2.1")
    expected = (
        "[Tried to create resource record set [name='www.example.jp.', type='A'] "
        "but it already exists]"
    )
    assert expected == refused_change(account, zone, "CREATE", "www.example.jp.", "A", "192.0.2.2")
    account.change(zone, "UPSERT", "www.example.jp", "A", "192.0.2.2")
    changed = record_sets(account, zone)["www.example.jp.", "A"]
    assert changed["ResourceRecords"] == [{"Value": "192.0.2.2"}]


@pytest.mark.behaviour("route53.delete-absent")
def test_delete_of_an_absent_record(account: Account, zone: str) -> None:
    """The second deletion is an error."""
    record = ("a.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", *record)
    account.change(zone, "DELETE", *record)
    expected = (
        "[Tried to delete resource record set [name='a.example.jp.', type='A'] "
        "but it was not found]"
    )
    assert expected == refused_change(account, zone, "DELETE", *record)


@pytest.mark.behaviour("route53.delete-other-values")
def test_delete_names_the_whole_record(account: Account, zone: str) -> None:
    """Other values or another TTL do not match."""
    account.change(zone, "CREATE", "a.example.jp", "A", "192.0.2.1")
    words = "but the values provided do not match the current values"
    assert words in refused_change(account, zone, "DELETE", "a.example.jp", "A", "192.0.2.2")
    other = address("a.example.jp") | {"TTL": 60}
    refused = account.refusal(lambda: batch(account, zone, ("DELETE", other)))
    assert words in refused[2]


@pytest.mark.behaviour("route53.one-wrong-change")
def test_batch_is_all_or_nothing(account: Account, zone: str) -> None:
    """With one invalid change in a batch none is made."""
    changes = ("CREATE", address("new.example.jp")), ("DELETE", address("absent.example.jp"))
    refused = account.refusal(lambda: batch(account, zone, *changes))
    assert refused[0] == "InvalidChangeBatch"
    assert ("new.example.jp.", "A") not in record_sets(account, zone)


@pytest.mark.behaviour("route53.record-twice-in-a-batch")
def test_record_comes_once_in_a_batch(account: Account, zone: str) -> None:
    """Two creations are rejected; a deletion and a creation are one change."""
    first, second = address("a.example.jp"), address("a.example.jp", "192.0.2.2")
    refused = account.refusal(lambda: batch(account, zone, ("UPSERT", first), ("UPSERT", second)))
    expected = (
        "[The request contains an invalid set of changes for a resource record set "
        "'A a.example.jp.']"
    )
    assert ("InvalidChangeBatch", 400, expected) == refused
    batch(account, zone, ("CREATE", first))
    batch(account, zone, ("DELETE", first), ("CREATE", second))
    assert [{"Value": "192.0.2.2"}] == record_sets(account, zone)["a.example.jp.", "A"][
        "ResourceRecords"
    ]


@pytest.mark.behaviour("route53.batch-size")
def test_batch_has_a_thousand_changes(account: Account, zone: str) -> None:
    """1001 are too many."""
    changes = [("CREATE", address(f"n{number}.example.jp")) for number in range(1001)]
    code, status, message = account.refusal(lambda: batch(account, zone, *changes))
    assert ("InvalidChangeBatch", 400) == (code, status)
    assert "Number of records limit of 1000 exceeded." in message


@pytest.mark.behaviour("route53.name-outside-the-zone")
@pytest.mark.parametrize("name", ["www.other.jp", "badexample.jp"])
def test_name_outside_the_zone(account: Account, zone: str, name: str) -> None:
    """A name with the same ending may belong to another domain."""
    expected = f"[RRSet with DNS name {name}. is not permitted in zone example.jp.]"
    assert expected == refused_change(account, zone, "CREATE", name, "A", "192.0.2.1")


@pytest.mark.behaviour("route53.cname-at-the-apex")
def test_cname_at_the_apex(account: Account, zone: str) -> None:
    """The domain itself cannot be a CNAME."""
    expected = (
        "[RRSet of type CNAME with DNS name example.jp. is not permitted at apex in zone "
        "example.jp.]"
    )
    assert expected == refused_change(account, zone, "CREATE", "example.jp", "CNAME", "other.jp")


@pytest.mark.behaviour("route53.cname-beside-others")
def test_nothing_beside_a_cname(account: Account, zone: str) -> None:
    """Neither a CNAME beside an address, nor an address beside a CNAME."""
    account.change(zone, "CREATE", "a.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", "c.example.jp", "CNAME", "other.jp")
    message = refused_change(account, zone, "CREATE", "a.example.jp", "CNAME", "other.jp")
    assert (
        "as it conflicts with other records with the same DNS name in zone example.jp." in message
    )
    message = refused_change(account, zone, "CREATE", "c.example.jp", "TXT", '"hello"')
    assert "because a conflicting RRSet of type CNAME with the same DNS name already" in message


@pytest.mark.behaviour("route53.apex-records-stay")
@pytest.mark.parametrize(
    ("type", "words"),
    [
        ("NS", "[A HostedZone must contain at least one NS record for the zone itself.]"),
        ("SOA", "[A HostedZone must contain exactly one SOA record.]"),
    ],
)
def test_apex_records_stay(account: Account, zone: str, type: str, words: str) -> None:
    """The zone's own NS and SOA can be changed, not deleted."""
    own = record_sets(account, zone)["example.jp.", type]
    refused = account.refusal(lambda: batch(account, zone, ("DELETE", own)))
    assert ("InvalidChangeBatch", 400, words) == refused
    batch(account, zone, ("UPSERT", own | {"TTL": 60}))


@pytest.mark.behaviour("route53.prior-request-not-complete")
def test_one_change_at_a_time(account: Account, zone: str) -> None:
    """While the last one is PENDING; only if this is switched on."""
    account.change(zone, "CREATE", "a.example.jp", "A", "192.0.2.1")
    account.change(zone, "CREATE", "b.example.jp", "A", "192.0.2.1")
    account.cloud.route53.one_change_at_a_time = True
    change = ("UPSERT", "c.example.jp", "A", "192.0.2.1")
    refused = account.refusal(lambda: account.change(zone, *change))
    assert ("PriorRequestNotComplete", 400) == refused[:2]
    account.clock.advance(account.cloud.delays.route53_sync)
    account.change(zone, *change)
