"""What people do with the AWS CLI."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROLE = ("--type-name", "AWS::IAM::Role")


class Cli:
    """The AWS CLI, with `service_model` as its plugin."""

    def __init__(self, endpoint, folder):
        self.endpoint = endpoint
        self.walked = os.path.join(folder, "walked")
        configuration = os.path.join(folder, "config")
        with open(configuration, "w") as file:
            file.write("[plugins]\nservice_model = service_model\n")
        self.environment = os.environ | {
            "AWS_CONFIG_FILE": configuration,
            "CCWATCH_WALKED": self.walked,
            "PYTHONPATH": HERE,
            "AWS_MAX_ATTEMPTS": "1",
        }

    def run(self, *arguments):
        command = [sys.executable, "-m", "awscli", "--endpoint-url", self.endpoint, "--output", "json", "cloudcontrol"]
        return subprocess.run(
            [*command, *arguments], env=self.environment, capture_output=True, text=True, timeout=300
        )

    def __call__(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def fails(self, *arguments, code, says):
        done = self.run(*arguments)
        assert done.returncode == code and says in done.stderr, done

    def operations(self):
        with open(self.walked) as file:
            return {line.split()[0] for line in file}


def ask_for_everything(endpoint, folder):
    """Makes every call, and returns the operations whose answers were walked."""
    aws = Cli(endpoint, folder)

    def create(state):
        event = aws("create-resource", *ROLE, "--desired-state", json.dumps(state))["ProgressEvent"]
        assert event["OperationStatus"] == "PENDING", event
        return event["RequestToken"]

    def get(token):
        return aws("get-resource-request-status", "--request-token", token)["ProgressEvent"]

    def wait(token):
        assert aws("wait", "resource-request-success", "--request-token", token) is None

    token = create({"RoleName": "deploy"})
    fails = create({"_simulator": {"fail": "AccessDenied"}})
    slow = create({"_simulator": {"takes": "1h"}})
    wait(token)
    event = get(token)
    assert (event["OperationStatus"], event["Identifier"]) == ("SUCCESS", "deploy"), event
    aws.fails(
        "wait", "resource-request-success", "--request-token", fails, code=255, says="Waiter encountered a terminal failure"
    )
    assert get(fails)["ErrorCode"] == "AccessDenied"
    event = aws("cancel-resource-request", "--request-token", slow)["ProgressEvent"]
    assert event["OperationStatus"] == "CANCEL_IN_PROGRESS", event

    # The CLI follows the pages by itself.
    listed = aws("list-resource-requests", "--page-size", "5")["ResourceRequestStatusSummaries"]
    assert token in [event["RequestToken"] for event in listed] and len(listed) > 5, listed
    failed = aws("list-resource-requests", "--resource-request-status-filter", "OperationStatuses=FAILED")
    assert fails in [event["RequestToken"] for event in failed["ResourceRequestStatusSummaries"]], failed

    role = (*ROLE, "--identifier", "deploy")
    patch = json.dumps([{"op": "add", "path": "/Description", "value": "deploys"}])
    wait(aws("update-resource", *role, "--patch-document", patch)["ProgressEvent"]["RequestToken"])
    description = aws("get-resource", *role)["ResourceDescription"]
    assert json.loads(description["Properties"])["Description"] == "deploys", description
    found = aws("list-resources", *ROLE, "--page-size", "1")["ResourceDescriptions"]
    assert [resource["Identifier"] for resource in found] == ["deploy"], found
    wait(aws("delete-resource", *role)["ProgressEvent"]["RequestToken"])
    aws.fails("get-resource", *role, code=255, says="(ResourceNotFoundException)")
    aws.fails("get-resource-request-status", "--request-token", "nope", code=255, says="(RequestTokenNotFoundException)")
    return aws.operations()
