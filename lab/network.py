"""The lab's own bridge, address pool and packet rules, so that labs and an installed Docker never touch each other.

dockerd runs with ``--iptables=false``: its chains have fixed names, and a second daemon would empty the first one's.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import LabError, run
from .debian import search_path

if TYPE_CHECKING:
    from collections.abc import Iterable

# Private (RFC 1918) and seldom used: 10.190.0.0/16 to 10.253.0.0/16, one /16 a lab.
POOLS = tuple(f"10.{second}.0.0/16" for second in range(190, 254))


def bridge_name(identity: str) -> str:
    """Return the bridge's name; an interface name has at most 15 characters."""
    return f"cibk-{identity}"


def free_pool(identity: str, used: Iterable[str]) -> str:
    """Return a pool that overlaps none of the ``used`` networks; labs begin their search at different places."""
    taken = [ipaddress.ip_network(one, strict=False) for one in used]
    first = int(identity, 16) % len(POOLS)
    for pool in (*POOLS[first:], *POOLS[:first]):
        network = ipaddress.ip_network(pool)
        if not any(network.version == one.version and network.overlaps(one) for one in taken):
            return pool
    raise LabError(
        what="no free address range for the lab",
        why=f"all of {POOLS[0]} to {POOLS[-1]} is in use",
        then="free one of them",
    )


def used_networks() -> list[str]:
    """Return every IPv4 network that has a route on this machine."""
    routes = json.loads(_ip("-json", "-4", "route", "show", "table", "all") or "[]")
    return [
        route["dst"] for route in routes if re.match(r"\d+\.", route.get("dst", "")) and route["dst"] != "0.0.0.0/0"
    ]


def daemon_settings(pool: str) -> dict[str, Any]:
    """Return dockerd's address settings: the pool's upper half is for networks that users create."""
    upper = list(ipaddress.ip_network(pool).subnets(prefixlen_diff=1))[1]
    return {"default-address-pools": [{"base": str(upper), "size": 24}]}


def up(bridge: str, pool: str) -> None:
    """Create the bridge and the rules that let its containers out.

    Raises LabError when the kernel or missing rights forbid it.
    """
    address = next(ipaddress.ip_network(pool).hosts())
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{address}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for table, chain, rule in rules(pool):
            _iptables("-t", table, "-I", chain, *rule)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    except (LabError, OSError) as error:
        down(bridge, pool)
        raise LabError(
            what="cannot set up the lab's network",
            why=str(error),
            then="run on a machine (or privileged container) with bridges and iptables",
        ) from error


def rules(pool: str) -> list[tuple[str, str, list[str]]]:
    """Return the rules as (table, chain, rule): forward both ways, masquerade what leaves the pool."""
    return [
        ("filter", "FORWARD", ["-s", pool, "-j", "ACCEPT"]),
        ("filter", "FORWARD", ["-d", pool, "-j", "ACCEPT"]),
        ("nat", "POSTROUTING", ["-s", pool, "!", "-d", pool, "-j", "MASQUERADE"]),
    ]


def down(bridge: str, pool: str) -> None:
    """Remove the rules, the bridge, and the bridges of networks that containers left behind. Safe to repeat."""
    for table, chain, rule in rules(pool):
        # A call that was killed may have left a rule twice; -D fails when there is none left.
        with contextlib.suppress(LabError):
            while True:
                _iptables("-t", table, "-D", chain, *rule)
    for name in bridges_in(pool, bridge):
        with contextlib.suppress(LabError):
            _ip("link", "delete", name)


def bridges_in(pool: str, bridge: str) -> list[str]:
    """Return the lab's bridge and Docker's bridges (``br-...``) whose address lies in the pool."""
    network = ipaddress.ip_network(pool)
    found = []
    for link in json.loads(_ip("-json", "-4", "addr", "show") or "[]"):
        addresses = [ipaddress.ip_address(one["local"]) for one in link.get("addr_info", []) if "local" in one]
        if link["ifname"].startswith("br-") and any(one in network for one in addresses):
            found.append(link["ifname"])
    if Path("/sys/class/net", bridge).exists():
        found.append(bridge)
    return found


def _ip(*words: str) -> str:
    return run(["ip", *words], env={**os.environ, "PATH": search_path()})


def _iptables(*words: str) -> str:
    return run(["iptables", "--wait", "10", *words], env={**os.environ, "PATH": search_path()})
