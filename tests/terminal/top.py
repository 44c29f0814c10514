"""Tries `ccwatch top` as people use it. Called by tests/top_command.rs with the program and an empty folder."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import termios
import time

from pseudo import PATIENCE, Terminal

PROGRAM, FOLDER = sys.argv[1:]
HISTORY = os.path.join(FOLDER, "history.db")
TOP = [PROGRAM, "top", "--history", HISTORY, "--interval", "200ms"]


def with_a_demo():
    demo = subprocess.Popen(
        [PROGRAM, "demo", "--history", HISTORY, "--for", "10m"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE
    # The file is there before its schema is.
    while subprocess.run([PROGRAM, "requests", "--history", HISTORY], capture_output=True).returncode != 0:
        assert demo.poll() is None and time.monotonic() < deadline, "the demo makes no history"
        time.sleep(0.1)
    return demo


def what_people_see():
    """While someone writes: it lives, and obeys."""
    demo = with_a_demo()
    terminal = Terminal(TOP)
    try:
        terminal.shows("Open requests")
        terminal.until("the terminal is taken", lambda _: terminal.alternate and terminal.hidden and terminal.is_raw())
        terminal.until("something is open", lambda screen: re.search(r"  [1-9]\d* open", screen))
        terminal.shows("demo/eu-west-1")
        shown = terminal.screen()
        for panel in ["Hooks:", "Last failures", "Targets: 1", "Receivers"]:
            assert panel in shown, shown

        clock = shown[:9]
        terminal.until("time passes", lambda screen: screen[:9] != clock)
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.is_given_back()
    finally:
        terminal.kill()
        demo.send_signal(signal.SIGINT)
        demo.wait()


def write(sql):
    """As a daemon would, from another process."""
    connection = sqlite3.connect(HISTORY)
    connection.executescript(sql)
    connection.close()


def keys_sizes_and_news():
    """On a history in which nothing happens but what is done here."""
    # Forty open requests, and one that failed.
    write(
        """DELETE FROM deliveries; DELETE FROM changes; DELETE FROM hooks; DELETE FROM progress_events; DELETE FROM requests;
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
        INSERT INTO requests (target_id, token, type_name, operation, status, error_code, phase, started_at, first_seen_at,
            last_seen_at, finished_at, final_looks_left, gone_looks, announced, hooks_total, hooks_failed, hooks_pending)
        SELECT (SELECT id FROM targets), 'token-' || i, 'AWS::S3::Bucket', 'CREATE', iif(i, 'IN_PROGRESS', 'FAILED'),
            iif(i, NULL, 'TryAgain'), iif(i, 'open', 'finished'), last_looked_at - i, last_looked_at, last_looked_at,
            iif(i, NULL, last_looked_at), 0, 0, 1, 0, 0, 0
        FROM n, targets"""
    )
    terminal = Terminal(TOP)
    try:
        terminal.shows("TryAgain")
        terminal.press("\r")
        first = terminal.shows("usually")
        terminal.press("j")
        terminal.until("the next request is shown", lambda screen: "usually" in screen and screen != first)
        terminal.press("\r")
        terminal.shows("TryAgain")
        terminal.press("?")
        terminal.shows("Keys")
        terminal.press("\x1b")
        # Keys that follow too soon are taken for one with Alt.
        terminal.until("the help is closed", lambda screen: "Keys" not in screen and "TryAgain" in screen)
        terminal.press("ss")
        terminal.shows("newest first")

        write("UPDATE requests SET identifier = 'just-now' WHERE phase = 'open'")
        terminal.shows("just-now")

        terminal.resize(60, 15)
        terminal.until("it fits 60x15", lambda screen: "q end" in screen.split("\n")[14])
        assert "TryAgain" not in terminal.screen()
        terminal.press("\t\t")
        terminal.shows("TryAgain")
        terminal.resize(20, 5)
        terminal.until("it fits 20x5", lambda screen: "q end" in screen.split("\n")[4])
        terminal.resize(1, 1)
        terminal.press("j")
        terminal.resize(100, 30)
        terminal.shows("Open requests")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.is_given_back()
    finally:
        terminal.kill()


def ways_out():
    def out(what, act, code=0):
        terminal = Terminal(TOP)
        try:
            terminal.shows("q end")
            act(terminal)
            assert terminal.ended() == code, f"{what}: exit code {terminal.process.returncode}"
            terminal.is_given_back()
        finally:
            terminal.kill()
        return terminal

    out("Esc", lambda terminal: terminal.press("\x1b"))
    out("Ctrl-C", lambda terminal: terminal.press("\x03"))
    for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
        out(number.name, lambda terminal: terminal.process.send_signal(number))

    def damage(_):
        write("ALTER TABLE receivers RENAME TO gone")

    damaged = out("an error", damage, code=1)
    # Said on the screen that people are left with.
    assert b"no such table: receivers" in damaged.raw.split(b"\x1b[?1049l")[-1], damaged.raw[-500:]
    write("ALTER TABLE gone RENAME TO receivers")


# As a shell would: the program is a job of its own, in the foreground, and whoever began it is there to have it go on. The first
# program of a terminal can't be stopped.
SHELL = """
import os, signal, subprocess, sys

def foreground():
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    with open(sys.argv[1], "w") as file:
        file.write(str(os.getpid()))

sys.exit(subprocess.Popen(sys.argv[2:], preexec_fn=foreground).wait())
"""


def ctrl_z():
    job_file = os.path.join(FOLDER, "job")
    terminal = Terminal([sys.executable, "-c", SHELL, job_file, *TOP])
    try:
        terminal.shows("q end")
        with open(job_file) as file:
            job = int(file.read())

        def state():
            with open(f"/proc/{job}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0]

        def stop_by(what, act, is_given_back):
            act()
            terminal.until(f"{what} stops it", lambda _: state() == "T")
            terminal.take_rest()
            if is_given_back:
                terminal.is_given_back()
            # Nothing of what is seen from here on was there before.
            terminal.resize(terminal.columns, terminal.lines)
            os.kill(job, signal.SIGCONT)
            terminal.until("it is taken again", lambda _: terminal.alternate and terminal.hidden and terminal.is_raw())

        stop_by("Ctrl-Z", lambda: terminal.press("\x1a"), True)
        terminal.shows("q end")
        stop_by("Ctrl-Z among other keys", lambda: terminal.press("?\x1a"), True)
        terminal.shows("Keys")
        terminal.press("\x1b")
        terminal.until("the help is closed", lambda screen: "Keys" not in screen and "Open requests" in screen)
        # Who is stopped so can't give anything back, but draws anew what others have drawn over.
        stop_by("SIGSTOP", lambda: os.kill(job, signal.SIGSTOP), False)
        terminal.shows("q end")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.is_given_back()
    finally:
        terminal.kill()

    # Without a shell that could have it go on, it goes on by itself.
    terminal = Terminal(TOP)
    try:
        terminal.shows("q end")
        terminal.press("\x1a")
        terminal.until("it was given back", lambda _: terminal.raw.count(b"\x1b[?1049l") == 1)
        terminal.until("it is taken again", lambda _: terminal.raw.count(b"\x1b[?1049h") == 2)
        terminal.shows("q end")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.is_given_back()
    finally:
        terminal.kill()


def a_closed_terminal():
    """With the signal that a shell's programs get, and without it."""
    for session in [True, False]:
        terminal = Terminal(TOP, session=session)
        try:
            terminal.shows("q end")
            terminal.close()
            terminal.process.wait(PATIENCE)
        finally:
            terminal.kill()


def a_terminal_that_takes_no_characters():
    """The first signal asks it to end in order, for which it would have to write; the second ends it."""
    terminal = Terminal(TOP)
    try:
        terminal.shows("q end")
        termios.tcflow(terminal.slave, termios.TCOOFF)
        deadline = time.monotonic() + PATIENCE
        while terminal.process.poll() is None:
            assert time.monotonic() < deadline, "it does not end"
            terminal.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert terminal.process.returncode == 1, terminal.process.returncode
        assert termios.tcgetattr(terminal.slave) == terminal.before, "the terminal's settings are not what they were"
    finally:
        terminal.kill()


def no_colour():
    colour = re.compile(rb"\x1b\[[0-9;]*\b(3[1-7]|38|9[0-7])[;m]")
    for wish, expected in [("1", False), ("", True)]:
        terminal = Terminal(TOP, NO_COLOR=wish)
        try:
            terminal.shows("q end")
            terminal.press("q")
            assert terminal.ended() == 0
            assert bool(colour.search(terminal.raw)) == expected, terminal.raw
        finally:
            terminal.kill()


def no_terminal():
    """Neither of the two may be something else."""
    top = shlex.join(TOP)
    for command in [f"{top} < /dev/null", f"{top} | cat; exit ${{PIPESTATUS[0]}}"]:
        terminal = Terminal(["bash", "-c", command])
        try:
            assert terminal.ended() == 1, command
            assert b"requests --open" in terminal.raw, terminal.raw
            assert b"\x1b[?1049h" not in terminal.raw
        finally:
            terminal.kill()
    refused = subprocess.run(TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert refused.returncode == 1 and "requests --open" in refused.stderr and not refused.stdout, refused


PARTS = [
    what_people_see,
    keys_sizes_and_news,
    ways_out,
    ctrl_z,
    a_closed_terminal,
    a_terminal_that_takes_no_characters,
    no_colour,
    no_terminal,
]
for part in PARTS:
    began = time.monotonic()
    part()
    print(f"{part.__name__}: {time.monotonic() - began:.1f} s", flush=True)
