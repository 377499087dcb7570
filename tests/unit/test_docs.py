"""The guides tell the truth: links lead somewhere, commands exist, code samples are taken from the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from services import errors

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines()]


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_sample_is_taken_from_the_code(page: Path) -> None:
    """Each line of a sample stands in a tracked Python file, white space aside."""
    code = {
        "".join(line.split("  #")[0].split())
        for file in tracked("*.py")
        if file.exists()
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    for block in blocks(page, "python"):
        for line in block.splitlines():
            bare = "".join(line.split("  #")[0].split())
            if len(bare) > 3 and not bare.startswith("#") and "…" not in bare and bare != "...":
                assert bare in code, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert named <= targets, named - targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_is_to_be_run_exists(page: Path) -> None:
    for name in re.findall(r"python3? -m ((?:scripts|local_workspace)[\w.]*)", page.read_text(encoding="utf-8")):
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


def test_every_integration_has_its_guide_of_the_same_name() -> None:
    for name in ("unity_catalog", "lakebase", "model_serving"):
        assert (ROOT / f"docs/{name}.md").exists()
        assert f"docs/{name}.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_guide_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if "://" not in target:
                waiting.append((page.parent / target.split("#")[0]).resolve())
    assert set(PAGES) <= seen, set(PAGES) - seen


def _kinds(kind: type[errors.LakefrontError]) -> set[type[errors.LakefrontError]]:
    return {kind}.union(*(_kinds(child) for child in kind.__subclasses__()))


def test_troubleshooting_names_every_service_error() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    for kind in _kinds(errors.LakefrontError):
        if kind.status in (401, 403, 503) and kind.__module__ == "services.errors" and kind is not errors.Unavailable:
            assert kind.error_code in text, kind.error_code


def test_the_repository_names_no_package_index_and_no_path_of_a_machine() -> None:
    forbidden = re.compile(r"pypi\.org|files\.pythonhosted|/work/|/root/")
    for file in tracked("*.py", "*.md", "*.txt", "*.toml", "*.yml", "*.yaml", "Makefile", "*.sh", "*.js", "*.css"):
        if file.exists() and file != Path(__file__):
            found = forbidden.search(file.read_text(encoding="utf-8"))
            assert found is None, f"{file.relative_to(ROOT)}: {found and found.group()}"
