"""Names of archives."""

from __future__ import annotations

import pytest

from ci_buildkit.artifacts import names
from ci_buildkit.errors import ConfigurationError

USUAL = "{name}_{version}_{os}_{arch}{variant}"


def named(template: str, *platforms: str, name: str = "app", version: str = "v1.2.3", target: str = "bin") -> list[str]:
    return list(names.archives(template, name, version, [(target, one) for one in platforms]).values())


@pytest.mark.parametrize(
    ("platform", "archive", "folder"),
    [
        ("linux/amd64", "app_1.2.3_linux_amd64.tar.gz", "linux_amd64"),
        ("linux/amd64/v1", "app_1.2.3_linux_amd64.tar.gz", "linux_amd64"),
        ("linux/amd64/v3", "app_1.2.3_linux_amd64v3.tar.gz", "linux_amd64_v3"),
        ("linux/arm64/v8", "app_1.2.3_linux_arm64.tar.gz", "linux_arm64"),
        ("linux/arm", "app_1.2.3_linux_armv7.tar.gz", "linux_arm_v7"),
        ("linux/arm/v6", "app_1.2.3_linux_armv6.tar.gz", "linux_arm_v6"),
        ("windows/amd64", "app_1.2.3_windows_amd64.zip", "windows_amd64"),
    ],
)
def test_the_usual_name_and_buildkit_s_folder(platform: str, archive: str, folder: str) -> None:
    assert named(USUAL, platform) == [archive]
    assert names.folder(platform) == folder


@pytest.mark.parametrize(
    ("template", "archive"),
    [
        ("{target}-{os}", "bin-linux.tar.gz"),
        ("{name}/../{version}", "app-..-1.2.3.tar.gz"),
        ("../../{name}", "-..-app.tar.gz".lstrip("-.")),
        ("-rf {name}", "rf-app.tar.gz"),
        ("{{{name}}}", "{app}.tar.gz"),
        ("fixed", "fixed.tar.gz"),
    ],
)
def test_a_template_of_one_s_own_gives_a_plain_file_name(template: str, archive: str) -> None:
    assert named(template, "linux/amd64") == [archive]


def test_what_is_filled_in_gives_a_plain_file_name_too() -> None:
    assert named(USUAL, "linux/amd64", name="a b\n/..\\c", version="feature/x+1") == [
        "a-b--..-c_feature-x+1_linux_amd64.tar.gz"
    ]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{name}_{arhc}", "unknown placeholder {arhc}"),
        ("{name.__class__}", "unknown placeholder {name.__class__}"),
        ("{name[0]}", "unknown placeholder {name[0]}"),
        ("{}", "unknown placeholder {}"),
        ("{name!r}", "unknown placeholder {name!r}"),
        ("{name:>99999999}", "unknown placeholder {name:>99999999}"),
        ("{name", "expected '}'"),
        ("name}", "Single '}'"),
    ],
)
def test_a_template_that_cannot_be_filled_in(template: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        names.check(template)
    assert said in caught.value.message
    assert "{variant}" in caught.value.hint


@pytest.mark.parametrize(("template", "said"), [("{variant}", "no name"), ("..", "no name"), ("x" * 201, "too long")])
def test_a_template_that_gives_no_name(template: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        named(template, "linux/amd64")


def test_two_platforms_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        named("{name}_{os}_{arch}", "linux/arm/v6", "linux/arm/v7")
    assert "linux/arm/v6 and linux/arm/v7 the same name app_linux_arm.tar.gz" in caught.value.message
    assert named("{name}_{arch}", "linux/amd64", "windows/amd64") == ["app_amd64.tar.gz", "app_amd64.zip"]
    assert named(USUAL, "linux/arm", "linux/arm/v7") == ["app_1.2.3_linux_armv7.tar.gz"]


def test_targets_share_a_platform_s_archive_unless_the_template_names_them() -> None:
    keys = [("one", "linux/amd64"), ("two", "linux/amd64")]
    assert set(names.archives(USUAL, "app", "v1", keys).values()) == {"app_1_linux_amd64.tar.gz"}
    assert not names.by_target(USUAL)
    assert set(names.archives("{target}", "app", "v1", keys).values()) == {"one.tar.gz", "two.tar.gz"}
    assert names.by_target("{target}")
    with pytest.raises(ConfigurationError, match="linux/amd64 of One and linux/amd64 of one the same name"):
        names.archives("{target}", "app", "v1", [("One", "linux/amd64"), ("one", "linux/amd64")])
