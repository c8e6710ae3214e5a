"""Machines of a farm on this one: buildkitd in network namespaces of their own, reached over mutual TLS.

Each node has a veth pair and a /30 of 10.77.0.0/16; certificates are openssl's. The lab's registry listens on
localhost only: two relays, one on each side, make it localhost in the namespace too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PORT = 1234
SECONDS = 20  # for a node to listen
RELAY = """
import socket, sys, threading
listen, target = ((h, int(p)) for h, _, p in (word.rpartition(":") for word in sys.argv[1:]))
def pump(a, b):
    try:
        while data := a.recv(1 << 16):
            b.sendall(data)
    except OSError:
        pass
    finally:
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
server = socket.create_server(listen)
while True:
    near, _ = server.accept()
    try:
        far = socket.create_connection(target)
    except OSError:
        near.close()
        continue
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


def sh(*words: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command to its end; its output. A failure shows what it said."""
    done = subprocess.run([str(w) for w in words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@dataclass
class Certificates:
    """An authority of our own, and EC certificates that it signed."""

    folder: Path

    def __post_init__(self) -> None:
        """Make the authority."""
        self.folder.mkdir(parents=True)
        self._key("ca")
        self._openssl("req -x509 -new -key ca-key.pem -days 2 -subj /CN=tests -out ca.pem")

    def path(self, name: str) -> Path:
        """The file of a certificate or, with `-key`, of its key."""
        return self.folder / f"{name}.pem"

    def issue(self, name: str, names: str, usage: str) -> None:
        """A certificate for `names`, in openssl's words (`IP:10.77.0.2,DNS:amd`), for clientAuth or serverAuth."""
        self._key(name)
        (self.folder / "extensions").write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\n")
        self._openssl(f"req -new -key {name}-key.pem -subj /CN={name} -out request")
        signed = "x509 -req -in request -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile extensions"
        self._openssl(f"{signed} -out {name}.pem")

    def _key(self, name: str) -> None:
        self._openssl(f"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}-key.pem")

    def _openssl(self, words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)


@dataclass
class Machine:
    """One node: a namespace with a buildkitd in it. `platforms` are those that its worker lists, its own first."""

    name: str
    octet: int
    folder: Path
    programs: Path
    certificates: Certificates
    platforms: Sequence[str]
    registry: str
    _own: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """The namespace; its name holds the process that made it."""
        return f"cibk-{os.getpid()}-{self.octet}"

    @property
    def address(self) -> str:
        """Its address."""
        return f"10.77.{self.octet}.2"

    @property
    def endpoint(self) -> str:
        """Where its buildkitd listens."""
        return f"tcp://{self.address}:{PORT}"

    def option(self, client: str = "client") -> str:
        """It as `--node` wants it, with the certificate of a client."""
        at = self.certificates.path
        keys = f"cacert={at('ca')},cert={at(client)},key={at(f'{client}-key')},servername={self.name}"
        return f"name={self.name},endpoint={self.endpoint},{keys}"

    def up(self) -> None:
        """Make the namespace and start what runs in it."""
        host, port = f"10.77.{self.octet}.1", self.registry.rpartition(":")[2]
        veth = f"cibk{self.octet}h", f"cibk{self.octet}n"
        sh("ip", "netns", "add", self.namespace)
        sh("ip", "link", "add", veth[0], "type", "veth", "peer", "name", veth[1], "netns", self.namespace)
        sh("ip", "addr", "add", f"{host}/30", "dev", veth[0])
        sh("ip", "link", "set", veth[0], "up")
        sh("ip", "-n", self.namespace, "addr", "add", f"{self.address}/30", "dev", veth[1])
        for link in (veth[1], "lo"):
            sh("ip", "-n", self.namespace, "link", "set", link, "up")
        self.certificates.issue(self.name, f"IP:{self.address},DNS:{self.name}", "serverAuth")
        self._start(sys.executable, "-c", RELAY, f"{host}:{port}", f"127.0.0.1:{port}")
        self._start(*self._inside, sys.executable, "-c", RELAY, f"127.0.0.1:{port}", f"{host}:{port}")
        self.start()

    def start(self) -> None:
        """Start its buildkitd and wait until it listens."""
        at, config = self.certificates.path, self.folder / "buildkitd.toml"
        flags = {
            "addr": self.endpoint,
            "root": self.folder / "root",
            "config": config,
            "oci-worker-net": "host",
            "tlscacert": at("ca"),
            "tlscert": at(self.name),
            "tlskey": at(f"{self.name}-key"),
        }
        words = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
        words += [word for platform in self.platforms for word in ("--oci-worker-platform", platform)]
        mirror = f'[registry."docker.io"]\nmirrors = ["{self.registry}"]\n'
        config.write_text(f'{mirror}[registry."{self.registry}"]\nhttp = true\n')
        # In namespaces of mounts and processes too: all that it started and mounted goes with it.
        alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        self._start(*self._inside, *alone, str(self.programs / "buildkitd"), *words)
        end = time.monotonic() + SECONDS
        while not sh(*self._inside, "ss", "-Hltn", f"sport = :{PORT}").strip():
            assert time.monotonic() < end, self.log
            time.sleep(0.05)

    @property
    def log(self) -> str:
        """What its processes have said."""
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """End its buildkitd and the steps that run there at once, as where a machine loses its power."""
        daemon = self._own.pop()
        daemon.kill()
        daemon.wait()

    def down(self) -> None:
        """Remove every trace."""
        for process in reversed(self._own):
            process.kill()
            process.wait()
        sh("ip", "netns", "delete", self.namespace)  # the veth pair goes with it

    @property
    def _inside(self) -> tuple[str, ...]:
        """Not `ip netns exec`: it mounts a /sys without cgroups, and runc needs them."""
        return ("nsenter", f"--net=/run/netns/{self.namespace}")

    def _start(self, *words: str) -> None:
        self.folder.mkdir(exist_ok=True)
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"}  # buildkitd looks for runc there
        with (self.folder / "log").open("ab") as out:
            process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self._own.append(process)


def programs(environment: Mapping[str, str], folder: Path) -> Path:
    """buildkitd and its runc, out of the image of BuildKit that builders have."""
    image = environment.get("CI_BUILDKIT_BUILDER_IMAGE", "moby/buildkit:buildx-stable-1")
    container = sh("docker", "create", image, env=environment).strip()
    try:
        folder.mkdir()
        for name in ("buildkitd", "buildkit-runc"):
            sh("docker", "cp", "--follow-link", f"{container}:/usr/bin/{name}", folder / name, env=environment)
    finally:
        sh("docker", "rm", container, env=environment)
    return folder


@contextlib.contextmanager
def farm(environment: Mapping[str, str], folder: Path, **nodes: Sequence[str]) -> Iterator[dict[str, Machine]]:
    """Machines by name; each keyword is one, with the platforms that it lists."""
    certificates = Certificates(folder / "certificates")
    certificates.issue("client", "DNS:client", "clientAuth")
    found = programs(environment, folder / "programs")
    registry = environment.get("CI_BUILDKIT_LAB_REGISTRY", "localhost:5000")
    machines: dict[str, Machine] = {}
    with contextlib.ExitStack() as stack:
        for name, octet in zip(nodes, free(len(nodes)), strict=True):
            machine = Machine(name, octet, folder / name, found, certificates, nodes[name], registry)
            machines[name] = machine
            stack.callback(machine.down)
            machine.up()
        yield machines
    shutil.rmtree(folder, ignore_errors=True)


def free(number: int) -> list[int]:
    """Octets of 10.77.N.0/30 that no interface of this machine has; processes begin at different ones."""
    taken = sh("ip", "-o", "-4", "addr")
    order = [(os.getpid() * 7 + n) % 250 + 1 for n in range(250)]
    return [octet for octet in order if f" 10.77.{octet}." not in taken][:number]
