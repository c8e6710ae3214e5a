"""Reads the stock as JSON and prints what must be ordered."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

LOW = 5


def to_order(stock: Mapping[str, int], low: int = LOW) -> dict[str, int]:
    """Return how many of each item are missing until `low`, most urgent first."""
    missing = {item: low - count for item, count in stock.items() if count < low}
    return dict(sorted(missing.items(), key=lambda entry: (-entry[1], entry[0])))


def main() -> int:
    """Read from standard input; return 1 where something must be ordered, else 0."""
    orders = to_order(json.load(sys.stdin))
    for item, count in orders.items():
        print(f"{item}: order {count}")
    return 1 if orders else 0


if __name__ == "__main__":
    sys.exit(main())
