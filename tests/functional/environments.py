"""A fresh virtual environment with esi-worker in it, and daemons that run there."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sysconfig
import tempfile
import unittest
import venv
from collections.abc import Mapping
from typing import Any

from tests.functional import deployment

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = ("esi_worker", "templates", "etc", "setup.cfg", "setup.py", "MANIFEST.in", "README.md")


class Environment:
    """A virtual environment of its own.

    Packages are built and installed by pip, so what counts is what is in them: files that were forgotten are not
    there, entry points are found as anywhere else.  Only the libraries that they need are borrowed from the
    environment that runs the tests: to fetch them all again would take minutes.
    """

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="esi-worker-venv-"))
        venv.create(self.folder / "venv", with_pip=True)
        self.bin = self.folder / "venv" / "bin"
        (site,) = (self.folder / "venv" / "lib").glob("python*/site-packages")
        site.joinpath("borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        # Python 3.11 brings an old setuptools along, which can't build a wheel by itself; the borrowed one can.
        self.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools")
        self.install(ROOT, *SOURCES)

    def install(self, source: pathlib.Path, *members: str) -> None:
        """Have pip build and install a package; from a copy, since building writes into the source.

        :param members: what belongs to it; all if none is named
        """
        copy = self.folder / "sources" / source.name
        copy.mkdir(parents=True)
        for each in [source / name for name in members] or sorted(source.iterdir()):
            if each.is_dir():
                shutil.copytree(each, copy / each.name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy(each, copy)
        quiet = ("--quiet", "--disable-pip-version-check")
        self.run("python", "-m", "pip", "install", *quiet, "--no-deps", "--no-build-isolation", str(copy))

    def run(self, program: str, *arguments: str, status: int = 0, folder: pathlib.Path | None = None) -> str:
        """Run a program of this environment.

        :param status: what it has to exit with
        :returns: what it wrote
        """
        found = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=folder or self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        if found.returncode != status:
            raise AssertionError(f"{program} {' '.join(arguments)} exited with {found.returncode}:\n{found.stdout}")
        return found.stdout

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class FreshDaemon(deployment.Daemon):
    """One ``esi-worker`` process of an environment."""

    def __init__(self, environment: Environment, config_file: pathlib.Path, log_file: pathlib.Path) -> None:
        self.log_file = log_file
        self._log = log_file.open("ab")
        self.process = subprocess.Popen(
            [str(environment.bin / "esi-worker"), "--config-file", str(config_file)],
            cwd=environment.folder,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )


class FreshDeployment(deployment.Deployment):
    """A deployment whose daemons and commands run in an environment of their own."""

    def __init__(self, environment: Environment, options: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        super().__init__(options=options)
        self.environment = environment

    def daemon(self, name: str = "daemon", endpoint: str = "", **options: Mapping[str, Any]) -> FreshDaemon:
        """Start one more daemon."""
        place = self.folder / f"{name}-{len(self._daemons)}"
        self.config_file = place.with_suffix(".conf")
        self.config_file.write_text(self._config(endpoint or self.etcd.endpoint, options))
        found = FreshDaemon(self.environment, self.config_file, place.with_suffix(".log"))
        self._daemons.append(found)
        return found

    def holding(self, text: str) -> list[str]:
        """The keys that hold a text."""
        return [entry.key for entry in self.store.list("/").entries if text in entry.key]

    def esictl(self, *arguments: str, status: int = 0) -> str:
        """Run esictl with the last daemon's configuration."""
        return self.environment.run("esictl", "--config-file", str(self.config_file), *arguments, status=status)


class FreshTest(unittest.TestCase):
    """A test with an environment for all its methods."""

    environment: Environment

    @classmethod
    def setUpClass(cls) -> None:
        cls.environment = Environment()
        cls.addClassCleanup(cls.environment.close)

    def deploy(self, **options: Mapping[str, Any]) -> FreshDeployment:
        """A started deployment that ends with the test."""
        found = FreshDeployment(self.environment, options)
        self.addCleanup(found.close)
        found.start()
        return found
