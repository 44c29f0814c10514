"""Drives a simulator as its users do: with boto3, and with the AWS CLI.

    python drive.py http://127.0.0.1:4599

Every answer is held to botocore's own model of the service: each member it holds must be declared there, be of the
declared type, within its limits, and one of its words. Exits non-zero with the first thing that is not as it should be.
"""

import json
import os
import re
import subprocess
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

ENDPOINT = sys.argv[1]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_PAGER": "",
    # No proxy of the machine's stands between the clients and loopback.
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}

answers = 0


def check(shape, value, where):
    """Holds a value to its shape in the service model."""
    kind = shape.type_name
    limits = shape.metadata
    if kind == "structure":
        assert isinstance(value, dict), f"{where}: {value!r} is no structure"
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where}: the model knows no {unknown}"
        for name, member in value.items():
            check(shape.members[name], member, f"{where}.{name}")
    elif kind == "list":
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        for index, member in enumerate(value):
            check(shape.member, member, f"{where}[{index}]")
    elif kind == "timestamp":
        assert isinstance(value, float), f"{where}: {value!r} is no number of seconds"
        assert abs(value - time.time()) < 3600, f"{where}: {value} is not about now"
    elif kind == "string":
        assert isinstance(value, str), f"{where}: {value!r} is no string"
        assert limits.get("min", 0) <= len(value) <= limits.get("max", 1 << 20), f"{where}: {len(value)} characters"
        if "enum" in limits:
            assert value in limits["enum"], f"{where}: {value} is none of {limits['enum']}"
        if "pattern" in limits:
            pattern = limits["pattern"]
            assert re.fullmatch(pattern, value), f"{where}: {value} is not like {pattern}"
    else:
        raise AssertionError(f"{where}: a {kind} in the answer?")


def check_answer(http_response, model, **_):
    """Holds the bytes of an answer to the model, before botocore has made the best of them."""
    global answers
    if http_response.status_code == 200:
        check(model.output_shape, json.loads(http_response.content), model.name)
        answers += 1
    headers = http_response.headers
    assert headers["Content-Type"] == "application/x-amz-json-1.0", headers
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-RequestId"]), headers
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["Date"]), headers


def with_boto3():
    client = boto3.client("cloudcontrol", endpoint_url=ENDPOINT, config=Config(retries={"max_attempts": 1}))
    client.meta.events.register("after-call.cloudcontrol", check_answer)

    def create(state, **options):
        answer = client.create_resource(TypeName="AWS::S3::Bucket", DesiredState=json.dumps(state), **options)
        event = answer["ProgressEvent"]
        assert event["OperationStatus"] == "PENDING" and event["Operation"] == "CREATE", event
        return event["RequestToken"]

    def get(token):
        answer = client.get_resource_request_status(RequestToken=token)
        return answer["ProgressEvent"], answer.get("HooksProgressEvent", [])

    def error(call, **options):
        try:
            call(**options)
        except ClientError as refused:
            return refused.response["Error"]["Code"], refused.response["Error"]["Message"]
        raise AssertionError("not refused")

    waiter = client.get_waiter("resource_request_success")
    patience = {"Delay": 1, "MaxAttempts": 60}

    # A dozen, so that some have hooks; one fails, one is cancelled, one takes its time.
    tokens = [create({"BucketName": f"bucket-{number}"}) for number in range(12)]
    fails = create({"_simulator": {"fail": "NotStabilized", "message": "it never came up"}})
    cancelled = create({"_simulator": {"takes": "1h"}})
    for token in tokens:
        get(token)
        waiter.wait(RequestToken=token, WaiterConfig=patience)
    hooks = []
    for number, token in enumerate(tokens):
        event, its_hooks = get(token)
        assert event["OperationStatus"] == "SUCCESS", event
        assert event["Identifier"] == f"bucket-{number}", event
        assert json.loads(event["ResourceModel"]) == {"BucketName": f"bucket-{number}"}, event
        assert bool(its_hooks) == ("HooksRequestToken" in event), event
        hooks += its_hooks
    assert hooks and {hook["HookStatus"] for hook in hooks} == {"HOOK_COMPLETE_SUCCEEDED"}, hooks

    try:
        waiter.wait(RequestToken=fails, WaiterConfig=patience)
        raise AssertionError("the waiter took a failure for a success")
    except WaiterError as failed:
        assert "FAILED" in str(failed), failed
    event, _ = get(fails)
    assert (event["ErrorCode"], event["StatusMessage"]) == ("NotStabilized", "it never came up"), event

    event = client.cancel_resource_request(RequestToken=cancelled)["ProgressEvent"]
    assert event["OperationStatus"] == "CANCEL_IN_PROGRESS", event
    while event["OperationStatus"] == "CANCEL_IN_PROGRESS":
        time.sleep(0.2)
        event, _ = get(cancelled)
    assert event["OperationStatus"] == "CANCEL_COMPLETE", event
    assert client.cancel_resource_request(RequestToken=cancelled)["ProgressEvent"]["OperationStatus"] == "CANCEL_COMPLETE"

    pages = list(client.get_paginator("list_resource_requests").paginate(PaginationConfig={"PageSize": 4}))
    listed = [event["RequestToken"] for page in pages for event in page["ResourceRequestStatusSummaries"]]
    assert len(pages) > 3 and len(listed) == len(set(listed)), listed
    assert set(listed) >= {*tokens, fails, cancelled}, listed
    only_failed = {"OperationStatuses": ["FAILED"], "Operations": ["CREATE"]}
    answer = client.list_resource_requests(ResourceRequestStatusFilter=only_failed)
    assert fails in [event["RequestToken"] for event in answer["ResourceRequestStatusSummaries"]], answer

    gone = client.delete_resource(TypeName="AWS::S3::Bucket", Identifier="bucket-0")["ProgressEvent"]["RequestToken"]
    waiter.wait(RequestToken=gone, WaiterConfig=patience)

    assert error(get, token="no-such-token")[0] == "RequestTokenNotFoundException"
    code, message = error(client.cancel_resource_request, RequestToken=fails)
    assert (code, message) == ("ValidationException", f"Request {fails} is already in status FAILED"), message
    first = create({}, ClientToken="once")
    code, message = error(create, state={"BucketName": "other"}, ClientToken="once")
    assert code == "ClientTokenConflictException" and first in message, message
    code, _ = error(client.get_resource, TypeName="AWS::S3::Bucket", Identifier="bucket-1")
    assert code == "UnknownOperationException", code


def aws(*arguments, fails_with=None):
    command = [sys.executable, "-m", "awscli", "--endpoint-url", ENDPOINT, "--output", "json", "cloudcontrol", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if fails_with:
        assert done.returncode != 0 and fails_with in done.stderr, done
        return None
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def with_the_cli():
    state = json.dumps({"RoleName": "deploy"})
    event = aws("create-resource", "--type-name", "AWS::IAM::Role", "--desired-state", state)["ProgressEvent"]
    token = event["RequestToken"]
    assert aws("wait", "resource-request-success", "--request-token", token) is None
    event = aws("get-resource-request-status", "--request-token", token)["ProgressEvent"]
    assert (event["OperationStatus"], event["Identifier"]) == ("SUCCESS", "deploy"), event
    # The CLI follows the pages by itself.
    listed = aws("list-resource-requests", "--page-size", "5")["ResourceRequestStatusSummaries"]
    assert token in [event["RequestToken"] for event in listed] and len(listed) > 5, listed
    active = "OperationStatuses=PENDING,IN_PROGRESS"
    aws("list-resource-requests", "--resource-request-status-filter", active)
    slow = json.dumps({"_simulator": {"takes": "1h"}})
    event = aws("create-resource", "--type-name", "AWS::IAM::Role", "--desired-state", slow)["ProgressEvent"]
    event = aws("cancel-resource-request", "--request-token", event["RequestToken"])["ProgressEvent"]
    assert event["OperationStatus"].startswith("CANCEL_"), event
    aws("get-resource-request-status", "--request-token", "nope", fails_with="RequestTokenNotFoundException")


with_boto3()
assert answers > 40, answers
with_the_cli()
print(f"boto3 {boto3.__version__}: {answers} answers checked against the service model; the AWS CLI agrees")
