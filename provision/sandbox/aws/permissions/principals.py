"""The callers of the account: users, roles and sessions in moto's IAM and STS."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.iam.state import Iam
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    Statement,
    denial_reason,
    statements,
)

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Principal:
    """A caller with policies: an IAM user, a role, or a session of a role."""

    arn: str
    entity: Any  # moto's User or Role; None if it was deleted
    session: str | None = None  # the session policy

    @property
    def is_user(self) -> bool:
        """Return whether the principal is an IAM user."""
        return ":user/" in self.arn

    @property
    def role(self) -> str:
        """Return the role's ARN, "" for a user."""
        return "" if self.is_user or self.entity is None else str(self.entity.arn)


class Permissions:
    """Permissions of the account's principals, as `cloud.permissions`. Hold the cloud's lock."""

    def __init__(self, account: Account, iam: Iam) -> None:
        self._account = account
        self._iam = iam
        # (caller, action, resource, allowed) of every permission that calls of users and sessions needed.
        self.checks: set[tuple[str, str, str, bool]] = set()

    def allows(
        self, principal_arn: str, action: str, resource: str, context: Mapping[str, Any] = _NOTHING
    ) -> bool:
        """Return whether a role, user or session has a permission by its own policies."""
        return not self.denied(principal_arn, action, resource, context)

    def denied(
        self, principal_arn: str, action: str, resource: str, context: Mapping[str, Any] = _NOTHING
    ) -> str:
        """Return AWS's message for a permission that a role, user or session lacks, else ""."""
        return self.denial_message(self.principal(principal_arn), action, resource, context)

    def denial_message(
        self,
        principal: Principal,
        action: str,
        resource: str,
        context: Mapping[str, Any],
        resource_policy: str | None = None,
    ) -> str:
        """Return AWS's message if the principal's and the resource's policies deny the action, else ""."""
        condition_keys = self.condition_keys(principal) | {
            key.lower(): value for key, value in context.items()
        }
        request = PermissionRequest(principal.arn, action, resource, condition_keys, principal.role)
        reason = denial_reason(
            request,
            self._identity_statements(principal),
            statements(resource_policy),
            self._boundary_statements(principal),
            None if principal.session is None else statements(principal.session),
        )
        if not reason:
            return ""
        # S3 alone quotes the resource (User Guide, "Troubleshoot access denied (403) errors").
        shown = f'"{resource}"' if action.startswith("s3:") and resource != "*" else resource
        message = f"User: {principal.arn} is not authorized to perform: {action}"
        return f"{message} on resource: {shown} {reason}"

    def principal(self, arn: str) -> Principal:
        """Return the user, role or session with this ARN; `entity` is None if it does not exist."""
        kind, _, name = arn.partition(":")[2].rpartition(":")[2].partition("/")
        if kind == "user":
            return Principal(arn, self._account.backend("iam").users.get(name.rpartition("/")[2]))
        if kind == "assumed-role":
            return Principal(arn, self._iam.role(name.partition("/")[0]))
        return Principal(arn, self._iam.role(arn))

    def caller(self, access_key: str) -> Principal | None:
        """Return the principal with this access key; None for root, which every key unknown to IAM is."""
        key = self._account.backend("iam").access_keys.get(access_key)
        if key is None:
            return None
        if key.user_name is not None:
            user = self._account.backend("iam").users.get(key.user_name)
            arn = f"arn:aws:iam::{self._account.account_id}:user/{key.user_name}"
            return Principal(arn if user is None else user.arn, user)
        session = self._account.backend("sts").get_assumed_role_from_access_key(access_key)
        if session is None:
            return None
        role = self._iam.role(session.role_arn)
        return Principal(session.arn, role, session.policy or None)

    def secret(self, access_key: str, session_token: str) -> str | None:
        """Return the secret access key of a key of root, a user or a session; None if the key is unknown.

        `session_token` is "" for a long-term key.
        """
        keys = self._account.keys
        if access_key == keys.access_key_id:
            return None if session_token else keys.secret_access_key
        session = self._account.backend("sts").get_assumed_role_from_access_key(access_key)
        if session is not None:
            valid = hmac.compare_digest(session.session_token.encode(), session_token.encode())
            return str(session.secret_access_key) if valid else None
        key = self._account.backend("iam").access_keys.get(access_key)
        return None if key is None or session_token else str(key.secret_access_key)

    def caller_arn(self, access_key: str) -> str:
        """Return the ARN of the user, role session or root with this access key."""
        principal = self.caller(access_key)
        return (
            f"arn:aws:iam::{self._account.account_id}:root" if principal is None else principal.arn
        )

    def credentials(self, role_arn: str, session: str) -> dict[str, str]:
        """Return the environment variables with the credentials of a new session of the role."""
        session_credentials = self._account.backend("sts").assume_role(
            "us-east-1", session, role_arn, "", 21600, ""
        )
        return {
            "AWS_ACCESS_KEY_ID": session_credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session_credentials.secret_access_key,
            "AWS_SESSION_TOKEN": session_credentials.session_token,
        }

    def _identity_statements(self, principal: Principal) -> list[Statement]:
        """Return the statements of inline and attached policies, those of a user's groups too."""
        if principal.entity is None:
            return []
        iam = self._account.backend("iam")
        entities = [principal.entity]
        if principal.is_user:
            entities += iam.get_groups_for_user(principal.entity.name)
        documents = [
            document
            for entity in entities
            for document in (
                *entity.policies.values(),
                *(_document(policy) for policy in entity.managed_policies.values()),
            )
        ]
        return [statement for document in documents for statement in statements(document)]

    def _boundary_statements(self, principal: Principal) -> list[Statement] | None:
        arn = getattr(principal.entity, "permissions_boundary_arn", None)
        policy = self._account.backend("iam").managed_policies.get(arn) if arn else None
        return None if policy is None else statements(_document(policy))

    def condition_keys(self, principal: Principal) -> dict[str, Any]:
        """Return the principal's condition keys (IAM User Guide, "Properties of the principal")."""
        entity = principal.entity
        keys: dict[str, Any] = {
            "aws:principalarn": principal.role or principal.arn,
            "aws:principalaccount": self._account.account_id,
            "aws:principaltype": "User" if principal.is_user else "AssumedRole",
        }
        if entity is not None:
            keys["aws:userid"] = entity.id
            if principal.is_user:
                keys["aws:username"] = entity.name
            for tag in entity.tags or []:
                keys[f"aws:principaltag/{tag['Key'].lower()}"] = tag["Value"]
        return keys


def _document(policy: Any) -> Any:
    """Return the default version's document of a managed policy."""
    return next(v.document for v in policy.versions if v.version_id == policy.default_version_id)
