"""Why a node of the remote driver does not answer: buildx says no more than that it waited in vain."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ci_buildkit.engine.machines import Machine

if TYPE_CHECKING:
    import ssl

SECONDS = 5.0
# What an HTTP/2 client says first (RFC 9113, section 3.4). With TLS 1.3 a server judges the client's certificate after
# the client's handshake has ended, so that only what comes next shows the verdict.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"


def reason(machine: Machine, seconds: float = SECONDS) -> str:
    """Why it does not answer, as far as dialling it shows; what buildx said of it where that shows nothing.

    Takes `seconds` at most for each of its steps.
    """
    try:
        address = urlsplit(machine.endpoint)
        host, port = address.hostname, address.port
    except ValueError as error:
        return str(error).lower()
    if address.scheme != "tcp" or not host:
        return machine.error or machine.status or "it does not answer"
    try:
        with socket.create_connection((host, port or 0), seconds) as plain:
            return _greeted(machine, plain, host)
    except TimeoutError:
        return f"nobody answered within {seconds:g} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _greeted(machine: Machine, plain: socket.socket, host: str) -> str:
    """What comes of saying hello to a server that listens."""
    options = machine.options
    if "cacert" not in options:
        plain.sendall(PREFACE)
        return (
            "it listens, but BuildKit does not answer"
            if plain.recv(1)
            else "it ended the connection; does it want TLS?"
        )
    import ssl

    try:
        context = _context(options["cacert"], options.get("cert"), options.get("key"))
    except (OSError, ssl.SSLError) as error:
        return f"the certificates cannot be used: {error}"
    try:
        with context.wrap_socket(plain, server_hostname=options.get("servername") or host) as encrypted:
            encrypted.sendall(PREFACE)
            answered = bool(encrypted.recv(1))
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not the expected one: {error.verify_message}"
    except ssl.SSLError as error:
        return f"it refuses the client certificate: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return "it listens, but BuildKit does not answer" if answered else "it ended the connection"


def _context(cacert: str, cert: str | None, key: str | None) -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context(cafile=cacert)
    context.set_alpn_protocols(["h2"])
    if cert:
        context.load_cert_chain(cert, key)
    return context
