"""Holds the bytes of every answer to botocore's own model of Cloud Control.

botocore makes the best of what it gets: what the model does not know it drops, what is missing it leaves out. So the
raw answers are walked, beside the parsed ones: each member must be declared, be of the declared type, be within its
limits, and be one of its words; an error must be declared for its operation, or be common to all services; and what
botocore's parser hands on must be all that was sent.

`watch` walks what a boto3 client gets. For the AWS CLI this module is a plugin (`[plugins]` in its configuration), and
notes the operations that it walked in the file that CCWATCH_WALKED names.
"""

import json
import os
import re
import time
from collections import Counter, defaultdict

from botocore.utils import parse_timestamp

# What any service may answer, by its HTTP status: the framework's errors, as AWS's services with this protocol send them.
# https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/CommonErrors.html names them, some by an older name.
COMMON_ERRORS = {
    "AccessDeniedException": 400,
    "ExpiredTokenException": 400,
    "IncompleteSignatureException": 400,
    "InternalFailure": 500,
    "InvalidSignatureException": 400,
    "MissingAuthenticationTokenException": 400,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 400,
    "UnrecognizedClientException": 400,
    "ValidationException": 400,
}

# Who speaks: the service itself, or the framework in front of it.
NAMESPACES = {"com.amazon.cloudapiservice", "com.amazon.coral.service", "com.amazon.coral.validate"}

# Seven days, for which a request is told, and some.
LONGEST_AGO = 8 * 24 * 3600

# Which words were seen of each shape that has some, and how often each error: what the walk is worth.
words = defaultdict(Counter)
answers = Counter()
errors = Counter()


class Number(str):
    """A number as it was written."""


def read(body):
    return json.loads(body, parse_float=Number)


def check(shape, value, where):
    """Holds a value to its shape in the service model, and returns it as botocore should read it."""
    kind = shape.type_name
    limits = shape.metadata
    if kind == "structure":
        assert isinstance(value, dict), f"{where}: {value!r} is no structure"
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where}: the model knows no {unknown}"
        missing = set(shape.required_members) - set(value)
        assert not missing, f"{where}: {missing} is required"
        return {name: check(shape.members[name], member, f"{where}.{name}") for name, member in value.items()}
    if kind == "list":
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        assert limits.get("min", 0) <= len(value) <= limits.get("max", 1 << 20), f"{where}: {len(value)} entries"
        return [check(shape.member, member, f"{where}[{index}]") for index, member in enumerate(value)]
    if kind == "timestamp":
        # 1.767110540245E9, as the service writes it.
        assert isinstance(value, Number), f"{where}: {value!r} is not in scientific notation"
        assert re.fullmatch(r"\d(\.\d{1,12})?E9", value), f"{where}: {value} is not in scientific notation"
        assert abs(float(value) - time.time()) < LONGEST_AGO, f"{where}: {value} is long ago, or far away"
        return parse_timestamp(float(value))
    if kind == "string":
        assert isinstance(value, str) and not isinstance(value, Number), f"{where}: {value!r} is no string"
        assert limits.get("min", 0) <= len(value) <= limits.get("max", 1 << 20), f"{where}: {len(value)} characters"
        if "enum" in limits:
            assert value in limits["enum"], f"{where}: {value} is none of {limits['enum']}"
        if "pattern" in limits:
            pattern = limits["pattern"]
            assert re.fullmatch(pattern, value), f"{where}: {value} is not like {pattern}"
        if shape.name == "Properties":
            assert isinstance(json.loads(value), dict), f"{where}: no object of JSON"
        if "enum" in limits or shape.name in ("HookStatus", "HookFailureMode", "HookInvocationPoint"):
            words[shape.name][value] += 1
        return value
    raise AssertionError(f"{where}: a {kind} in the answer?")


def agrees(found, expected):
    """Whether botocore read what was sent. The AWS CLI has it leave timestamps as they are."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(agrees(found[name], expected[name]) for name in found)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(agrees, found, expected))
    return found == (expected.timestamp() if isinstance(found, float) else expected)


def check_answer(http_response, parsed, model, **_):
    """Walks one answer, after botocore has parsed it."""
    headers = http_response.headers
    assert headers["Content-Type"] == "application/x-amz-json-1.0", headers
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-RequestId"]), headers
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["Date"]), headers
    status, body = http_response.status_code, read(http_response.content)
    if status == 200:
        found = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
        assert agrees(found, check(model.output_shape, body, model.name)), f"{model.name}: {http_response.content} was parsed as {found}"
        answers[model.name] += 1
    else:
        check_error(status, body, parsed, model)
    if walked := os.environ.get("CCWATCH_WALKED"):
        with open(walked, "a") as file:
            print(model.name, status, file=file)


def check_error(status, body, parsed, model):
    where = f"{model.name}: HTTP {status} {body}"
    namespace, code = body["__type"].split("#")
    assert parsed["Error"]["Code"] == code, f"{where} was parsed as {parsed}"
    assert namespace in NAMESPACES, where
    declared = {shape.error_code: shape for shape in model.error_shapes}
    if code in declared:
        # The protocol knows two statuses; who goes by finer ones goes wrong.
        assert (status >= 500) if declared[code].metadata.get("fault") else (status == 400), where
        check(declared[code], {name: value for name, value in body.items() if name != "__type"}, where)
    else:
        assert status == COMMON_ERRORS.get(code), f"{where}: neither declared nor common"
        assert len(set(body) & {"message", "Message"}) == 1 and len(body) == 2, where
    assert parsed["Error"]["Message"], f"{where} was parsed as {parsed}"
    errors[code] += 1


def watch(client):
    client.meta.events.register("after-call.cloudcontrol", check_answer)


def awscli_initialize(events):
    """What the AWS CLI calls in its plugins."""
    events.register("after-call.cloudcontrol", check_answer)
