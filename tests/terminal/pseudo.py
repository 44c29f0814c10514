"""A pseudo-terminal with a program in it, and as much of a terminal as reading its screen takes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

PATIENCE = 60
SEQUENCE = re.compile(rb"\x1b\[([?0-9;]*)([@-~])")


class Terminal:
    """Runs a program in a terminal of its own, as a shell would: as the leader of a session."""

    def __init__(self, command, columns=100, lines=30, session=True, **environment):
        self.master, slave = pty.openpty()
        self.raw = b""
        self.unread = b""
        self.alternate = self.hidden = False
        self.resize(columns, lines)
        self.before = termios.tcgetattr(slave)
        environment = {**os.environ, "TERM": "xterm-256color", **environment}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={name: value for name, value in environment.items() if value is not None},
            start_new_session=session,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if session else None,
        )
        # Kept, so that the terminal's settings can be read when the program is gone.
        self.slave = slave

    def resize(self, columns, lines):
        self.columns, self.lines = columns, lines
        self.cells = [[" "] * columns for _ in range(lines)]
        self.line = self.column = 0
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def read(self, seconds):
        readable, _, _ = select.select([self.master], [], [], seconds)
        if readable:
            data = os.read(self.master, 65536)
            self.raw += data
            self.take(self.unread + data)

    def take(self, data):
        place = 0
        while place < len(data):
            byte = data[place]
            if byte == 0x1B:
                sequence = SEQUENCE.match(data, place)
                if not sequence:
                    if len(data) - place > 32:
                        raise AssertionError(f"not a sequence that is known here: {data[place:place + 32]}")
                    break
                self.obey(sequence[1].decode(), sequence[2].decode())
                place = sequence.end()
            elif byte < 0x20:
                self.line += byte == 0x0A
                self.column = 0 if byte == 0x0D else self.column
                place += 1
            else:
                length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                if place + length > len(data):
                    break
                if self.line < self.lines and self.column < self.columns:
                    self.cells[self.line][self.column] = data[place : place + length].decode()
                self.column += 1
                place += length
        self.unread = data[place:]

    def obey(self, numbers, what):
        if what == "H":
            line, column = (numbers or "1;1").split(";")
            self.line, self.column = int(line) - 1, int(column) - 1
        elif what == "J":
            self.cells = [[" "] * self.columns for _ in range(self.lines)]
        elif what in "hl" and numbers == "?1049":
            self.alternate = what == "h"
        elif what in "hl" and numbers == "?25":
            self.hidden = what == "l"
        elif what not in "mhl":
            raise AssertionError(f"not a sequence that is known here: {numbers}{what}")

    def screen(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def until(self, what, found):
        """Waits until `found` holds of the screen."""
        deadline = time.monotonic() + PATIENCE
        while not found(self.screen()):
            assert self.process.poll() is None, f"ended with {self.process.returncode} before {what}:\n{self.screen()}"
            assert time.monotonic() < deadline, f"never: {what}\n{self.screen()}"
            self.read(0.1)
        return self.screen()

    def shows(self, words):
        return self.until(f"it shows {words!r}", lambda screen: words in screen)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def ended(self):
        """Waits for the end of the program, and for all that it wrote. Returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen()}"
            self.read(0.1)
        self.take_rest()
        return self.process.returncode

    def take_rest(self):
        """Reads what was written so far."""
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)

    def is_given_back(self):
        assert termios.tcgetattr(self.slave) == self.before, "the terminal's settings are not what they were"
        assert not self.alternate, "the alternate screen is still shown"
        assert not self.hidden, "the cursor is still hidden"

    def close(self):
        """As when its window is closed."""
        os.close(self.slave)
        os.close(self.master)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
