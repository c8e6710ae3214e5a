"""The builder of a run, and a builder of its living machines in its place when some do not answer."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Sequence

from msgspec.structs import replace

from ci_buildkit.engine import builder as builders
from ci_buildkit.engine import machines
from ci_buildkit.engine.builder import PREFIX, RANDOM_BYTES, Builder
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.nodes import KUBERNETES, Node, create_words
from ci_buildkit.errors import CiBuildkitError, EngineError


class Fleet:
    """What builds run on. Safe to use from the threads of stages.

    buildx asks every machine of a builder as soon as one platform is fixed to none, and the first one for a target
    without platforms; a dead one fails the build after 20 s (docker/buildx build/resolver). So builds go to a builder of
    the living ones, with the same BuildKits behind it, and the user's own builder stays as it is.
    """

    def __init__(self, buildx: Buildx, whole: Builder) -> None:
        """`whole` is the builder as it was found at the start."""
        self._buildx = buildx
        self.whole = whole
        self.builder = whole
        self.lost: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._made: list[str] = []

    def without_dead(self) -> str:
        """Leave out the machines that did not answer at the start; what to say of them, "" without any.

        Raises EngineError where none is left, or docker refuses.
        """
        if not self.whole.dead:
            return ""
        said = builders.silent(self.whole.dead)
        if not self.whole.living:
            raise EngineError(said, hint="start BuildKit there, and check the endpoint and certificates")
        self._go_on_with(self.whole.living, said)
        return said

    def missing(self, used: Builder) -> str:
        """After a build on `used` broke: what to say of machines that have died since, "" where all that it had live.

        `builder` is another one then, if there are survivors. Raises EngineError where docker refuses.
        """
        with self._lock:
            if self.builder is not used:  # another stage has noticed
                return self.lost[-1]
            if used.driver == KUBERNETES:  # which replaces its pods itself
                return ""
            now = {found.name: found for found in self._look(used)}
            dead = [now.get(m.name, replace(m, status="it is gone")) for m in used.machines]
            dead = [m for m in dead if not m.alive]
            if not dead:
                return ""
            names = {m.name for m in dead}
            said = builders.silent(dead)
            if living := tuple(m for m in used.machines if m.name not in names):
                self._go_on_with(living, said)
            return said

    def uncovered(self, platforms: Sequence[str]) -> tuple[str, ...]:
        """The platforms of a stage that only lost machines could build; without platforms it is the builder's own."""
        wanted = platforms or self.home
        had = {p for m in self.whole.machines for p in m.platforms}
        return tuple(p for p in wanted if p in had and p not in self.builder.platforms)

    @property
    def home(self) -> tuple[str, ...]:
        """The platform of targets that name none: the first one of the first machine."""
        return self.whole.machines[0].platforms[:1] if self.whole.machines else ()

    @property
    def pinned(self) -> tuple[str, ...]:
        """The platform to give to targets that name none, where they would get another one than `home` now."""
        return () if self.builder.platforms[:1] == self.home else self.home

    def close(self) -> None:
        """Forget the builders that stood in; their machines stay."""
        for name in self._made:
            with contextlib.suppress(CiBuildkitError):
                self._buildx.call("buildx", "rm", "--force", "--keep-daemon", "--keep-state", name, shielded=True)

    def _look(self, used: Builder) -> tuple[Machine, ...]:
        """The machines as they are now; containers that only stopped run again."""
        try:
            found = builders.inspect(self._buildx, used.name)
        except EngineError:  # one does not boot
            return machines.read(self._buildx.call("buildx", "inspect", used.name))
        return found.machines if found else ()

    def _go_on_with(self, living: Sequence[Machine], said: str) -> None:
        name = PREFIX + secrets.token_hex(RANDOM_BYTES)
        self._made.append(name)
        lists = machines.assigned(living, {})
        for number, found in enumerate(living):
            # By the same name, it is the same container.
            node = Node(platforms=lists[found.name], endpoint=found.endpoint, options=found.options)
            words = create_words(self.whole.driver, name, node, append=number > 0, config=None)
            self._buildx.call("buildx", "create", "--node", found.name, *words)
        alive = tuple(replace(m, fixed=lists[m.name]) for m in living)
        self.builder = replace(self.whole, name=name, machines=alive)
        self.lost = (*self.lost, said)
