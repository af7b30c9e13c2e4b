"""A mail server for the tests, on a free port of 127.0.0.1.

Prints its port on a line of its own, then each message that it takes as one
JSON object. Ends when its standard input does.
"""
import argparse
import asyncio
import base64
import json
import ssl
import sys
import threading
import os

from aiosmtpd.smtp import SMTP, AuthResult

p = argparse.ArgumentParser()
p.add_argument("--cert")
p.add_argument("--key")
p.add_argument("--tls", choices=["none", "starttls", "require", "implicit"], default="none")
p.add_argument("--user")
p.add_argument("--password")
p.add_argument("--clear-auth", action="store_true", help="offer log-in without TLS as well")
p.add_argument("--only-login", action="store_true", help="offer LOGIN, not PLAIN")
p.add_argument("--refuse", action="append", default=[])
p.add_argument("--refuse-data")
p.add_argument("--echo-auth", action="store_true", help="repeat the password when refusing it")
a = p.parse_args()


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in a.refuse:
            return "550 5.1.1 <%s>: no such user here" % address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if a.refuse_data:
            return a.refuse_data
        say(json.dumps({
            "From": envelope.mail_from, "To": envelope.rcpt_tos, "Helo": session.host_name,
            "Text": base64.b64encode(envelope.original_content).decode(),
            "TLS": session.ssl is not None or a.tls == "implicit",
            "User": (session.auth_data or b"").decode() if session.authenticated else "",
        }))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    if data.login.decode() == a.user and data.password.decode() == a.password:
        return AuthResult(success=True, auth_data=data.login)
    if a.echo_auth:
        plain = base64.b64encode(b"\0" + data.login + b"\0" + data.password).decode()
        return AuthResult(success=False, handled=False,
                          message="535 bad password %s or %s" % (data.password.decode(), plain))
    return AuthResult(success=False, handled=False)


context = None
if a.cert:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(a.cert, a.key)


def protocol():
    return SMTP(
        Handler(), hostname="mail.example.org",
        tls_context=context if a.tls in ("starttls", "require") else None,
        require_starttls=a.tls == "require",
        authenticator=authenticate if a.user else None,
        auth_required=bool(a.user),
        auth_require_tls=bool(a.user) and a.tls != "implicit" and not a.clear_auth,
        auth_exclude_mechanism=["PLAIN"] if a.only_login else [],
    )


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if a.tls == "implicit" else None)
    say(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
asyncio.run(main())
