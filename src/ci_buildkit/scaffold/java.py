"""What a Java project is made of. Pure: a pom.xml is searched, not parsed, since it is not ours."""

from __future__ import annotations

import re

from msgspec import Struct

from ci_buildkit.scaffold.project import Project
from ci_buildkit.scaffold.tree import Tree

MARKERS = ("pom.xml", "build.gradle", "build.gradle.kts")
# The releases with long-term support, the newest last; a project may ask for one in between.
JAVA = 21
LONG = (8, 11, 17, 21, 25)
MAVEN, GRADLE = "3", "9"
IGNORED = ("**/target", "**/build", "**/.gradle")
_POM_VERSION = re.compile(r"<(?:maven\.compiler\.(?:release|target|source)|java\.version|release)>\s*(?:1\.)?(\d+)\s*<")
_GRADLE_VERSION = re.compile(
    r"(?:JavaLanguageVersion\.of\(|jvmToolchain\(|JavaVersion\.VERSION_|(?:source|target)Compatibility\s*=\s*[\"']?(?:1\.)?)(?:1_)?(\d+)"
)
# What makes a jar that `java -jar` starts.
_RUNS = re.compile(r"spring-boot-maven-plugin|<mainClass>|<Main-Class>|quarkus\.package\.jar\.type>uber-jar")


class Java(Struct, frozen=True):
    """What the template needs.

    `image` is the build's image, as `repository:tag`. `linter` is what `lint` runs, for people. `lint`, `test` and `build` are commands; `reports` is
    the folder that holds reports in each module, `jars` the one that holds what was built. `name` is what the program is
    called in the image, "" where none is made; `installed` says that it is a folder with `bin` and `lib`.
    """

    version: str
    image: str
    cache: str
    linter: str
    lint: str
    test: str
    build: str
    reports: str
    jars: str
    tests: bool
    name: str
    installed: bool
    several: bool


def find(tree: Tree) -> Project:
    """The Java project at the top of a tree."""
    facts = _maven(tree) if "pom.xml" in tree.files else _gradle(tree)
    said = [f"Java {facts.version}", "Maven" if "pom.xml" in tree.files else "Gradle", facts.linter]
    said += ["tests"] if facts.tests else []
    said += [f"starts {facts.name}"] if facts.name else []
    notes = [] if facts.tests else ["no src/test: there is no test stage"]
    notes += [] if facts.name else ["no single jar or program that starts: there is no stage for an image"]
    return Project("java", facts, tuple(said), tuple(notes), IGNORED, image=bool(facts.name))


def _java(text: str, tree: Tree, pattern: re.Pattern[str]) -> str:
    """The JDK: what a file names, else the first with long-term support that is new enough."""
    if named := re.search(r"\d+", tree.line(".java-version")):
        return named[0]
    asked = max(map(int, pattern.findall(text)), default=JAVA)
    return str(next((version for version in LONG if version >= asked), asked))


def _tests(tree: Tree) -> bool:
    return bool(tree.matching("src/test/*", "*/src/test/*"))


def _maven(tree: Tree) -> Java:
    pom = tree.text("pom.xml")
    version = _java(
        "\n".join(tree.texts.get(file, "") for file in tree.matching("pom.xml", "*/pom.xml")), tree, _POM_VERSION
    )
    wrapped = {"mvnw", ".mvn/wrapper/maven-wrapper.properties"} <= tree.files
    call = f"{'sh mvnw' if wrapped else 'mvn'} --batch-mode --no-transfer-progress"
    several = "<modules>" in pom
    artifact = re.search(
        r"<artifactId>\s*([\w.-]+)\s*</artifactId>", re.sub(r"<parent>.*?</parent>", "", pom, flags=re.DOTALL)
    )
    goals = [goal for plugin, goal in _MAVEN_LINTERS if plugin in pom]
    stamp = ' "-Drevision=${APP_VERSION#v}"' if "${revision}" in pom else ""
    return Java(
        version=version,
        image="eclipse-temurin:${JAVA_VERSION}-jdk" if wrapped else f"maven:{MAVEN}-eclipse-temurin-${{JAVA_VERSION}}",
        cache="/root/.m2",
        linter=", ".join(goal.split()[-1].partition(":")[0] for goal in goals) or "javac",
        lint=f"{call} {' '.join(goals)}" if goals else f"{call} -Dmaven.compiler.showWarnings=true test-compile",
        test=f"{call} --fail-at-end test",
        build=f"{call} -DskipTests{stamp} package",
        reports="surefire-reports",
        jars="target",
        tests=_tests(tree),
        name=artifact[1] if artifact and not several and _RUNS.search(pom) else "",
        installed=False,
        several=several,
    )


_MAVEN_LINTERS = (
    ("maven-checkstyle-plugin", "checkstyle:check"),
    ("spotless-maven-plugin", "spotless:check"),
    ("spotbugs-maven-plugin", "compile spotbugs:check"),
    ("maven-pmd-plugin", "pmd:check"),
)


def _gradle(tree: Tree) -> Java:
    files = tree.matching("*build.gradle", "*build.gradle.kts")
    text = "\n".join(tree.texts.get(file, "") for file in files)
    wrapped = "gradlew" in tree.files
    call = f"{'sh gradlew' if wrapped else 'gradle'} --no-daemon --console=plain"
    settings = tree.text("settings.gradle", "settings.gradle.kts")
    several = re.search(r"\binclude\b", settings) is not None
    named = re.search(r"rootProject\.name\s*=\s*[\"']([\w.-]+)", settings)
    boot = "org.springframework.boot" in text
    installed = not boot and re.search(r"\bapplication\b", text) is not None
    starts = (boot or installed) and not several and named is not None
    return Java(
        version=_java(text, tree, _GRADLE_VERSION),
        image="eclipse-temurin:${JAVA_VERSION}-jdk" if wrapped else f"gradle:{GRADLE}-jdk${{JAVA_VERSION}}",
        cache="/root/.gradle",
        linter="gradle check",
        # `check` without tests is what the build itself calls its checks.
        lint=f"{call} check --exclude-task test",
        test=f"{call} test --continue",
        build=f'{call} "-Pversion=${{APP_VERSION#v}}" {"installDist" if installed else "assemble"}',
        reports="test-results",
        jars="build/install" if installed else "build/libs",
        tests=_tests(tree),
        name=named[1] if named and starts else "",
        installed=installed,
        several=several,
    )
