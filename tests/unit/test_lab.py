"""The embedded engine's pure parts: keys, names, messages, layers. No engine, no network."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import console, debian, emulation, environment, images, network, places, processes, registry, scanner, tools
from lab import mounts as lab_mounts
from lab.console import LabError
from lab.engine import Engine
from lab.layers import Image, Layer, LayerWriter
from lab.places import Places, Store, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).parents[2] / "lab" / "lab.py"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Places(tmp_path / "lab"))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as child:
        yield child
        child.kill()


class TestKeys:
    def test_parts_are_told_apart(self) -> None:
        assert digest("ab", "c") != digest("a", "bc")
        assert digest("a", b"b") == digest("a", "b")

    def test_a_file_counts_by_its_content(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one", tmp_path / "two"
        one.write_text("same")
        two.write_text("same")
        assert digest(one) == digest(two)

    @pytest.mark.parametrize("tool", tools.BY_NAME.values(), ids=lambda tool: tool.name)
    def test_every_tool_is_pinned(self, tool: tools.Tool) -> None:
        assert tool.version.startswith("v")
        assert f"{tool.module} {tool.version} h1:" in (tool.folder / "go.sum").read_text()
        assert "replace" not in (tool.folder / "go.mod").read_text()

    def test_a_tool_key_follows_what_defines_it(self) -> None:
        base = tools.BY_NAME["buildx"]
        other = tools.Tool(base.name, base.module, base.packages, base.version_variable, static_cgo=True)
        assert base.key == tools.Tool(base.name, base.module, base.packages, base.version_variable).key
        assert base.key != other.key

    def test_versions_reach_the_linker(self) -> None:
        assert "version.Version=v" in tools.BY_NAME["buildx"].flags[-1]
        assert "main.version=2" in tools.BY_NAME["golangci-lint"].flags[-1]
        assert "-extldflags -static" in tools.BY_NAME["runc"].flags[-1]

    def test_the_engine_does_not_wait_for_tools_on_demand(self) -> None:
        assert not {tool.name for tool in tools.TOOLS} & {tool.name for tool in tools.ON_DEMAND}

    def test_an_unknown_tool_is_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tools.main(["gotestsun"]) == console.EXIT_ENGINE
        assert "there is no tool 'gotestsun'" in capsys.readouterr().err

    def test_two_versions_of_the_linter(self) -> None:
        assert tools.BY_NAME["golangci-lint"].version != tools.BY_NAME["golangci-lint-previous"].version


class TestGo:
    def test_environment_hides_what_changes_the_output(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GOFLAGS", "-mod=mod")
        monkeypatch.setenv("GOARCH", "arm64")
        found = tools.go_environment()
        assert not {"GOFLAGS", "GOARCH"} & found.keys()
        assert (found["CGO_ENABLED"], found["GOWORK"]) == ("0", "off")

    def test_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(LabError, match=r"no go command on PATH\n  next: install Go"):
            tools.require_go()

    def test_too_old(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        program = tmp_path / "go"
        program.write_text("#!/bin/sh\necho go1.19.8\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(LabError, match=r"go1\.19\.8"):
            tools.require_go()


class TestStore:
    def test_an_output_is_made_once(self, store: Store) -> None:
        calls: list[Path] = []

        def make(work: Path) -> None:
            calls.append(work)
            (work / "file").write_text("x")

        first = store.ensure("tools", "x", "k" * 64, make)
        assert store.ensure("tools", "x", "k" * 64, make) == first
        assert len(calls) == 1
        assert (first / "file").read_text() == "x"

    def test_a_failed_output_leaves_nothing(self, store: Store) -> None:
        def make(work: Path) -> None:
            (work / "half").write_text("x")
            raise LabError("it broke", "test", "none")

        with pytest.raises(LabError):
            store.ensure("tools", "x", "k" * 64, make)
        assert not store.path("tools", "x", "k" * 64).exists()
        assert list(store.partial.iterdir()) == []

    def test_what_a_killed_call_left_is_swept(self, store: Store) -> None:
        (store.partial / "old" / "deep").mkdir(parents=True)
        store.sweep()
        assert not store.partial.exists()

    def test_only_what_nobody_used_for_long_is_pruned(self, store: Store) -> None:
        used = store.ensure("tools", "used", "k" * 64, lambda _work: None)
        old = store.ensure("tools", "old", "k" * 64, lambda _work: None)
        for output in (used, old):
            os.utime(output, (0, 0))
        store.ensure("tools", "used", "k" * 64, lambda _work: None)
        store.prune(30)
        assert used.exists()
        assert not old.exists()

    def test_no_space(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match=r"not enough disk space[\s\S]*GiB are free[\s\S]*XDG_CACHE_HOME"):
            places.require_space(tmp_path, 1 << 60)


class TestPlaces:
    def test_cache_home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert Places.of_user().cache == tmp_path / "ci-buildkit" / "lab"
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        assert Places.of_user().cache == Path.home() / ".cache" / "ci-buildkit" / "lab"

    def test_sockets_stay_short(self) -> None:
        near, far = Places(Path("/var/cache/x")), Places(Path("/") / ("long" * 30))
        assert near.sockets == near.run / "exec"
        assert far.sockets == Path("/run") / f"ci-buildkit-{far.identity}"

    def test_a_second_call_waits(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        place, order = Places(tmp_path), []

        def second() -> None:
            with place.locked():
                order.append("second")

        thread = threading.Thread(target=second)
        with place.locked():
            thread.start()
            while "waiting" not in capsys.readouterr().err:
                time.sleep(0.01)
            order.append("first")
        thread.join()
        assert order == ["first", "second"]

    def test_what_is_built_on_demand_keeps_nobody_from_the_engine(self, tmp_path: Path) -> None:
        place = Places(tmp_path)
        with place.locked("cosign"):
            left = Store(place, "cosign").partial / "half"
            left.mkdir(parents=True)
            with place.locked():
                Store(place).sweep()
            assert left.exists()
            Store(place, "cosign").sweep()
            assert not left.exists()

    def test_a_cache_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(LabError, match="set XDG_CACHE_HOME"), Places(tmp_path / "file" / "lab").locked():
            pass


class TestProcesses:
    def test_a_living_process_is_known_again(self, tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
        note = processes.PidFile(tmp_path / "pid")
        note.write(sleeper.pid)
        assert note.living() == sleeper.pid

    @pytest.mark.parametrize("changed", [{"started": 1}, {"executable": "/other"}, {"started": None}])
    def test_a_reused_pid_is_not_ours(
        self, tmp_path: Path, sleeper: subprocess.Popen[bytes], changed: dict[str, object]
    ) -> None:
        note = processes.PidFile(tmp_path / "pid")
        note.write(sleeper.pid)
        note.path.write_text(json.dumps({**json.loads(note.path.read_text()), **changed}))
        assert note.living() is None
        processes.stop(note, 1)
        assert sleeper.poll() is None
        assert not note.path.exists()

    @pytest.mark.parametrize("content", ["", "12", "{}", '{"pid": "x"}', "[]", "null"])
    def test_a_damaged_note_is_no_process(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "pid").write_text(content)
        assert processes.PidFile(tmp_path / "pid").living() is None

    def test_stop_ends_even_what_ignores_sigterm(self, tmp_path: Path) -> None:
        note = processes.PidFile(tmp_path / "pid")
        code = (
            "import signal,time,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            note.write(child.pid)
            processes.stop(note, 0.2)
            assert processes.ended(child.pid)
            child.returncode = -9  # collected by stop

    def test_a_zombie_has_ended(self) -> None:
        with subprocess.Popen(["true"]) as child:
            while processes.started(child.pid) is not None:
                time.sleep(0.01)
        assert processes.started(1 << 22) is None


class TestMounts:
    LINES = (
        "1 0 8:1 / / rw - ext4 /dev/x rw\n"
        "2 1 0:1 / /c/run/data rw - overlay overlay rw\n"
        "3 2 0:2 / /c/run/data/a\\040b rw - tmpfs tmpfs rw\n"
        "4 1 0:3 / /c/run/data-of-another rw - tmpfs tmpfs rw\n"
    )

    def test_newest_first_and_only_below(self) -> None:
        assert lab_mounts.mounts_below(Path("/c/run/data"), self.LINES) == ["/c/run/data/a b", "/c/run/data"]


class TestNetwork:
    def test_the_pool_is_free(self) -> None:
        assert network.free_pool("00000000", []) == "10.190.0.0/16"
        assert network.free_pool("00000000", ["10.190.7.0/24", "10.191.0.1"]) == "10.192.0.0/16"

    def test_labs_begin_at_different_places(self) -> None:
        assert network.free_pool("00000003", []) != network.free_pool("00000004", [])

    def test_no_pool_left(self) -> None:
        with pytest.raises(LabError, match="no free address range"):
            network.free_pool("00000000", ["10.0.0.0/8"])

    def test_names_fit_the_kernel(self) -> None:
        assert len(network.bridge_name(Places(Path("/x")).identity)) <= 15

    def test_users_networks_are_in_the_pool(self) -> None:
        assert network.daemon_settings("10.200.0.0/16")["default-address-pools"] == [
            {"base": "10.200.128.0/17", "size": 24}
        ]


class TestEngine:
    def test_settings_share_nothing_with_the_machine(self, tmp_path: Path) -> None:
        one, two = (Engine(Places(tmp_path / name)) for name in ("one", "two"))
        first, second = one.settings("10.190.0.0/16", 1), two.settings("10.191.0.0/16", 2)
        for own in ("data-root", "exec-root", "hosts", "pidfile", "bridge", "default-address-pools"):
            assert first[own] != second[own]
        assert first["iptables"] is False

    def test_no_daemon_answers(self, tmp_path: Path) -> None:
        assert not Engine(Places(tmp_path)).healthy()


class TestRegistry:
    def test_a_taken_port(self) -> None:
        with socket.socket() as other:
            other.bind((registry.HOST, 0))
            other.listen()
            port = str(other.getsockname()[1])
            with pytest.raises(LabError, match=rf"port {port} [\s\S]*another program listens there"):
                registry.choose_port(port)

    @pytest.mark.parametrize("text", ["http", "0", "65536", "-1"])
    def test_no_port(self, text: str) -> None:
        with pytest.raises(LabError, match="is no port"):
            registry.choose_port(text)

    def test_the_port_before_is_kept_while_it_is_free(self) -> None:
        before = registry.choose_port("")
        assert registry.choose_port("", before) == before
        with socket.socket() as other:
            other.bind((registry.HOST, before))
            other.listen()
            assert registry.choose_port("", before) not in {0, before}


class TestEmulation:
    ARM64 = emulation.PROCESSORS[1]
    ENTRY = "enabled\ninterpreter /usr/bin/qemu\nflags: {flags}\noffset 0\nmagic {magic}\nmask ff\n"

    def test_elf_header(self) -> None:
        assert self.ARM64.magic.replace("\\x", "") == "7f454c460201010000000000000000000200b700"
        assert self.ARM64.mask.replace("\\x", "") == "ffffffffffffff00fffffffffffffffffeffffff"

    @pytest.mark.parametrize(
        ("name", "flags", "state", "known"),
        [
            ("qemu-aarch64", "POCF", "enabled", True),
            ("qemu-aarch64", "OC", "enabled", False),
            ("qemu-aarch64", "F", "disabled", False),
            ("ci-buildkit-12345678-aarch64", "PF", "enabled", False),
        ],
    )
    def test_only_a_foreign_entry_that_works_in_containers_is_enough(
        self, name: str, flags: str, state: str, *, known: bool
    ) -> None:
        text = self.ENTRY.format(flags=flags, magic=self.ARM64.magic.replace("\\x", "")).replace("enabled", state)
        assert emulation.registered(self.ARM64, {name: text}) is known

    @pytest.mark.parametrize(("kernel", "flags"), [("5.10.0-9", "F"), ("5.12.1", "PF"), ("6.1.0", "PF"), ("odd", "F")])
    def test_flags(self, kernel: str, flags: str) -> None:
        assert emulation.flags(kernel) == flags


class TestImages:
    def test_tags_of_go(self) -> None:
        tags = images.go_tags(images.GO_VERSIONS[0])
        assert {"1.26-alpine", "1.26", "latest", "alpine", f"{tools.GO_VERSION}-alpine", "1.26-alpine3.22"} <= set(tags)
        assert "latest" not in images.go_tags(images.GO_VERSIONS[1])
        assert "1.25-alpine" in images.go_tags(images.GO_VERSIONS[1])

    @pytest.mark.parametrize(
        ("path", "left_out"),
        [
            ("test/x.go", True),
            ("src/go/testdata/a", True),
            ("src/a/b_test.go", True),
            ("src/testing/testing.go", False),
            ("bin/go", False),
            ("src/cmd/go/internal/test/test.go", False),
        ],
    )
    def test_what_of_go_is_left_out(self, path: str, *, left_out: bool) -> None:
        assert bool(images.NOT_IN_IMAGE.search(path)) is left_out

    def test_a_layer_is_the_same_each_time(self, tmp_path: Path) -> None:
        source = tmp_path / "source"
        (source / "bin").mkdir(parents=True)
        (source / "bin" / "tool").write_text("x")
        (source / "link").symlink_to("bin/tool")
        (source / "skipped").touch()

        def write(layer: LayerWriter) -> None:
            layer.tree(
                source, "opt/x", skip=lambda path: path == "skipped", executable=lambda path: path.startswith("bin/")
            )
            layer.text("etc/passwd", "root\n")

        found = []
        for name in ("one", "two"):
            blob, facts = Layer("x", digest("x"), write).blob(Store(Places(tmp_path / name)))
            found.append(facts)
            with tarfile.open(blob) as archive:
                entries = {entry.name: entry for entry in archive.getmembers()}
            (source / "bin" / "tool").touch()
        assert found[0] == found[1]
        assert list(entries) == ["opt", "opt/x", "opt/x/link", "opt/x/bin", "opt/x/bin/tool", "etc", "etc/passwd"]
        assert entries["opt/x/bin/tool"].mode == 0o755
        assert {entry.uid for entry in entries.values()} == {0}

    def test_layout_of_several_platforms(self, store: Store) -> None:
        layer = Layer("l", digest("l"), lambda one: one.text("a", "b"))
        image = Image("library/x", ("1",), {"linux/amd64": [layer], "linux/arm/v7": [layer]}, {"Cmd": ["a"]})
        layout = image.layout(store)
        blobs = layout / "blobs" / "sha256"
        for blob in blobs.iterdir():
            assert blob.name == hashlib_sha256(blob)
        top = json.loads((layout / "index.json").read_text())["manifests"][0]
        index = json.loads((blobs / top["digest"][7:]).read_text())
        assert [one["platform"] for one in index["manifests"]] == [
            {"os": "linux", "architecture": "amd64"},
            {"os": "linux", "architecture": "arm", "variant": "v7"},
        ]

    def test_the_scanner_is_no_image_of_the_engine(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(images, "ca_bundle", lambda: LAB)
        found = scanner.image(store)
        assert found.name not in {image.name for image in images.table(store)}
        assert (found.tags[0], list(found.layers)) == ("stable-1", [f"linux/{debian.native()}"])
        assert not store.root.exists(), "nothing is built before it is asked for"


def hashlib_sha256(path: Path) -> str:
    return subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]


class TestEnvironment:
    def test_the_shell_reads_back_what_was_written(self, tmp_path: Path) -> None:
        odd = {"DOCKER_HOST": "unix:///a b/$HOME'\"`x`.sock", "EMPTY": ""}
        environment.write(tmp_path, environment.lines(odd, tmp_path / "b in"), {"engine": "lab"})
        script = f'. {shlex.quote(str(tmp_path))}/.lab/env && printf "%s|%s|%s" "$DOCKER_HOST" "$EMPTY" "$PATH"'
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/bin"})
        assert done.stdout == f"{odd['DOCKER_HOST']}||{tmp_path}/b in:/bin"

    def test_buildkitd_knows_both_names_of_the_registry(self) -> None:
        text = environment.buildkitd_config(5000)
        assert '[registry."docker.io"]\n  mirrors = ["localhost:5000"]\n' in text
        assert '[registry."localhost:5000"]\n  http = true' in text
        assert '[registry."127.0.0.1:5000"]\n  http = true' in text

    def test_choice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(environment.CHOICE, raising=False)
        assert environment.choice() == "auto"
        monkeypatch.setenv(environment.CHOICE, "sometimes")
        with pytest.raises(LabError, match="auto, always, never"):
            environment.choice()

    def test_no_docker_command(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert environment.why_no_docker(tmp_path / "probed") == "there is no docker command on PATH"

    def test_docker_that_fails_tells_why(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        program = tmp_path / "docker"
        program.write_text("#!/bin/sh\necho first >&2; echo no daemon >&2; exit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        assert environment.why_no_docker(tmp_path / "probed").endswith("no daemon")

    def test_the_client_folder_is_made_and_mended(self, tmp_path: Path) -> None:
        plugin = tmp_path / "buildx"
        plugin.touch()
        link = tmp_path / "config" / "cli-plugins" / "docker-buildx"
        for _ in range(2):
            environment.prepare_client(tmp_path / "config", plugin)
            assert link.resolve() == plugin
            link.unlink()
            link.symlink_to("/gone")
        environment.prepare_client(tmp_path / "config", plugin)
        assert link.resolve() == plugin


class TestDebian:
    def test_a_machine_without_apt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda *_args, **_named: None)
        with pytest.raises(LabError, match=r"iptables iproute2|iproute2 iptables"):
            debian.require({"iptables": "iptables", "ip": "iproute2"})

    def test_another_processor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("platform.machine", lambda: "riscv64")
        with pytest.raises(LabError, match="riscv64"):
            debian.native()


class TestCommands:
    def test_a_failure_says_what_and_why(self) -> None:
        with pytest.raises(LabError, match=r"sh -c .* failed \(3\)\n  why:  broken"):
            console.run(["sh", "-c", "echo broken >&2; exit 3"])

    def test_a_missing_program(self) -> None:
        with pytest.raises(LabError, match="install no-such-program"):
            console.run(["no-such-program"])

    def test_too_slow(self) -> None:
        with pytest.raises(LabError, match="did not end"):
            console.run(["sleep", "60"], timeout=0.1)

    @pytest.mark.parametrize(
        ("setting", "part"), [("never", "this machine's Docker cannot be used"), ("maybe", "CI_BUILDKIT_LAB=maybe")]
    )
    def test_the_command_ends_with_a_message(self, tmp_path: Path, setting: str, part: str) -> None:
        nothing = tmp_path / "bin"
        nothing.mkdir()
        environ = {"PATH": str(nothing), "XDG_CACHE_HOME": str(tmp_path), "CI_BUILDKIT_LAB": setting}
        done = subprocess.run([sys.executable, LAB, "up"], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 4
        assert part in done.stderr
        assert "Traceback" not in done.stderr
        assert "next:" in done.stderr

    def test_down_and_status_without_a_lab(self, tmp_path: Path) -> None:
        copy = tmp_path / "checkout" / "lab"
        shutil.copytree(LAB.parent, copy, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
        down = subprocess.run([sys.executable, copy / "lab.py", "down"], env=environ, capture_output=True, check=False)
        status = subprocess.run(
            [sys.executable, copy / "lab.py", "status"], env=environ, capture_output=True, check=False
        )
        assert (down.returncode, status.returncode) == (0, 4)
