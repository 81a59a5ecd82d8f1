"""Resources known only from their record: they are no longer in stack.py, and their settings are gone."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import pytest

from provision.errors import Pending, ProvisionError
from provision.image.given import platforms
from provision.resources.advice import advice
from provision.resources.base import Clients, Difference, ExternalUse, Live
from provision.resources.bucket import AccessLogBucket, NewsBucket
from provision.resources.certificate import Certificate
from provision.resources.cluster import Cluster
from provision.resources.hosted_zone import HostedZone
from provision.resources.image import GivenImage
from provision.resources.kms import key_arn
from provision.resources.listener import WebhookRule
from provision.resources.load_balancer import ActiveLoadBalancer, LoadBalancer
from provision.resources.record_set import Alias
from provision.resources.security_group import SecurityGroup
from provision.resources.service import Service
from provision.resources.steady_service import SteadyService
from provision.resources.task_definition import TaskDefinition
from provision.resources.web_acl import WebAcl

CLUSTER = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/news-bot"
SERVICE = "arn:aws:ecs:ap-northeast-1:123456789012:service/news-bot/news-bot"


class Answers:
    """A boto3 client that gives these answers (an exception is raised) and lists its calls.

    A paginator's answer is a list of pages. meta: the client's endpoint, where one is needed.
    """

    meta: Any = None
    list_web_acls: Any

    def __init__(self, **answers: Any) -> None:
        self._answers, self.calls = answers, list[tuple[str, dict[str, Any]]]()

    def _answer(self, name: str, parameters: dict[str, Any]) -> Any:
        self.calls.append((name, parameters))
        answer = self._answers.get(name, {})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __getattr__(self, name: str) -> Any:
        return lambda **parameters: self._answer(name, parameters)

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=lambda **parameters: self._answer(name, parameters))


def aws(**services: Any) -> Clients:
    """Return clients of these services, and of the account 123456789012 in Tokyo."""
    account = {"region": "ap-northeast-1", "account": lambda: "123456789012"}
    return Clients(SimpleNamespace(**account, **services), None, None)  # type: ignore[arg-type]


def refusal(code: str) -> Exception:
    """Return AWS's answer with this error code."""
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": ""}}, "Any")


def clients(**calls: Any) -> Clients:
    """Return clients whose ECS client answers these calls only."""
    ecs = SimpleNamespace(
        **{name: lambda answer=answer, **_: answer for name, answer in calls.items()}
    )
    return Clients(SimpleNamespace(ecs=ecs), None, None)  # type: ignore[arg-type]


def test_cluster_is_named_by_its_key() -> None:
    """A foreign task in the cluster is reported with the cluster's name."""
    pages = {"list_tasks": [{"taskArns": []}, {"taskArns": ["foreign"]}]}
    ecs = clients(describe_tasks={"tasks": [{"taskArn": "foreign", "group": "family:foreign"}]})
    ecs.aws.ecs.get_paginator = lambda name: SimpleNamespace(
        paginate=lambda **_: pages.get(name, [])
    )
    cluster = Cluster.from_record("news-bot", "cluster/news-bot", {"arn": CLUSTER})
    assert [ExternalUse("news-bot: foreign")] == cluster.external_uses(ecs, frozenset())


def test_service_without_capacity_provider_strategy() -> None:
    """It is found although neither the emulator nor a setting knows its capacity."""
    live = {"serviceArn": SERVICE, "clusterArn": CLUSTER, "status": "ACTIVE"}
    outputs = {"arn": SERVICE, "cluster_arn": CLUSTER}
    service = Service.from_record("news-bot", "service/news-bot", outputs)
    found = service.find(clients(describe_services={"services": [live]}))
    assert found is not None
    assert (SERVICE, "") == (found["serviceArn"], found["Counted"])


def test_load_balancer_is_active() -> None:
    """Also if it is impaired, as it then forwards requests; one that AWS gave up is an error."""
    milestone = ActiveLoadBalancer.from_record("news-bot", "active_load_balancer", {})
    for state in ("active", "active_impaired"):
        assert milestone.pending({"State": {"Code": state}}) is None
    waiting = milestone.pending({"State": {"Code": "provisioning"}})
    assert waiting is not None
    assert "the load balancer is provisioning" == waiting.reason
    with pytest.raises(ProvisionError) as failed:
        milestone.pending({"State": {"Code": "failed", "Reason": "no address"}})
    assert "AWS says failed: no address" == failed.value.why


@pytest.mark.parametrize(
    ("status", "users", "state"),
    [
        ("FAILED", [], "leaving"),
        ("VALIDATION_TIMED_OUT", [], "leaving"),
        ("EXPIRED", [], "leaving"),
        ("REVOKED", [], "leaving"),
        ("INACTIVE", [], "leaving"),
        ("EXPIRED", ["arn:aws:elasticloadbalancing:::loadbalancer/app/theirs/1"], ""),
        ("ISSUED", [], ""),
        ("PENDING_VALIDATION", [], ""),
    ],
)
def test_certificate_that_acm_gave_up(status: str, users: list[str], state: str) -> None:
    """It is replaced, unless something still uses it."""
    certificate = Certificate.from_record("news-bot", "certificate/bot.example.jp", {})
    assert state == certificate.deletion_state({"Status": status, "InUseBy": users})


def test_certificates_given_up_are_deleted_before_the_next_is_requested() -> None:
    """One that is gone, or still in use, does not prevent the request."""
    for code in ("ResourceNotFoundException", "ResourceInUseException"):
        acm = Answers(
            delete_certificate=refusal(code), request_certificate={"CertificateArn": "arn:new"}
        )
        certificate = Certificate.from_record("news-bot", "certificate/bot.example.jp", {})
        certificate.given_up = ["arn:old"]
        found = certificate.create(aws(acm=acm))
        assert {"CertificateArn": "arn:new", "Status": "PENDING_VALIDATION"} == found
        assert ("delete_certificate", {"CertificateArn": "arn:old"}) == acm.calls[0]


@pytest.mark.parametrize(
    ("status", "running", "pending", "state"),
    [
        ("ACTIVE", 0, 0, ""),
        ("DRAINING", 1, 0, "leaving"),
        ("DRAINING", 0, 1, "leaving"),
        ("DRAINING", 0, 0, "released"),
    ],
)
def test_service_that_is_deleted(status: str, running: int, pending: int, state: str) -> None:
    """Its dependencies may be deleted once no task is running or starting."""
    live = {"status": status, "runningCount": running, "pendingCount": pending}
    service = Service.from_record("news-bot", "service/news-bot", {})
    assert state == service.deletion_state(live)


def test_settings_of_a_service() -> None:
    """A stopped service does not tell how many tasks it should have."""
    service = Service.from_record("news-bot", "service/news-bot", {})
    live = {"desiredCount": 0, "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}
    assert {"service.capacity": "on-demand"} == service.recovered_settings(live)
    spot = {"desiredCount": 2, "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}
    assert {"service.capacity": "spot", "service.count": "2"} == service.recovered_settings(spot)


def test_settings_of_a_task_definition() -> None:
    """Its size, its image and what its environment names."""
    environment = {
        "ACCESS_TOKEN_PARAMETER": "/bot/token",
        "CHANNEL_SECRET_PARAMETER": "/bot/secret",
        "NEWS_URL": "s3://my-news/news",
    }
    live = {
        "cpu": "512",
        "memory": "1024",
        "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "Container": {"image": "public.ecr.aws/me/bot:2", "environment": environment},
    }
    definition = TaskDefinition.from_record("news-bot", "task_definition/news-bot", {})
    assert {
        "image.uri": "public.ecr.aws/me/bot:2",
        "image.platform": "linux/arm64",
        "service.cpu": "512",
        "service.memory": "1024",
        "line.access_token_parameter": "/bot/token",
        "line.channel_secret_parameter": "/bot/secret",
        "news.bucket": "my-news",
    } == definition.recovered_settings(live)


def test_images_and_revisions_of_a_family() -> None:
    """The images of the active revisions, and the newest revision before the present one."""
    prefix = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/"
    arns = [f"{prefix}news-bot:{number}" for number in (9, 10, 11)]
    pages = [{"taskDefinitionArns": arns[:2]}, {"taskDefinitionArns": [arns[2], f"{prefix}n:12"]}]
    containers = {"containerDefinitions": [{"image": "bot:1"}, {"image": "helper:2"}]}
    ecs = Answers(
        list_task_definitions=pages, describe_task_definition={"taskDefinition": containers}
    )
    outputs = {"arn": arns[1], "family": "news-bot"}
    family = TaskDefinition.from_record("news-bot", "task_definition/news-bot", outputs)
    assert {"bot:1", "helper:2"} == family.images(aws(ecs=ecs))
    described = [call for name, call in ecs.calls if name == "describe_task_definition"]
    assert [{"taskDefinition": arn} for arn in arns] == described
    assert arns[0] == family.previous(aws(ecs=ecs))


def test_zone_signed_by_others_is_kept() -> None:
    """A key-signing key that somebody added in Route 53 is named."""
    own = [{"Name": "example.jp.", "Type": kind} for kind in ("NS", "SOA")]
    route53 = Answers(
        get_dnssec={"KeySigningKeys": [{"Name": "theirs"}]},
        list_resource_record_sets=[{"ResourceRecordSets": own}],
    )
    zone = HostedZone.from_record("news-bot", "zone/example.jp", {"id": "Z1"})
    expected = [ExternalUse("DNSSEC key-signing key theirs")]
    assert expected == zone.external_uses(aws(route53=route53), frozenset())


def test_record_set_of_another_type_is_not_deleted() -> None:
    """Route 53 lists from a name and type on: the first of them may be another record of that name."""
    outputs = {"zone_id": "Z1", "name": "bot.example.jp", "type": "A"}
    alias = Alias.from_record("news-bot", "alias/bot.example.jp", outputs)
    record: Live = {"Name": "bot.example.jp.", "Type": "AAAA", "TTL": 60, "ResourceRecords": []}
    listed = Answers(list_resource_record_sets={"ResourceRecordSets": [record]})
    alias.delete(aws(route53=listed))
    assert ["list_resource_record_sets"] == [name for name, _call in listed.calls]
    record["Type"] = "A"
    alias.delete(aws(route53=listed))
    change = {"Action": "DELETE", "ResourceRecordSet": record}
    deleted = {"HostedZoneId": "Z1", "ChangeBatch": {"Changes": [change]}}
    assert ("change_resource_record_sets", deleted) == listed.calls[-1]


def test_alias_made_in_the_console() -> None:
    """Route 53's console writes `dualstack.` before the load balancer's name, and capitals stay."""
    target = {"HostedZoneId": "ZELB", "DNSName": "dualstack.News-Bot-1.elb.amazonaws.com."}
    record = {"Name": "Bot.example.jp.", "Type": "A", "AliasTarget": target}
    outputs = {"zone_id": "Z1", "name": "bot.example.jp", "type": "A"}
    alias = Alias.from_record("news-bot", "alias/bot.example.jp", outputs)
    listed = Answers(list_resource_record_sets={"ResourceRecordSets": [record]})
    assert {
        "Name": "bot.example.jp",
        "Type": "A",
        "AliasTarget": {"HostedZoneId": "ZELB", "DNSName": "news-bot-1.elb.amazonaws.com"},
        "ZoneId": "Z1",
    } == alias.find(aws(route53=listed))


def test_bucket_that_is_not_listed() -> None:
    """An emulator may list none. A bucket of another region (301) or account (403) is not ours."""
    news = NewsBucket.from_record("news-bot", "news_bucket/my-news", {"bucket": "my-news"})
    meta = SimpleNamespace(endpoint_url="https://s3.amazonaws.com")
    for code in ("301", "403", "404", "NoSuchBucket"):
        s3 = Answers(list_buckets=[{"Buckets": []}], head_bucket=refusal(code))
        s3.meta = meta
        assert news.find(aws(s3=s3)) is None
        expected = {"Bucket": "my-news", "ExpectedBucketOwner": "123456789012"}
        assert ("head_bucket", expected) == s3.calls[-1]


@pytest.mark.parametrize(("code", "taken"), [("301", True), ("403", True), ("404", False)])
def test_configured_bucket_of_another_account(code: str, taken: bool) -> None:
    """It is refused before anything is created, wherever it is."""
    news = NewsBucket.from_record("news-bot", "news_bucket/my-news", {})
    news.name = "my-news"
    found = aws(s3=Answers(head_bucket=refusal(code)))
    if not taken:
        news.preflight(found)
        return
    with pytest.raises(ProvisionError) as refused:
        news.preflight(found)
    assert "Could not create the bucket my-news." == refused.value.what


def test_buckets_of_the_region() -> None:
    """Only this region's buckets are read: another region may have a stack of the same name."""
    tags = {"provision:stack": "news-bot", "provision:resource": "news_bucket"}
    tag_set = {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
    s3 = Answers(list_buckets=[{"Buckets": [{"Name": "mine"}]}], get_bucket_tagging=tag_set)
    found = [(tags, {"Name": "mine", "Arn": "arn:aws:s3:::mine"})]
    assert found == NewsBucket.list_tagged(aws(s3=s3), "news-bot")
    assert ("list_buckets", {"BucketRegion": "ap-northeast-1"}) == s3.calls[0]
    assert [] == AccessLogBucket.list_tagged(aws(s3=s3), "news-bot")


def test_some_objects_cannot_be_deleted() -> None:
    """It is tried again only if every object's error may pass."""
    news = NewsBucket.from_record("news-bot", "news_bucket/my-news", {"bucket": "my-news"})
    busy, denied = ({"Key": "a", "Code": code, "Message": "no"} for code in ("SlowDown", "Denied"))
    page = {"Versions": [{"Key": "a", "VersionId": "1"}], "IsTruncated": False}
    s3 = Answers(list_object_versions=page, delete_objects={"Errors": [busy, denied]})
    with pytest.raises(ProvisionError) as refused:
        news.delete(aws(s3=s3))
    assert "a: SlowDown: no" == refused.value.why
    s3 = Answers(list_object_versions=page, delete_objects={"Errors": [busy, busy]})
    with pytest.raises(Pending):
        news.delete(aws(s3=s3))


def test_what_others_set_on_a_bucket_stays() -> None:
    """S3 replaces all tags and all lifecycle rules at once: theirs are sent with ours."""
    outputs = {"bucket": "my-news", "arn": "arn:aws:s3:::my-news"}
    news = NewsBucket.from_record("news-bot", "news_bucket/my-news", outputs)
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}}
    live = {
        "Tags": {"Owner": "maria", "provision:stack": "other"},
        "LifecycleRules": [theirs, {"ID": "provision", "Status": "Disabled"}],
    }
    drift = [Difference("Lifecycle", None, None), Difference('Tags."a"', None, None)]
    s3 = Answers()
    news.update(aws(s3=s3), live, drift)
    (_, lifecycle), (_, tagging) = s3.calls
    rules = lifecycle["LifecycleConfiguration"]["Rules"]
    assert ["theirs", "provision"] == [rule["ID"] for rule in rules]
    assert (theirs, "Enabled") == (rules[0], rules[1]["Status"])
    assert {
        "Owner": "maria",
        "provision:stack": "news-bot",
        "provision:resource": "news_bucket/my-news",
    } == {tag["Key"]: tag["Value"] for tag in tagging["Tagging"]["TagSet"]}


@pytest.mark.parametrize(
    ("manager", "expected"),
    [("AWS", ""), ("CUSTOMER", "arn:aws:kms:ap-northeast-1:123456789012:key/1")],
)
def test_key_given_by_its_id(manager: str, expected: str) -> None:
    """No permission is needed for a key that AWS manages."""
    arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1"
    kms = Answers(describe_key={"KeyMetadata": {"Arn": arn, "KeyManager": manager}})
    assert expected == key_arn(aws(kms=kms), "1")
    assert [("describe_key", {"KeyId": "1"})] == kms.calls


def test_outbound_rules_that_others_added() -> None:
    """To a range, a group or a prefix list: each is revoked as it was given."""
    group = SecurityGroup.from_record("news-bot", "bot_group/news-bot", {"id": "sg-1"})
    group.egress = ("tcp 443",)
    rules = ["tcp 443 0.0.0.0/0", "tcp 80-81 pl-1", "-1 sg-2", "udp 53 ::/0", "tcp 22 10.0.0.0/8"]
    ec2 = Answers()
    group.update(aws(ec2=ec2), {"Egress": rules}, [])
    ports = {"FromPort": 80, "ToPort": 81}
    expected = [
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-2"}]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {"IpProtocol": "tcp", **ports, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
        {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    ]
    revoked = {"GroupId": "sg-1", "IpPermissions": expected}
    assert [("revoke_security_group_egress", revoked)] == ec2.calls


def test_group_that_the_outbound_rules_of_others_name() -> None:
    """Inbound and outbound rules that refer to the group are searched with separate filters."""
    group = SecurityGroup.from_record("news-bot", "bot_group/news-bot", {"id": "sg-1"})
    pairs = [{"UserIdGroupPairs": [{"GroupId": "sg-1"}]}]
    found = {"GroupId": "sg-2", "GroupName": "theirs", "IpPermissionsEgress": pairs}
    ec2 = Answers(
        describe_security_groups=[{"SecurityGroups": [found]}],
        describe_network_interfaces=[{"NetworkInterfaces": []}],
    )
    assert [ExternalUse("sg-2 theirs")] == group.external_uses(aws(ec2=ec2), frozenset())
    names = [call["Filters"][0]["Name"] for name, call in ec2.calls if "groups" in name]
    assert ["ip-permission.group-id", "egress.ip-permission.group-id"] == names


def test_what_others_set_on_a_web_acl_stays() -> None:
    """UpdateWebACL replaces everything that it is not given."""
    outputs = {"arn": "arn", "id": "1", "acl_name": "news-bot"}
    acl = WebAcl.from_record("news-bot", "web_acl/news-bot", outputs)
    acl.limit = 2000
    live = {
        "Rules": [{"Name": "theirs", "Priority": 3}, {"Name": "rate-limit", "Priority": 0}],
        "VisibilityConfig": {"MetricName": "theirs"},
        "LockToken": "t",
        "Description": "ours and theirs",
        "TokenDomains": ["example.jp"],
        "CaptchaConfig": {},
    }
    wafv2 = Answers()
    acl.update(aws(wafv2=wafv2), live, [])
    ((operation, sent),) = wafv2.calls
    assert "update_web_acl" == operation
    assert ["rate-limit", "theirs"] == [rule["Name"] for rule in sent["Rules"]]
    assert ("ours and theirs", ["example.jp"]) == (sent["Description"], sent["TokenDomains"])
    assert ({"MetricName": "theirs"}, "t") == (sent["VisibilityConfig"], sent["LockToken"])
    assert "CaptchaConfig" not in sent


def test_web_acl_on_the_second_page() -> None:
    """AWS WAF lists up to a hundred web ACLs at once."""
    pages = [
        {"WebACLs": [{"Name": "theirs", "Id": "1"}], "NextMarker": "theirs"},
        {"WebACLs": [{"Name": "news-bot", "Id": "2"}]},
    ]
    asked: list[dict[str, Any]] = []

    def list_web_acls(**parameters: Any) -> Any:
        asked.append(parameters)
        return pages[len(asked) - 1]

    wafv2 = Answers(get_web_acl={"WebACL": {"ARN": "arn:2"}, "LockToken": "t"})
    wafv2.list_web_acls = list_web_acls
    acl = WebAcl.from_record("news-bot", "web_acl/news-bot", {})
    acl.name = "news-bot"
    assert {"ARN": "arn:2", "LockToken": "t"} == acl.find(aws(wafv2=wafv2))
    first = {"Scope": "REGIONAL", "Limit": 100}
    assert [first, {**first, "NextMarker": "theirs"}] == asked


def test_priority_of_the_webhook_rule() -> None:
    """The lowest that no rule of others has."""
    rule = WebhookRule.from_record("news-bot", "webhook_rule/news-bot", {})
    rule.listener = SimpleNamespace(arn="arn")  # type: ignore[assignment]
    for taken, expected in ((["default"], 1), (["1", "3", "default"], 2), (["2", "default"], 1)):
        rules = [{"Rules": [{"Priority": priority} for priority in taken]}]
        assert expected == rule._priority(aws(elbv2=Answers(describe_rules=rules)))


def test_load_balancer_whose_protection_others_switched_on() -> None:
    """Whose it is decides who may switch it off; only what provision switched on is its own."""
    on = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    live = {"LoadBalancerArn": "arn", "LoadBalancerName": "news-bot"}
    elbv2 = Answers(
        describe_load_balancers={"LoadBalancers": [live]},
        describe_load_balancer_attributes={"Attributes": on},
    )
    for recorded, expected in (("", "others"), ("others", "others"), ("provision", "provision")):
        outputs = {"arn": "arn", "protected_by": recorded}
        balancer = LoadBalancer.from_record("news-bot", "load_balancer/news-bot", outputs)
        found = balancer.find(aws(elbv2=elbv2))
        assert found is not None
        assert expected == found["ProtectedBy"]


def test_access_logs_into_a_bucket_of_others_stay_on() -> None:
    """They are switched off only where they go into the stack's own bucket."""
    for bucket, sent in (
        ("theirs", None),
        ("news-bot-access-logs-0123456789abcdef", "false"),
        ("none", None),
    ):
        outputs = {"arn": "arn", "log_bucket": bucket}
        balancer = LoadBalancer.from_record("news-bot", "load_balancer/news-bot", outputs)
        assert sent == balancer._attributes().get("access_logs.s3.enabled")


@pytest.mark.parametrize(
    ("live", "timeout"),
    [
        ({}, 90),  # nothing has happened at all
        ({"Tasks": [{"lastStatus": "PENDING"}]}, 300),
        ({"runningCount": 1, "desiredCount": 2}, 300),
        ({"runningCount": 1, "deployments": [{"rolloutState": "IN_PROGRESS"}]}, 90),
        ({"events": [{"message": "has started 1 tasks"}]}, None),
    ],
)
def test_service_without_events(live: Live, timeout: int | None) -> None:
    """Without a task 90 seconds are waited for one; while some start, ECS has five minutes for an event.

    An endpoint that writes none although all tasks run never completes the deployment either.
    """
    steady = SteadyService.from_record("news-bot", "steady_service", {})
    steady.service = SimpleNamespace(  # type: ignore[assignment]
        task_definition=SimpleNamespace(arn="")
    )
    service = {"desiredCount": 1, "runningCount": 0, "taskDefinition": "bot:1", **live}
    waiting = steady.pending(service)
    assert waiting is not None
    assert timeout == waiting.timeout
    if service["runningCount"] == service["desiredCount"]:
        why = "1 of 1 tasks running; waiting until ECS reports the deployment as completed"
        assert why == waiting.reason


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        ("exec format error", "The image is for another CPU architecture"),
        ("CannotPullContainerError: i/o timeout", "The task has no internet access"),
        ("CannotPullContainerError: not found", "Check that the image exists and can be pulled"),
        ("AccessDeniedException: KMS key", "The role may not use the KMS key of a parameter"),
        ("unable to pull secrets", "A secret is missing or cannot be read."),
        ("failed container health checks", "The bot has to answer GET /healthz on port 8080"),
        ("Capacity is unavailable", "To run now at the on-demand price"),
        ("OutOfMemoryError: container killed", "It needs more memory"),
        ("Essential container exited (exit code 137)", "It needs more memory"),
        ("Essential container exited (exit code 1)", "Fix the cause (see `provision logs`)"),
    ],
)
def test_advice_for_stopped_tasks(reason: str, step: str) -> None:
    """ECS's reason decides the next step."""
    assert advice(reason).startswith(step)


def test_image_in_the_registry_of_another_account() -> None:
    """Its platforms are not read: the token is that of this account's registry."""
    data = {"authorizationToken": "t", "proxyEndpoint": "https://1.dkr.ecr.x.amazonaws.com"}
    ecr = Answers(get_authorization_token={"authorizationData": [data]})
    ecr.meta = SimpleNamespace(endpoint_url="https://api.ecr.ap-northeast-1.amazonaws.com")
    found = replace(aws(ecr=ecr), registries=None)  # type: ignore[arg-type]
    image = GivenImage("210987654321.dkr.ecr.ap-northeast-1.amazonaws.com/bot:1")
    image.check_platform(found, "linux/arm64")
    assert ["get_authorization_token"] == [name for name, _call in ecr.calls]


def test_platforms_of_an_image_that_cannot_be_read_now() -> None:
    """A registry that does not answer says nothing about them."""

    def manifest(reference: str) -> None:
        raise Pending(reference)

    assert () == platforms(SimpleNamespace(manifest=manifest), "1")  # type: ignore[arg-type]
