"""What people do with boto3."""

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

import service_model

BUCKET = "AWS::S3::Bucket"
PATIENCE = {"Delay": 1, "MaxAttempts": 60}


def client_of(endpoint, validates=True):
    # One attempt: each answer is to be seen, and a refusal is to be told rather than tried again.
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=validates, max_pool_connections=20)
    client = boto3.client("cloudcontrol", endpoint_url=endpoint, config=config)
    service_model.watch(client)
    return client


def error_codes():
    """Every error code that the model knows."""
    model = boto3.client("cloudcontrol").meta.service_model
    return set(model.shape_for("HandlerErrorCode").enum)


def create(client, state, type_name=BUCKET, **options):
    event = client.create_resource(TypeName=type_name, DesiredState=json.dumps(state), **options)["ProgressEvent"]
    assert (event["Operation"], event["OperationStatus"]) == ("CREATE", "PENDING"), event
    return event["RequestToken"]


def get(client, token):
    answer = client.get_resource_request_status(RequestToken=token)
    return answer["ProgressEvent"], answer.get("HooksProgressEvent", [])


def wait(client, token):
    client.get_waiter("resource_request_success").wait(RequestToken=token, WaiterConfig=PATIENCE)
    event, _ = get(client, token)
    assert event["OperationStatus"] == "SUCCESS", event
    return event


def waiter_fails(client, token):
    """How botocore tells that the request will never succeed."""
    try:
        client.get_waiter("resource_request_success").wait(RequestToken=token, WaiterConfig=PATIENCE)
    except WaiterError as failed:
        assert failed.kwargs["reason"].startswith("Waiter encountered a terminal failure state"), failed
        return failed.last_response["ProgressEvent"]
    raise AssertionError("the waiter took a failure for a success")


def ask_for_everything(endpoint):
    client = client_of(endpoint)
    # A dozen, so that some have hooks.
    tokens = {f"bucket-{number}": create(client, {"BucketName": f"bucket-{number}"}) for number in range(12)}
    failing = {
        code: create(client, {"_simulator": {"fail": code, "message": f"{code}\nof course"}}) for code in error_codes()
    }
    cancelled = create(client, {"_simulator": {"takes": "1h"}})
    hooks = []
    for name, token in tokens.items():
        event = wait(client, token)
        assert (event["Identifier"], json.loads(event["ResourceModel"])) == (name, {"BucketName": name}), event
        its_hooks = get(client, token)[1]
        assert bool(its_hooks) == ("HooksRequestToken" in event), event
        hooks += its_hooks
    assert {hook["HookStatus"] for hook in hooks} == {"HOOK_COMPLETE_SUCCEEDED"}, hooks
    for code, token in failing.items():
        event = waiter_fails(client, token)
        assert event["OperationStatus"] == "FAILED", event
        assert (event["ErrorCode"], event["StatusMessage"]) == (code, f"{code}\nof course"), event

    event = client.cancel_resource_request(RequestToken=cancelled)["ProgressEvent"]
    assert event["OperationStatus"] == "CANCEL_IN_PROGRESS", event
    assert waiter_fails(client, cancelled)["OperationStatus"].startswith("CANCEL_")
    while (event := get(client, cancelled)[0])["OperationStatus"] == "CANCEL_IN_PROGRESS":
        time.sleep(0.2)
    assert event["OperationStatus"] == "CANCEL_COMPLETE", event
    again = client.cancel_resource_request(RequestToken=cancelled)["ProgressEvent"]
    assert again["OperationStatus"] == "CANCEL_COMPLETE", again

    pages = list(client.get_paginator("list_resource_requests").paginate(PaginationConfig={"PageSize": 4}))
    listed = [event["RequestToken"] for page in pages for event in page["ResourceRequestStatusSummaries"]]
    assert len(pages) > 3 and len(listed) == len(set(listed)), listed
    assert set(listed) >= {*tokens.values(), *failing.values(), cancelled}, listed
    only_failed = {"OperationStatuses": ["FAILED"], "Operations": ["CREATE"]}
    pages = client.get_paginator("list_resource_requests").paginate(ResourceRequestStatusFilter=only_failed)
    listed = {event["RequestToken"] for page in pages for event in page["ResourceRequestStatusSummaries"]}
    assert listed >= set(failing.values()) and not listed & {*tokens.values(), cancelled}, listed

    read_change_and_delete(client, set(tokens))


def read_change_and_delete(client, names):
    resource = {"TypeName": BUCKET, "Identifier": "bucket-1"}

    def read():
        return json.loads(client.get_resource(**resource)["ResourceDescription"]["Properties"])

    patch = [{"op": "add", "path": "/Tags", "value": [{"Key": "team", "Value": "blue"}]}]
    answer = client.update_resource(**resource, PatchDocument=json.dumps(patch))
    assert answer["ProgressEvent"]["Operation"] == "UPDATE", answer
    assert read() == {"BucketName": "bucket-1"}, "changed too early"
    wait(client, answer["ProgressEvent"]["RequestToken"])
    tagged = {"BucketName": "bucket-1", "Tags": [{"Key": "team", "Value": "blue"}]}
    assert read() == tagged

    pages = list(client.get_paginator("list_resources").paginate(TypeName=BUCKET, PaginationConfig={"PageSize": 5}))
    found = [resource for page in pages for resource in page["ResourceDescriptions"]]
    identifiers = [resource["Identifier"] for resource in found]
    assert len(pages) > 2 and len(identifiers) == len(set(identifiers)) and set(identifiers) >= names, identifiers
    assert tagged in [json.loads(resource["Properties"]) for resource in found], found

    token = client.delete_resource(**resource)["ProgressEvent"]["RequestToken"]
    assert wait(client, token)["Operation"] == "DELETE"
    assert refusal(client.get_resource, **resource)[0] == "ResourceNotFoundException"
    gone = client.delete_resource(**resource)["ProgressEvent"]["RequestToken"]
    assert waiter_fails(client, gone)["ErrorCode"] == "NotFound"


def refusal(call, **options):
    """The code and the message with which a call is refused, as botocore hands them on."""
    try:
        call(**options)
    except ClientError as refused:
        return refused.response["Error"]["Code"], refused.response["Error"]["Message"]
    raise AssertionError("not refused")


def be_refused(endpoint):
    """Asks for what can't be, in the ways that the service tells apart."""
    client = client_of(endpoint, validates=False)
    resource = {"TypeName": BUCKET, "Identifier": "bucket-2"}
    first = create(client, {}, ClientToken="once")
    assert create(client, {}, ClientToken="once") == first
    slow = create(client, {"BucketName": "slow", "_simulator": {"takes": "1h"}})
    succeeded = client.list_resource_requests(ResourceRequestStatusFilter={"OperationStatuses": ["SUCCESS"]})
    finished = succeeded["ResourceRequestStatusSummaries"][0]["RequestToken"]

    for code, says, call, options in [
        ("RequestTokenNotFoundException", "nope", client.get_resource_request_status, {"RequestToken": "nope"}),
        ("RequestTokenNotFoundException", "nope", client.cancel_resource_request, {"RequestToken": "nope"}),
        ("ValidationException", "already in status SUCCESS", client.cancel_resource_request, {"RequestToken": finished}),
        ("ValidationException", "requestToken", client.get_resource_request_status, {"RequestToken": "?"}),
        ("ValidationException", "maxResults", client.list_resource_requests, {"MaxResults": 101}),
        ("ValidationException", "NextToken", client.list_resource_requests, {"NextToken": "nope"}),
        ("ValidationException", "typeName", client.list_resources, {"TypeName": "Bucket"}),
        ("ValidationException", "desiredState", client.create_resource, {"TypeName": BUCKET}),
        ("InvalidRequestException", "JSON", client.create_resource, {"TypeName": BUCKET, "DesiredState": "{"}),
        (
            "ClientTokenConflictException",
            first,
            client.create_resource,
            {"TypeName": BUCKET, "DesiredState": '{"A":1}', "ClientToken": "once"},
        ),
        ("ConcurrentOperationException", slow, client.delete_resource, {"TypeName": BUCKET, "Identifier": "slow"}),
        ("ResourceNotFoundException", "nope", client.get_resource, {"TypeName": BUCKET, "Identifier": "nope"}),
        (
            "ResourceNotFoundException",
            "nope",
            client.update_resource,
            {"TypeName": BUCKET, "Identifier": "nope", "PatchDocument": "[]"},
        ),
        (
            "NotUpdatableException",
            "BucketName",
            client.update_resource,
            {**resource, "PatchDocument": '[{"op":"replace","path":"/BucketName","value":"other"}]'},
        ),
    ]:
        told, message = refusal(call, **options)
        assert (told, says in message) == (code, True), f"{code}, {says}: {told}: {message}"
    # One that waits for an hour is no use to whoever comes next.
    client.cancel_resource_request(RequestToken=slow)


def be_turned_away(endpoint):
    """Meets what stands between a client and the service."""
    client = client_of(endpoint, validates=False)
    for faults, codes in [
        ({"throttled": 1}, {"ThrottlingException"}),
        ({"server_errors": 1}, {"InternalFailure", "ServiceUnavailableException"}),
        ({"expired_credentials": True}, {"ExpiredTokenException"}),
        ({"access_denied": ["*"]}, {"AccessDeniedException"}),
    ]:
        set_faults(endpoint, faults)
        for call in (client.list_resource_requests, client.list_resources, client.create_resource):
            # Both of two kinds, or near enough: each of forty is a toss of a coin.
            told = {refusal(call)[0] for _ in range(40)}
            assert told == codes, f"{faults}: {told}"
    # What may be missing is missing: the model allows it, and botocore reads the rest.
    set_faults(endpoint, {"missing_fields": 0.5, "empty_bodies": 0.2})
    for _ in range(20):
        client.list_resource_requests()
        client.list_resources(TypeName=BUCKET)
    set_faults(endpoint, {})
    for size, code in [(262_145, "ValidationException"), (10_000_000, "RequestEntityTooLargeException")]:
        assert refusal(client.create_resource, TypeName=BUCKET, DesiredState="x" * size)[0] == code, size


def watch_others(endpoint):
    """Lists for some seconds, and looks at all that is there, so that hooks and failures come by."""
    client = client_of(endpoint)
    for _ in range(4):
        pages = client.get_paginator("list_resource_requests").paginate(PaginationConfig={"PageSize": 100})
        listed = [event["RequestToken"] for page in pages for event in page["ResourceRequestStatusSummaries"]]
        assert len(listed) > 10, listed
        with ThreadPoolExecutor(max_workers=8) as looks:
            list(looks.map(lambda token: get(client, token), listed))
        time.sleep(1.5)


def find_what_is_wrong(endpoint):
    """The walk is worth something: it finds the words that no documentation knows."""
    set_faults(endpoint, {"unknown_statuses": 1})
    try:
        client_of(endpoint).list_resource_requests()
    except AssertionError as found:
        assert "OperationStatus: " in str(found) and " is none of " in str(found), found
    else:
        raise AssertionError("the walk took an unknown status for one of the model's")
    finally:
        set_faults(endpoint, {})


def set_faults(endpoint, faults):
    request = urllib.request.Request(f"{endpoint}/_simulator/faults", json.dumps(faults).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
