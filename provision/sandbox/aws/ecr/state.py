"""ECR: authorization tokens, uploaded images, and lifecycle policies that expire them."""

import fnmatch
import json
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.ecr.image_store import Images

DAY = 24 * 3600.0  # seconds
TOKEN_TTL = 12 * 3600.0  # seconds


@dataclass(frozen=True)
class Token:
    """An authorization token: the caller's access key, its region, and when it expires."""

    access_key: str
    region: str
    expires: float


@dataclass
class Ecr:
    """Images, authorization tokens, and when lifecycle policies run next."""

    account: Account
    _tokens: dict[str, "Token"] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)  # repositories by ARN

    def __post_init__(self) -> None:
        self.images = Images(self.account)
        self.account.on_tick(self.tick)

    def token(self, access_key: str, region: str) -> str:
        """Return a new token with which to act as its caller in the region's registry for twelve hours."""
        token = b64encode(f"AWS:{secrets.token_urlsafe(300)}".encode()).decode()
        self._tokens[token] = Token(access_key, region, self.account.clock.now() + TOKEN_TTL)
        return token

    def find_token(self, token: str) -> "Token | None":
        """Return a valid token's data, or None."""
        data = self._tokens.get(token)
        return data if data and self.account.clock.now() < data.expires else None

    def tick(self) -> None:
        """Delete images that lifecycle policies match, within 24 hours (User Guide, lifecycle policies)."""
        with self.account.lock:
            now = self.account.clock.now()
            for region in self.account.regions("ecr"):
                for repository in self.account.backend("ecr", region).repositories.values():
                    if repository.lifecycle_policy is None:
                        self._due.pop(repository.arn, None)
                    elif now >= self._due.setdefault(repository.arn, now + DAY):
                        self._due[repository.arn] = now + DAY
                        deleted = expired(repository.lifecycle_policy, repository.images, now)
                        repository.images = [i for i in repository.images if i not in deleted]


@behaves("ecr.lifecycle-policy-expires")
def expired(policy: str, images: list[Any], now: float) -> list[Any]:
    """Return the images (moto's) that a lifecycle policy deletes at `now`.

    User Guide, "How lifecycle policies work": rules apply by priority; an image that a rule's tags match is
    not evaluated by later rules, whether it is deleted or not.
    """
    left, deleted = list(images), []
    for rule in sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"])):
        selection = rule["selection"]
        matching = [image for image in left if _selected(selection, image.image_tags)]
        matching.sort(key=lambda image: int(image.image_pushed_at), reverse=True)
        left = [image for image in left if image not in matching]
        number = selection["countNumber"]
        if selection["countType"] == "imageCountMoreThan":
            deleted += matching[number:]
        elif selection["countType"] == "sinceImagePushed":
            deleted += [i for i in matching if now - i.image_pushed_at > number * DAY]
    return deleted


def _selected(selection: dict[str, Any], tags: list[str]) -> bool:
    prefixes = tuple(selection.get("tagPrefixList") or ())
    patterns = selection.get("tagPatternList") or []
    match selection["tagStatus"]:
        case "untagged":
            return not tags
        case "tagged":
            matched = [
                any(fnmatch.fnmatchcase(tag, pattern) for tag in tags) for pattern in patterns
            ]
            return any(tag.startswith(prefixes) for tag in tags) if prefixes else all(matched)
    return True
