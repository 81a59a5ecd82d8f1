"""Permissions of the task's two roles: the execution role, for ECS, and the task role, for the bot."""

import re
from dataclasses import field

from provision.resources.base import resource
from provision.resources.bucket import FOLDER, NewsBucket
from provision.resources.kms import use_keys
from provision.resources.log_group import LogGroup
from provision.resources.parameter import Parameter
from provision.resources.repository import Repository
from provision.resources.role import RolePolicy, Statement

ECR_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9._/-]+)")


@resource
class CollectorExecutionPermissions(RolePolicy):
    """ECS's permissions to start a task: pull the image and write the log."""

    log_group: LogGroup
    repository: Repository
    image: str = ""  # the URI of the setting

    def statements(self) -> list[Statement]:
        """Return AmazonECSTaskExecutionRolePolicy, limited to the stack's resources."""
        log_group = self.log_group.arn.removesuffix(":*")
        return [
            {
                "Sid": "SignInToTheRegistry",
                "Effect": "Allow",
                "Action": "ecr:GetAuthorizationToken",
                "Resource": "*",  # the action supports no other
            },
            {
                "Sid": "PullTheImage",
                "Effect": "Allow",
                "Action": [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:BatchGetImage",
                ],
                "Resource": self._repositories(),
            },
            {
                "Sid": "WriteTheLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [log_group, f"{log_group}:*"],
            },
        ]

    def _repositories(self) -> list[str]:
        """Return the stack's repository, and the ECR repository of image.uri if it is another one."""
        match = ECR_IMAGE.match(self.image)
        given = f"arn:aws:ecr:{match[2]}:{match[1]}:repository/{match[3]}" if match else ""
        own = self.repository.arn
        return [own, given] if given not in ("", own) else [own]


@resource
class ExecutionPermissions(CollectorExecutionPermissions):
    """ECS's permissions to start the bot: these, and read the two secrets."""

    access_token: Parameter | None = field(kw_only=True)
    channel_secret: Parameter = field(kw_only=True)

    def statements(self) -> list[Statement]:
        """Return those to start a task, and the secrets."""
        return [
            *super().statements(),
            {
                "Sid": "ReadTheSecrets",
                "Effect": "Allow",
                "Action": "ssm:GetParameters",
                "Resource": arns(self.access_token, self.channel_secret),
            },
            *decrypt_the_secrets(self.access_token, self.channel_secret),
        ]


@resource
class TaskPermissions(RolePolicy):
    """The bot's permissions: read the news, and read the two parameters again after a secret changed."""

    access_token: Parameter | None
    channel_secret: Parameter
    news_bucket: NewsBucket

    def statements(self) -> list[Statement]:
        """Return the article's two actions on the two parameters, and read access to the news."""
        return [
            {
                "Sid": "ReadTheSecrets",
                "Effect": "Allow",
                "Action": ["ssm:GetParameter", "ssm:GetParameters"],
                "Resource": arns(self.access_token, self.channel_secret),
            },
            {
                "Sid": "ReadTheNews",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": f"{self.news_bucket.arn}/{FOLDER}/*",
            },
            list_the_news(self.news_bucket),
            *decrypt_the_secrets(self.access_token, self.channel_secret),
            *use_keys("DecryptTheNews", "s3", ["kms:Decrypt"], [self.news_bucket.key_arn]),
        ]


def arns(*parameters: Parameter | None) -> list[str]:
    """Return the ARNs of the parameters that the stack has."""
    return [parameter.arn for parameter in parameters if parameter]


def decrypt_the_secrets(*parameters: Parameter | None) -> list[Statement]:
    """Return kms:Decrypt for parameters that were there before, under a customer managed key."""
    keys = [parameter.key_arn for parameter in parameters if parameter]
    return use_keys("DecryptTheSecrets", "ssm", ["kms:Decrypt"], keys)


def list_the_news(bucket: NewsBucket) -> Statement:
    """Return ListBucket, without which S3 returns AccessDenied instead of NoSuchKey for a missing object."""
    return {
        "Sid": "ListTheNews",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": bucket.arn,
        "Condition": {"StringLike": {"s3:prefix": f"{FOLDER}/*"}},
    }
