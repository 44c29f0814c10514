"""Drives a simulator as its users do: with boto3, and with the AWS CLI.

    python drive.py FRIENDLY LIVELY

FRIENDLY and LIVELY are the endpoints of two new worlds, by the scenarios of these names: one in which nothing happens
but what is asked for, and one in which other clients are at work too. Every answer is held to botocore's own model of
the service (`service_model.py`). Exits non-zero with the first thing that is not as it should be.
"""

import os
import sys
import tempfile
from importlib.metadata import version

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

import service_model
import with_boto3
import with_the_cli
import with_the_documentation

ALL_WORDS = {
    "Operation": {"CREATE", "UPDATE", "DELETE"},
    "OperationStatus": {"PENDING", "IN_PROGRESS", "SUCCESS", "FAILED", "CANCEL_IN_PROGRESS", "CANCEL_COMPLETE"},
    "HookStatus": {
        "HOOK_PENDING",
        "HOOK_IN_PROGRESS",
        "HOOK_COMPLETE_SUCCEEDED",
        "HOOK_COMPLETE_FAILED",
        "HOOK_FAILED",
    },
    "HookFailureMode": {"FAIL", "WARN"},
    "HookInvocationPoint": {"PRE_PROVISION"},
}


def main(friendly, lively):
    with_boto3.ask_for_everything(friendly)
    operations = set(service_model.answers)
    assert len(operations) == 8, f"walked {operations} only"
    with_boto3.be_refused(friendly)
    with_boto3.be_turned_away(friendly)
    with_boto3.watch_others(lively)
    for shape, words in ALL_WORDS.items():
        missing = words - set(service_model.words[shape])
        assert not missing, f"no answer had {shape} {missing}"
    codes = set(service_model.words["HandlerErrorCode"])
    assert codes == with_boto3.error_codes(), codes
    with tempfile.TemporaryDirectory() as folder:
        walked = with_the_cli.ask_for_everything(friendly, folder)
    assert walked == operations, f"the AWS CLI made {walked}"
    with_the_documentation.run_examples(friendly)
    with_boto3.find_what_is_wrong(lively)
    print(
        f"boto3 {version('boto3')}, botocore {version('botocore')}, awscli {version('awscli')}: "
        f"walked {sum(service_model.answers.values())} answers and {sum(service_model.errors.values())} errors of boto3's, "
        f"{len(service_model.errors)} kinds of them, and all of the CLI's"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
