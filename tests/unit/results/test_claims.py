"""Every sample of a test-result format is claimed by its own reader and by no other, in the file and in a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.findings import read as findings
from ci_buildkit.lines import decode
from ci_buildkit.results import read
from ci_buildkit.scan import Head

DATA = Path(__file__).parents[2] / "data"
FORMATS = {reader.format for reader in read.READERS}
# Text of `go test` beside its events, in one folder.
FOLDERS = {"gotest": {"gotest", "gotext"}}
SAMPLES = sorted(file for folder in FORMATS for file in (DATA / folder).glob("*") if file.is_file())


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: str(file.relative_to(DATA)))
def test_one_reader_claims_a_sample(file: Path) -> None:
    data = file.read_bytes()
    head = Head(data[:65536], decode(data[:65536]))
    claimed = [reader.format for reader in read.READERS if reader.sniff(head)]
    assert len(claimed) == 1, claimed
    assert claimed[0] in FOLDERS.get(file.parent.name, {file.parent.name})
    assert not [reader.format for reader in findings.READERS if reader.sniff(head)]


@pytest.mark.parametrize(
    "file",
    sorted(file for file in (DATA / "findings").glob("**/*") if file.is_file()),
    ids=lambda file: str(file.relative_to(DATA)),
)
def test_no_reader_claims_findings(file: Path) -> None:
    data = file.read_bytes()
    head = Head(data[:65536], decode(data[:65536]))
    assert not [reader.format for reader in read.READERS if reader.sniff(head)]
