"""STS DecodeAuthorizationMessage."""

import base64
import json

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before


@behaves("sts.decode-message")
@before("sts", "DecodeAuthorizationMessage")
def decode(cloud: Cloud, call: Call) -> Answer:
    """Decode the message of a denial (API DecodeAuthorizationMessage)."""
    try:
        decoded = base64.urlsafe_b64decode(call.params["EncodedMessage"]).decode()
        valid = "context" in json.loads(decoded)
    except (ValueError, TypeError):
        valid = False
    if not valid:
        message = "The message is not valid, or was not encoded by AWS."
        raise AwsError("InvalidAuthorizationMessageException", message, 400)
    return {"DecodedMessage": decoded}
