"""Asks two endpoints the same, and prints what each answered: the table in docs/simulator.md.

    python compare.py CCWATCH > table.md

CCWATCH is the program. The other is ministack, as pip installed it beside this Python. Both are started here, on ports
of their own on loopback, with libfaketime under them (Debian's package `faketime`), so that their clocks can be moved.
What stands in a cell was seen in this run, in the words of the answers.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

from probe import Probe
from questions import QUESTIONS

# How much of an answer a cell shows.
LONGEST = 120
FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1".format(os.uname().machine)


class Endpoint:
    """A process with a clock that can be moved."""

    def __init__(self, name, command, environment, folder):
        self.name = name
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.clock = os.path.join(folder, f"{name}.clock")
        self.move_clock("+0")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "LD_PRELOAD": FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": self.clock,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        } | {key: value.format(port=port) for key, value in environment.items()}
        self.log = open(os.path.join(folder, f"{name}.log"), "w+")
        self.process = subprocess.Popen(
            [part.format(port=port) for part in command],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.wait_for_port(port)

    def wait_for_port(self, port):
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.log.seek(0)
        raise SystemExit(f"{self.name} does not listen:\n{self.log.read()}")

    def move_clock(self, to):
        with open(self.clock, "w") as file:
            file.write(to)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def main(ccwatch):
    if not os.path.exists(FAKETIME):
        raise SystemExit(f"{FAKETIME} is missing: apt-get install faketime")
    ccwatch = os.path.abspath(ccwatch)
    its_version = subprocess.check_output([ccwatch, "--version"], text=True).split()[1]
    with tempfile.TemporaryDirectory() as folder:
        endpoints = [
            Endpoint("ccwatch", [ccwatch, "simulate", "--listen", "127.0.0.1:{port}", "--seed", "1"], {}, folder),
            Endpoint(
                "ministack",
                [os.path.join(os.path.dirname(sys.executable), "ministack")],
                {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "{port}"},
                folder,
            ),
        ]
        try:
            columns = [Probe(endpoint) for endpoint in endpoints]
            print(f"| | ccwatch {its_version} | ministack {version('ministack')} |")
            print("|---|---|---|")
            for question, ask in QUESTIONS:
                cells = [cell(ask, probe) for probe in columns]
                print(f"| {question} | {' | '.join(cells)} |", flush=True)
        finally:
            for endpoint in endpoints:
                endpoint.stop()


def cell(ask, probe):
    text = ask(probe)
    # Tokens differ from run to run.
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", text)
    text = text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main(*sys.argv[1:])
