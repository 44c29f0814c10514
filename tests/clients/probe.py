"""One endpoint of a comparison, and ways to ask it."""

import http.client
import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "AWS::S3::Bucket"
FINAL = {"SUCCESS", "FAILED", "CANCEL_COMPLETE"}


class Probe:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = self.client_of("AKIDEXAMPLE", "us-east-1")
        self.serial = 0

    def client_of(self, access_key, region):
        return boto3.client(
            "cloudcontrol",
            endpoint_url=f"http://{self.endpoint.address}",
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key="secret",
            # As it is: no second try, and nothing refused before it is sent.
            config=Config(
                retries={"total_max_attempts": 1}, parameter_validation=False, proxies={}, read_timeout=20
            ),
        )

    def name(self):
        """A name that no resource has yet."""
        self.serial += 1
        return f"bucket-{self.serial}"

    def create(self, state=None, type_name=BUCKET, **options):
        state = {"BucketName": self.name()} if state is None else state
        return self.client.create_resource(TypeName=type_name, DesiredState=json.dumps(state), **options)[
            "ProgressEvent"
        ]

    def get(self, token):
        return self.client.get_resource_request_status(RequestToken=token)

    def finish(self, event):
        """The ProgressEvent once it is final."""
        token = event["RequestToken"]
        for _ in range(600):
            event = self.get(token)["ProgressEvent"]
            if event["OperationStatus"] in FINAL:
                return event
            time.sleep(0.1)
        raise AssertionError(f"{token} does not finish: {event}")

    def existing(self):
        """The name of a bucket that is there."""
        name = self.name()
        event = self.finish(self.create({"BucketName": name}))
        assert event["OperationStatus"] == "SUCCESS", event
        return name

    def properties(self, name):
        answer = self.client.get_resource(TypeName=BUCKET, Identifier=name)
        return json.loads(answer["ResourceDescription"]["Properties"])

    def listed(self, **options):
        """Every entry, page by page, and how large the pages were."""
        entries, sizes, token = [], [], {}
        while True:
            page = self.client.list_resource_requests(**options, **token)
            entries += page["ResourceRequestStatusSummaries"]
            sizes.append(len(page["ResourceRequestStatusSummaries"]))
            if "NextToken" not in page:
                return entries, sizes
            token = {"NextToken": page["NextToken"]}

    def raw(self, body, target="CloudApiService.ListResourceRequests", method="POST", path="/", content_type=None):
        """The status and the body of an answer to what no SDK sends."""
        connection = http.client.HTTPConnection(self.endpoint.address, timeout=30)
        scope = "AKIDEXAMPLE/20260101/us-east-1/cloudcontrolapi/aws4_request"
        headers = {
            "Content-Type": content_type or "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "X-Amz-Target": target,
        }
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()


def refused(call, *arguments, **options):
    """What a call came to, in short: an error, or the status of the request that it started."""
    try:
        answer = call(*arguments, **options)
    except ClientError as error:
        told = error.response["Error"]
        return f"{told['Code']}: {told['Message']}"
    except BotoCoreError as error:
        return type(error).__name__
    event = answer.get("ProgressEvent", answer) if isinstance(answer, dict) else {}
    return event.get("OperationStatus", "answered")


def in_short(status, body):
    """An HTTP answer in short."""
    try:
        said = json.loads(body)
        told = said["__type"] if "__type" in said else ", ".join(said)
    except ValueError:
        told = " ".join(body.split())[:60]
    return f"HTTP {status} `{told}`" if told else f"HTTP {status}"
