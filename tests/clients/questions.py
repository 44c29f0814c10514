"""What both endpoints are asked, in this order, and how an answer is put into few words."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from botocore.exceptions import WaiterError

from probe import BUCKET, FINAL, in_short, refused

QUESTIONS = []


def question(text):
    def add(ask):
        QUESTIONS.append((text, ask))
        return ask

    return add


def life(probe):
    """All that is to be seen of one creation, looked at ten times a second."""
    events = [probe.create()]
    while events[-1]["OperationStatus"] not in FINAL:
        time.sleep(0.1)
        events.append(probe.get(events[0]["RequestToken"])["ProgressEvent"])
    return events


def in_order(values):
    return list(dict.fromkeys(values))


@question("CreateResource answers with")
def _(probe):
    event = probe.create()
    members = sorted(set(event) - {"OperationStatus", "Operation", "TypeName", "RequestToken"})
    return f"{event['OperationStatus']}; also {', '.join(members)}"


@question("the statuses of a creation, in order")
def _(probe):
    probe.life = life(probe)
    return " → ".join(in_order(event["OperationStatus"] for event in probe.life))


@question("Identifier appears while the status is")
def _(probe):
    return next(event["OperationStatus"] for event in probe.life if "Identifier" in event)


@question("EventTime on the way")
def _(probe):
    times = in_order(event["EventTime"] for event in probe.life)
    return "moves" if len(times) > 1 else "stays"


@question("EventTime as it is written")
def _(probe):
    token = json.dumps({"RequestToken": probe.life[0]["RequestToken"]})
    _, body = probe.raw(token, target="CloudApiService.GetResourceRequestStatus")
    number = re.search(r'"EventTime": ?([^,}]+)', body)[1]
    return f"{number[:4]}…{'E9' if number.endswith('E9') else ''}"


@question("RetryAfter in GetResourceRequestStatus while the status is")
def _(probe):
    return ", ".join(in_order(event["OperationStatus"] for event in probe.life if "RetryAfter" in event)) or "never"


@question("StatusMessage on the way")
def _(probe):
    messages = in_order(event["StatusMessage"] for event in life(probe) if "StatusMessage" in event)
    return "; ".join(messages) or "none"


@question("hooks of 12 creations, looked at five times a second")
def _(probe):
    tokens = [probe.create()["RequestToken"] for _ in range(12)]
    seen, shown = [], False
    while tokens:
        answers = [probe.get(token) for token in tokens]
        seen += [hook["HookStatus"] for answer in answers for hook in answer.get("HooksProgressEvent", [])]
        shown |= any("HooksRequestToken" in answer["ProgressEvent"] for answer in answers)
        tokens = [a["ProgressEvent"]["RequestToken"] for a in answers if a["ProgressEvent"]["OperationStatus"] not in FINAL]
        time.sleep(0.2)
    order = ["HOOK_PENDING", "HOOK_IN_PROGRESS", "HOOK_COMPLETE_SUCCEEDED", "HOOK_COMPLETE_FAILED", "HOOK_FAILED"]
    words = ", ".join(word for word in order if word in seen)
    return f"{words}{'; with HooksRequestToken' if shown else ''}" if words else "none"


@question("the waiter `resource_request_success`")
def _(probe):
    token = probe.create()["RequestToken"]
    looks = []
    probe.client.meta.events.register("after-call.cloudcontrol", lambda **_: looks.append(1), unique_id="looks")
    probe.client.get_waiter("resource_request_success").wait(RequestToken=token, WaiterConfig={"Delay": 1})
    probe.client.meta.events.unregister("after-call.cloudcontrol", unique_id="looks")
    return "succeeds after some looks" if len(looks) > 1 else "succeeds at the first look"


@question("CreateResource of what exists")
def _(probe):
    name = probe.existing()
    return how_it_ends(probe, probe.client.create_resource, DesiredState=json.dumps({"BucketName": name}))


@question("DeleteResource of what does not exist")
def _(probe):
    return how_it_ends(probe, probe.client.delete_resource, Identifier="nowhere")


def how_it_ends(probe, call, **options):
    """A refusal, or how the request ends that began."""
    began = []
    told = refused(lambda: began.append(call(TypeName=BUCKET, **options)["ProgressEvent"]) or began[0])
    if not began:
        return told
    event = probe.finish(began[0])
    return " ".join(filter(None, ["begins, ends", event["OperationStatus"], event.get("ErrorCode")]))


@question('a failure on demand: each ErrorCode by `"_simulator": {"fail": …}`')
def _(probe):
    codes = probe.client.meta.service_model.shape_for("HandlerErrorCode").enum
    began = [probe.create({"BucketName": probe.name(), "_simulator": {"fail": code}}) for code in codes]
    ends = [probe.finish(event) for event in began]
    probe.failed = [event for event in ends if event["OperationStatus"] == "FAILED"]
    told = {event.get("ErrorCode") for event in probe.failed}
    return f"FAILED with {len(told)} of {len(codes)}"


@question("the waiter, for a request that failed")
def _(probe):
    if not probe.failed:
        return "none failed"
    try:
        probe.client.get_waiter("resource_request_success").wait(RequestToken=probe.failed[0]["RequestToken"])
    except WaiterError as error:
        return error.kwargs["reason"].split(":")[0]
    return "succeeds"


@question("CancelResourceRequest of what just began")
def _(probe):
    token = probe.create()["RequestToken"]
    told = refused(probe.client.cancel_resource_request, RequestToken=token)
    end = probe.finish({"RequestToken": token})["OperationStatus"]
    return told if end == "SUCCESS" else f"{told} → {end}"


@question("CancelResourceRequest of what has finished")
def _(probe):
    token = probe.life[0]["RequestToken"]
    return refused(probe.client.cancel_resource_request, RequestToken=token)


@question("GetResourceRequestStatus of an unknown token")
def _(probe):
    return refused(probe.get, "nope")


@question("CreateResource of a type that no one knows")
def _(probe):
    return refused(probe.create, {}, type_name="Acme::Nowhere::Nothing")


@question("TypeName `Bucket`")
def _(probe):
    return refused(probe.create, {}, type_name="Bucket")


@question("DesiredState `{`")
def _(probe):
    return refused(probe.client.create_resource, TypeName=BUCKET, DesiredState="{")


@question("the same ClientToken again, with the same input")
def _(probe):
    probe.again = {"BucketName": probe.name()}
    first = probe.create(probe.again, ClientToken="once")["RequestToken"]
    tokens = []
    told = refused(lambda: tokens.append(probe.create(probe.again, ClientToken="once")["RequestToken"]) or {})
    if not tokens:
        return told
    return "the same request" if tokens == [first] else "another request"


@question("the same ClientToken again, with other input")
def _(probe):
    return refused(probe.create, {"BucketName": probe.name()}, ClientToken="once")


@question("two deletions of one resource at once")
def _(probe):
    name = probe.existing()
    return ", ".join(
        refused(probe.client.delete_resource, TypeName=BUCKET, Identifier=name) for _ in range(2)
    )


@question("GetResource of what is being created")
def _(probe):
    name = probe.name()
    probe.create({"BucketName": name})
    return refused(probe.client.get_resource, TypeName=BUCKET, Identifier=name)


@question("UpdateResource with add, replace, remove, move, copy and test")
def _(probe):
    name = probe.existing()
    patch = [
        {"op": "add", "path": "/A", "value": [1, 2]},
        {"op": "replace", "path": "/A/0", "value": 3},
        {"op": "copy", "from": "/A", "path": "/B"},
        {"op": "remove", "path": "/A/1"},
        {"op": "move", "from": "/A", "path": "/C"},
        {"op": "test", "path": "/C", "value": [3]},
    ]
    event = []
    told = refused(lambda: event.append(update(probe, name, patch)) or event[0])
    if not event:
        return told
    probe.finish(event[0]["ProgressEvent"])
    expected = {"BucketName": name, "B": [3, 2], "C": [3]}
    return "as RFC 6902 has it" if probe.properties(name) == expected else f"{probe.properties(name)}"


def update(probe, name, patch):
    return probe.client.update_resource(TypeName=BUCKET, Identifier=name, PatchDocument=json.dumps(patch))


@question("UpdateResource that removes what is not there")
def _(probe):
    return refused(update, probe, probe.existing(), [{"op": "remove", "path": "/Nothing"}])


@question("UpdateResource of the name that a resource is called by")
def _(probe):
    return refused(update, probe, probe.existing(), [{"op": "replace", "path": "/BucketName", "value": "other"}])


@question("the order of ListResourceRequests")
def _(probe):
    times = [event["EventTime"] for event in probe.listed(MaxResults=100)[0]]
    return "by age" if times in (sorted(times), sorted(times, reverse=True)) else "none"


@question("MaxResults 4, and following NextToken")
def _(probe):
    entries, sizes = probe.listed(MaxResults=4)
    once = len({event["RequestToken"] for event in entries}) == len(entries)
    told = "pages of 4" if set(sizes[:-1]) == {4} else f"{len(sizes)} page, of {sizes[0]}"
    return f"{told}, each entry once" if once else f"{told}, entries come twice"


@question("MaxResults 101")
def _(probe):
    return refused(probe.client.list_resource_requests, MaxResults=101)


@question("a NextToken of one's own making")
def _(probe):
    return refused(probe.client.list_resource_requests, NextToken="bWFkZSB1cA==")


@question("a filter by CREATE and SUCCESS shows")
def _(probe):
    wanted = {"Operations": ["CREATE"], "OperationStatuses": ["SUCCESS"]}
    entries, _ = probe.listed(ResourceRequestStatusFilter=wanted)
    return ", ".join(sorted({f"{event['Operation']} {event['OperationStatus']}" for event in entries}))


@question("a filter by a status that is none")
def _(probe):
    wanted = {"OperationStatuses": ["DONE"]}
    return refused(probe.client.list_resource_requests, ResourceRequestStatusFilter=wanted)


@question("ListResources with MaxResults 4")
def _(probe):
    page = probe.client.list_resources(TypeName=BUCKET, MaxResults=4)
    return f"{len(page['ResourceDescriptions'])} resources, {'a' if 'NextToken' in page else 'no'} NextToken"


@question("the requests that another Region, and another account, can list")
def _(probe):
    region = probe.client_of("AKIDEXAMPLE", "eu-west-1").list_resource_requests()
    account = probe.client_of("999999999999", "us-east-1").list_resource_requests()
    found = [bool(answer["ResourceRequestStatusSummaries"]) for answer in (region, account)]
    return ", ".join("the same" if any_ else "its own" for any_ in found)


@question("a body that is no JSON")
def _(probe):
    return in_short(*probe.raw("{"))


@question("a target that is none")
def _(probe):
    return in_short(*probe.raw("{}", target="CloudApiService.DescribeResource"))


@question("GET")
def _(probe):
    return in_short(*probe.raw(None, method="GET"))


@question("Content-Type `text/plain`")
def _(probe):
    return in_short(*probe.raw("{}", content_type="text/plain"))


@question("a body of 10 MB")
def _(probe):
    body = json.dumps({"NextToken": "x" * 10_000_000})
    try:
        return in_short(*probe.raw(body))
    except ConnectionError as error:
        return type(error).__name__


@question("300 calls at once")
def _(probe):
    return throttled(probe)


@question('300 calls at once, after `POST /_simulator/faults` with `{"throttle": {"per_second": 1, "burst": 50}}`')
def _(probe):
    status, body = probe.raw(
        json.dumps({"throttle": {"per_second": 1, "burst": 50}}), path="/_simulator/faults", target="none"
    )
    if status != 200:
        return f"the faults: {in_short(status, body)}"
    told = throttled(probe)
    probe.raw("{}", path="/_simulator/faults", target="none")
    return told


@question("with the fault `server_errors`, `resets`, `cut_off` at 1")
def _(probe):
    return ", ".join(with_fault(probe, name) for name in ("server_errors", "resets", "cut_off"))


def with_fault(probe, name):
    status, body = probe.raw(json.dumps({name: 1}), path="/_simulator/faults", target="none")
    if status != 200:
        return in_short(status, body)
    answers = {one_answer(probe) for _ in range(20)}
    probe.raw("{}", path="/_simulator/faults", target="none")
    return " or ".join(sorted(answers))


def one_answer(probe):
    try:
        return f"HTTP {probe.raw('{}')[0]}"
    except (OSError, HTTPException) as error:
        return type(error).__name__


def throttled(probe):
    with ThreadPoolExecutor(max_workers=10) as calls:
        answers = list(calls.map(lambda _: refused(probe.client.list_resource_requests), range(300)))
    return ", ".join(f"{told}" for told in sorted(set(answers)))


@question("a request six days later")
def _(probe):
    return later(probe, "+6d")


@question("a request eight days later")
def _(probe):
    return later(probe, "+8d")


def later(probe, clock):
    """Moves the clock for good: the last questions."""
    probe.endpoint.move_clock(clock)
    token = probe.life[0]["RequestToken"]
    listed = token in [event["RequestToken"] for event in probe.listed(MaxResults=100)[0]]
    return f"{refused(probe.get, token)}; {'still' if listed else 'not'} listed"
