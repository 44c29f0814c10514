"""A mail server that keeps what it is sent, and a reader of it: https://aiosmtpd.aio-libs.org and Python's own `email`.

    mail_sink.py serve PORT FOLDER   takes mail, one file each in FOLDER, until it is killed
    mail_sink.py read FILE           says what a mail program sees of one, as JSON

The user `ccwatch` with the password `hunter2` must log in. A recipient's name is a wish: `nobody` is refused for good,
`later` once for now, and `full` when the letter has come.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Sink:
    def __init__(self, folder):
        self.folder = folder
        self.greylisted = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            return "550 5.1.1 no such user"
        if name == "later" and address not in self.greylisted:
            self.greylisted.add(address)
            return "451 4.7.1 greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        if any(address.startswith("full@") for address in envelope.rcpt_tos):
            return "552 5.2.2 mailbox full"
        number = len(list(self.folder.glob("*.eml"))) + 1
        # Under another name until it is whole.
        part = self.folder / f"{number}.part"
        part.write_bytes(envelope.content)
        part.rename(self.folder / f"{number}.eml")
        return f"250 2.0.0 kept as {number}"


def authenticate(server, session, envelope, mechanism, data):
    # Not handled: the refusal is aiosmtpd's to say.
    return AuthResult(success=(data.login, data.password) == (b"ccwatch", b"hunter2"), handled=False)


def serve(port, folder):
    controller = Controller(
        Sink(folder),
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    asyncio.new_event_loop().run_forever()


def read(file):
    letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    parts = list(letter.iter_parts())
    print(
        json.dumps(
            {
                "headers": {name: str(value) for name, value in letter.items()},
                "defects": [repr(defect) for part in [letter, *parts] for defect in part.defects],
                "types": [part.get_content_type() for part in parts],
                "text": letter.get_body(("plain",)).get_content(),
                "html": letter.get_body(("html",)).get_content(),
            }
        )
    )


match sys.argv[1:]:
    case ["serve", port, folder]:
        serve(int(port), pathlib.Path(folder))
    case ["read", file]:
        read(pathlib.Path(file))
    case _:
        sys.exit(__doc__)
