"""The Resource Groups Tagging API: behaviours of moto's GetResources that AWS has too."""

from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

from provision.sandbox.aws.behaviours import behaves

behaves("tagging.omits", "tagging.lists-what-is-gone")(
    ResourceGroupsTaggingAPIBackend.get_resources
)
