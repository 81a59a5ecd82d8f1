"""Doors that ask AWS each question once."""

from provision.once import Once, once
from tests.provision.conftest import Desk


def test_only_the_door_to_aws_is_another(desk: Desk) -> None:
    """What stands in for a registry, a resolver or LINE stands in for those who look, too."""
    doors = desk.doors()
    told = once(doors)
    assert isinstance(told.aws, Once)
    assert (doors.dns, doors.line) == (told.dns, told.line)
    assert (doors.registries, doors.index) == (told.registries, told.index)
    assert once(told) is told


def test_a_question_is_asked_once(desk: Desk) -> None:
    """And each gets an answer of its own, which it may change."""
    ecs = once(desk.doors()).aws.ecs
    desk.cable.calls.clear()
    ecs.list_clusters()["clusterArns"].append("changed")
    assert [] == ecs.list_clusters()["clusterArns"]
    assert ["ListClusters"] == desk.cable.calls
