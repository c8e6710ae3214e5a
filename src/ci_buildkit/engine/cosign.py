"""The only module that knows cosign: images signed by digest, and what it signed verified."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from ci_buildkit.config import row
from ci_buildkit.engine.process import Cancellation, Ended, run
from ci_buildkit.engine.secrets import Mask
from ci_buildkit.errors import ConfigurationError, EngineError, OutputError

PASSWORD = "COSIGN_PASSWORD"  # noqa: S105 - the variable's name
KEYLESS = "keyless"
ATTRIBUTES = ("key", "tlog", "identity", "issuer")
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
# Where cosign finds a token without asking anybody (cosign pkg/providers): GitHub's, and any other CI's.
TOKENS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN")
# Without the transparency log cosign 3 is given which services sign along and whom to trust, none: it refuses
# `--tlog-upload=false`, and asks the network for both where they are not given (cosign cmd/cosign/cli/sign.go).
NO_SERVICES = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "rekorTlogConfig": {},
    "tsaConfig": {},
}
NO_ROOT = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}


class Signing(Struct, frozen=True):
    """How images are signed: with a key, or without one by who runs this (keyless).

    `tlog` says whether the signature goes into the transparency log. `identity` and `issuer` are what a keyless
    signature must be of; "" where GitHub's environment says it.
    """

    key: str = ""
    tlog: bool = True
    identity: str = ""
    issuer: str = ""

    def secrets(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """What nobody may read of it."""
        variables = [PASSWORD, *([self.key.removeprefix("env://")] if self.key.startswith("env://") else [])]
        return tuple(environ[name] for name in variables if environ.get(name))


def parse(text: str) -> Signing:
    """What `--sign` says: `keyless` or a key as cosign takes it, and attributes behind it: `cosign.key,tlog=false`.

    Raises ConfigurationError for anything else.
    """
    fields = row.fields(text, "--sign") or [""]
    pairs = [field.strip().partition("=") for field in fields]
    values = {name: value for name, equals, value in pairs if equals and name in ATTRIBUTES}
    first = fields[0].strip()
    plain = pairs[0][0] not in values
    wrong = [field for field, (name, _, _) in list(zip(fields, pairs, strict=True))[plain:] if name not in values]
    key = first if plain else values.get("key", "")
    keyless = key == KEYLESS
    unfit = {"tlog"} if keyless else {"identity", "issuer"}
    if wrong or not key or (plain and "key" in values) or values.get("tlog", "true") not in {"true", "false"}:
        raise ConfigurationError(
            f"--sign {text!r} is not understood",
            hint="write keyless, a key as cosign takes it (a file, env://VARIABLE, a KMS address), or KEY,tlog=false",
        )
    if unfit & values.keys() or bool(values.get("identity")) != bool(values.get("issuer")):
        raise ConfigurationError(
            f"--sign {text!r} cannot be: tlog is for signing with a key, identity and issuer together for keyless",
            hint="keyless signatures are in the transparency log always, as the certificates are",
        )
    tlog = values.get("tlog") != "false"
    return Signing("" if keyless else key, tlog, values.get("identity", ""), values.get("issuer", ""))


def check(signing: Signing, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError where images could not be signed later: no cosign, no key or password, no token."""
    if shutil.which("cosign", path=environ.get("PATH")) is None:
        raise ConfigurationError(
            "--sign needs cosign, which is not on PATH",
            hint="install it (on GitHub: uses: sigstore/cosign-installer), or leave --sign out",
        )
    if signing.key:
        with tempfile.TemporaryDirectory() as folder:
            Cosign(signing, environ, Cancellation()).public_key(Path(folder))
    elif not any(environ.get(name) for name in TOKENS):
        raise ConfigurationError(
            "--sign keyless needs a token that says who signs, and there is none",
            hint="on GitHub give the job `permissions: id-token: write`; elsewhere set SIGSTORE_ID_TOKEN",
        )
    else:
        expected_identity(signing, environ)


class Cosign:
    """Cosign 3 with one way of signing."""

    def __init__(self, signing: Signing, environ: Mapping[str, str], cancellation: Cancellation) -> None:
        """`environ` is cosign's environment: registry credentials as docker has them, the key's password."""
        self._signing = signing
        self._environ = environ
        self._cancellation = cancellation
        self._mask = Mask.of(signing.secrets(environ))

    def public_key(self, folder: Path) -> Path:
        """The public half of the key, written into a folder. Raises ConfigurationError where the key is of no use."""
        path = folder / "cosign.pub"
        ended = self._call("public-key", "--key", self._signing.key, "--outfile", str(path))
        if ended.returncode:
            missing = "" if PASSWORD in self._environ else f"; {PASSWORD} is not set"
            raise ConfigurationError(
                f"the key of --sign cannot be used: {_said(ended)}",
                hint=f"name a file, env://VARIABLE or a KMS address, and set {PASSWORD} where it has one{missing}",
            )
        return path

    @cached_property
    def _public_key(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            return self.public_key(Path(folder)).read_bytes()

    def sign(self, reference: str) -> None:
        """Sign NAME@DIGEST and, where it is an index, all that it names. Raises EngineError where cosign fails."""
        with tempfile.TemporaryDirectory() as folder:
            words = ["--key", self._signing.key] if self._signing.key else []
            if not self._signing.tlog:
                for flag, content in (("signing-config", NO_SERVICES), ("trusted-root", NO_ROOT)):
                    path = Path(folder) / flag
                    path.write_text(json.dumps(content), encoding="utf-8")
                    words += [f"--{flag}", str(path)]
            ended = self._call("sign", "--yes", "--recursive", *words, reference)
        if ended.returncode:
            raise EngineError(
                f"{reference} could not be signed: {_said(ended)}",
                hint="nothing has got its tags; run again once what cosign says is mended",
            )

    def verify(self, references: Sequence[str]) -> None:
        """Verify the signatures of images as whoever pulls them would.

        Raises OutputError where one is missing or wrong.
        """
        with tempfile.TemporaryDirectory() as folder:
            if self._signing.key:
                public = Path(folder, "public")
                public.write_bytes(self._public_key)
                words = ["--key", str(public)]
                words += [] if self._signing.tlog else ["--insecure-ignore-tlog"]
            else:
                words = expected_identity(self._signing, self._environ)
            ended = self._call("verify", *words, *references)
        if ended.returncode:
            raise OutputError(f"the signature of {references[0]} does not verify: {_said(ended)}")

    def _call(self, *words: str) -> Ended:
        ended = run(["cosign", *words], env=self._environ, cancellation=self._cancellation, on_line=lambda _: False)
        return Ended(ended.returncode, self._mask(ended.text))


def expected_identity(signing: Signing, environ: Mapping[str, str]) -> list[str]:
    """The flags of `cosign verify` that say who must have signed.

    On GitHub that is a workflow that ran for this commit of this repository. Its own address does not say it: under a
    reusable workflow the certificate's subject is that one's (Fulcio docs/oid-info.md).
    """
    if signing.identity:
        return ["--certificate-identity", signing.identity, "--certificate-oidc-issuer", signing.issuer]
    flags = {
        "--certificate-github-workflow-repository": "GITHUB_REPOSITORY",
        "--certificate-github-workflow-sha": "GITHUB_SHA",
        "--certificate-github-workflow-ref": "GITHUB_REF",
    }
    if not all(environ.get(name) for name in flags.values()):
        raise ConfigurationError(
            "--sign keyless cannot verify outside GitHub who signed",
            hint="say it: keyless,identity=SUBJECT,issuer=ADDRESS",
        )
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    words = [word for flag, name in flags.items() for word in (flag, environ[name])]
    return [
        *words,
        "--certificate-identity-regexp",
        f"^{re.escape(server)}/",
        "--certificate-oidc-issuer",
        GITHUB_ISSUER,
    ]


def _said(ended: Ended) -> str:
    errors = [said for line in ended.text.splitlines() if (said := line.partition("Error: ")[2])]
    return errors[0] if errors else "it ended without a message"
