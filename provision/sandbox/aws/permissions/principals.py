"""The callers of the account: users, roles and sessions, as moto's IAM and STS keep them."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.iam.state import Iam
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    Statement,
    refusal,
    statements,
)

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Principal:
    """A caller that is held to policies: an IAM user, a role, or a session of a role."""

    arn: str
    entity: Any  # moto's User or Role; None where it was deleted meanwhile
    session: str | None = None  # the policy with which the role was assumed

    @property
    def is_user(self) -> bool:
        """Return whether the principal is an IAM user."""
        return ":user/" in self.arn

    @property
    def role(self) -> str:
        """Return the role's ARN, "" for a user."""
        return "" if self.is_user or self.entity is None else str(self.entity.arn)


class Permissions:
    """What the account's IAM allows; `cloud.permissions`. Hold the cloud's lock."""

    def __init__(self, account: Account, iam: Iam) -> None:
        self._account = account
        self._iam = iam

    def allows(
        self, principal_arn: str, action: str, resource: str, context: Mapping[str, Any] = _NOTHING
    ) -> bool:
        """Return whether a role, user or session may do that, by its own policies."""
        return not self.denied(principal_arn, action, resource, context)

    def denied(
        self, principal_arn: str, action: str, resource: str, context: Mapping[str, Any] = _NOTHING
    ) -> str:
        """Return AWS's sentence for what is not allowed; "" for what is."""
        return self.refused(self.principal(principal_arn), action, resource, context)

    def refused(
        self,
        principal: Principal,
        action: str,
        resource: str,
        context: Mapping[str, Any],
        resource_policy: str | None = None,
    ) -> str:
        """Return AWS's sentence for a principal, considering the resource's own policy too; "" if allowed."""
        keys = self.keys(principal) | {key.lower(): value for key, value in context.items()}
        request = PermissionRequest(principal.arn, action, resource, keys, principal.role)
        why = refusal(
            request,
            self._identity(principal),
            statements(resource_policy),
            self._boundary(principal),
            None if principal.session is None else statements(principal.session),
        )
        if not why:
            return ""
        # S3 alone quotes the resource (User Guide, "Troubleshoot access denied (403) errors").
        shown = f'"{resource}"' if action.startswith("s3:") and resource != "*" else resource
        who = f"User: {principal.arn} is not authorized to perform: {action}"
        return f"{who} on resource: {shown} {why}"

    def principal(self, arn: str) -> Principal:
        """Return the user, role or session with this ARN; without policies where there is none."""
        kind, _, name = arn.partition(":")[2].rpartition(":")[2].partition("/")
        if kind == "user":
            return Principal(arn, self._account.backend("iam").users.get(name.rpartition("/")[2]))
        if kind == "assumed-role":
            return Principal(arn, self._iam.role(name.partition("/")[0]))
        return Principal(arn, self._iam.role(arn))

    def caller(self, access_key: str) -> Principal | None:
        """Return whose key it is; None: a key that IAM does not know, which is the account's root here."""
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
        """Return the secret access key of a root's, user's or session's key; None where the key is unknown.

        `session_token`: "" for a key that has none.
        """
        keys = self._account.keys
        if access_key == keys.access_key_id:
            return None if session_token else keys.secret_access_key
        session = self._account.backend("sts").get_assumed_role_from_access_key(access_key)
        if session is not None:
            known = hmac.compare_digest(session.session_token.encode(), session_token.encode())
            return str(session.secret_access_key) if known else None
        key = self._account.backend("iam").access_keys.get(access_key)
        return None if key is None or session_token else str(key.secret_access_key)

    def who(self, access_key: str) -> str:
        """Return the ARN of the user, role session or account root that calls with this key."""
        principal = self.caller(access_key)
        return (
            f"arn:aws:iam::{self._account.account_id}:root" if principal is None else principal.arn
        )

    def credentials(self, role_arn: str, session: str) -> dict[str, str]:
        """Return a new session's variables, as a task finds them; ECS names the session after the task."""
        session_credentials = self._account.backend("sts").assume_role(
            "us-east-1", session, role_arn, "", 21600, ""
        )
        return {
            "AWS_ACCESS_KEY_ID": session_credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session_credentials.secret_access_key,
            "AWS_SESSION_TOKEN": session_credentials.session_token,
        }

    def _identity(self, principal: Principal) -> list[Statement]:
        """Return the statements of inline and attached policies, those of a user's groups too."""
        if principal.entity is None:
            return []
        iam = self._account.backend("iam")
        holders = [principal.entity]
        if principal.is_user:
            holders += iam.get_groups_for_user(principal.entity.name)
        documents = [
            document
            for holder in holders
            for document in (
                *holder.policies.values(),
                *(_document(policy) for policy in holder.managed_policies.values()),
            )
        ]
        return [statement for document in documents for statement in statements(document)]

    def _boundary(self, principal: Principal) -> list[Statement] | None:
        arn = getattr(principal.entity, "permissions_boundary_arn", None)
        policy = self._account.backend("iam").managed_policies.get(arn) if arn else None
        return None if policy is None else statements(_document(policy))

    def keys(self, principal: Principal) -> dict[str, Any]:
        """Return the condition keys of the caller (IAM User Guide, "Properties of the principal")."""
        entity = principal.entity
        known: dict[str, Any] = {
            "aws:principalarn": principal.role or principal.arn,
            "aws:principalaccount": self._account.account_id,
            "aws:principaltype": "User" if principal.is_user else "AssumedRole",
        }
        if entity is not None:
            known["aws:userid"] = entity.id
            if principal.is_user:
                known["aws:username"] = entity.name
            for tag in entity.tags or []:
                known[f"aws:principaltag/{tag['Key'].lower()}"] = tag["Value"]
        return known


def _document(policy: Any) -> Any:
    """Return the default version's document of a managed policy."""
    return next(v.document for v in policy.versions if v.version_id == policy.default_version_id)
