"""What the lab makes only when asked: programs, and the image that scans for SBOMs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

DOCKERFILE = """ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
FROM alpine
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY go.mod /app/
"""


def test_programs(cosign: Path, syft: Path) -> None:
    for program in (cosign, syft):
        subprocess.run([program, "version"], check=True, stdout=subprocess.DEVNULL)


def test_a_build_gets_sboms(builder: str, scanner: str, environment: dict[str, str], project: Path) -> None:
    """Of the image, and of the build context, which BuildKit passes as something extra."""
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / "go.mod").write_text("module m\n\nrequire github.com/go-chi/chi/v5 v5.2.1\n")
    out = project / "out"
    command = ["docker", "buildx", "build", "--builder", builder, "--sbom=true", "--output", str(out), str(project)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert scanner in done.stderr
    sboms = {file.name: json.loads(file.read_text()) for file in out.glob("*.spdx.json")}
    assert sorted(sboms) == ["sbom-context.spdx.json", "sbom.spdx.json"]
    for sbom in sboms.values():
        assert sbom["predicateType"] == "https://spdx.dev/Document"
        assert any("go-chi" in package["name"] for package in sbom["predicate"]["packages"])
