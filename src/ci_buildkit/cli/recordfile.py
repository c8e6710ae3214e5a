"""Reads the record of a run from its file."""

from __future__ import annotations

from pathlib import Path

from ci_buildkit.errors import OutputError
from ci_buildkit.record import SCHEMA, RunRecord

MAX_RECORD = 256 << 20  # bytes


def read(file: Path, hint: str) -> RunRecord:
    """The record. `hint` is the next step for a user whose file cannot be read.

    Raises:
        OutputError: it is missing or unreadable. What it holds is untrusted and not part of the message.
    """
    from pydantic import ValidationError

    try:
        if file.is_symlink() or file.stat().st_size > MAX_RECORD:
            raise OutputError(f"{file} is a link or larger than {MAX_RECORD >> 20} MiB", hint=hint)
        record = RunRecord.model_validate_json(file.read_bytes())
    except OSError as error:
        raise OutputError(f"there is no report that can be read: {file}: {error.strerror}", hint=hint) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise OutputError(f"{file} is no run record: {where}: {first['type']}", hint=hint) from None
    if record.schema_version != SCHEMA:
        raise OutputError(
            f"{file} has schema {record.schema_version}, this ci-buildkit knows {SCHEMA}",
            hint="use the ci-buildkit that ran the pipeline",
        )
    return record
