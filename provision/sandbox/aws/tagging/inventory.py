"""The Resource Groups Tagging API: behaviours of moto's GetResources that AWS has too."""

from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

from provision.sandbox.aws.behaviours import behaves

behaves(
    "tagging.omits",
    "a region's inventory omits hosted zones, roles and schedule groups",
    "GetResources without them",
    "Resource Groups Tagging API User Guide, Services that support it; global services are not a "
    "region's",
    moto="moto does so as well",
)(ResourceGroupsTaggingAPIBackend.get_resources)
behaves(
    "tagging.lists-what-is-gone",
    "the inventory lists ECS services that are deleted (INACTIVE)",
    "GetResources with them",
    "Amazon ECS API Reference, DeleteService: INACTIVE services remain discoverable",
    moto="moto does so as well",
)(ResourceGroupsTaggingAPIBackend.get_resources)
