"""Runs the examples of docs/simulator.md: what is documented works."""

import os
import re
import subprocess
import sys

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "simulator.md")
DOCUMENTED_ENDPOINT = "http://127.0.0.1:4599"


def examples(language, naming):
    """The blocks in this language that name this, in their order."""
    with open(DOCUMENT) as file:
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)
    return [block for block in blocks if naming in block]


def run(command, endpoint):
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    command = [part.replace(DOCUMENTED_ENDPOINT, endpoint) for part in command]
    done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
    return done.stdout


def run_examples(endpoint):
    python = examples("python", "boto3")
    shell = examples("sh", "aws cloudcontrol")
    assert python and shell, f"{DOCUMENT} has no examples"
    for example in python:
        told = run([sys.executable, "-c", example], endpoint)
        assert "FAILED NotStabilized It never came up." in told, told
    for example in shell:
        told = run(["bash", "-euo", "pipefail", "-c", example], endpoint)
        assert '"SUCCESS"' in told and '"ResourceDescriptions"' in told, told
