"""What the two roles of a task may do, each by itself: ECS to start the bot, and the bot."""

import re

from provision.resources.base import resource
from provision.resources.bucket import FOLDER, NewsBucket
from provision.resources.log_group import LogGroup
from provision.resources.parameter import Parameter
from provision.resources.repository import Repository
from provision.resources.role import RolePolicy, Statement

ECR_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9._/-]+)")


@resource
class ExecutionPermissions(RolePolicy):
    """What ECS itself may do to start a task: fetch the image, read the two secrets, write the log."""

    access_token: Parameter
    channel_secret: Parameter
    log_group: LogGroup
    repository: Repository
    image: str = ""  # the URI of the setting

    def statements(self) -> list[Statement]:
        """As AmazonECSTaskExecutionRolePolicy, but on our repository, log group and parameters only."""
        log_group = self.log_group.arn.removesuffix(":*")
        return [
            {
                "Sid": "SignInToTheRegistry",
                "Effect": "Allow",
                "Action": "ecr:GetAuthorizationToken",
                "Resource": "*",  # the action knows no other
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
            {
                "Sid": "ReadTheSecrets",
                "Effect": "Allow",
                "Action": "ssm:GetParameters",
                "Resource": [self.access_token.arn, self.channel_secret.arn],
            },
        ]

    def _repositories(self) -> list[str]:
        """Ours, and the one in ECR that image.uri names where it is another."""
        match = ECR_IMAGE.match(self.image)
        named = [f"arn:aws:ecr:{match[2]}:{match[1]}:repository/{match[3]}"] if match else []
        return [self.repository.arn, *(arn for arn in named if arn != self.repository.arn)]


@resource
class TaskPermissions(RolePolicy):
    """What the bot itself may do: read the news, and the two parameters when a secret has been changed."""

    access_token: Parameter
    channel_secret: Parameter
    news_bucket: NewsBucket

    def statements(self) -> list[Statement]:
        """The article's two actions on the two parameters, and the news, read only."""
        return [
            {
                "Sid": "ReadTheSecrets",
                "Effect": "Allow",
                "Action": ["ssm:GetParameter", "ssm:GetParameters"],
                "Resource": [self.access_token.arn, self.channel_secret.arn],
            },
            {
                "Sid": "ReadTheNews",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": f"{self.news_bucket.arn}/{FOLDER}/*",
            },
            list_the_news(self.news_bucket),
        ]


def list_the_news(bucket: NewsBucket) -> Statement:
    """Without ListBucket S3 says AccessDenied, not NoSuchKey, of an object that is not there."""
    return {
        "Sid": "ListTheNews",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": bucket.arn,
        "Condition": {"StringLike": {"s3:prefix": f"{FOLDER}/*"}},
    }
