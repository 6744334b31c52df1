"""Makes the distributions beside this file importable and discoverable, as ``pip install`` would."""

import configparser
import importlib
import pathlib
import shutil
import sys

import fixtures

HERE = pathlib.Path(__file__).parent


class Installed(fixtures.Fixture):
    """Installs distributions into a directory of its own; they are gone when the test is over.

    Each is a directory with a ``setup.cfg``, and could be given to pip as it is.  Doing what pip does with it takes
    a second each; here the few files that count are written.

    :param names: directories beside this file
    """

    def __init__(self, *names):
        super().__init__()
        self.names = names

    def _setUp(self):  # noqa: N802  (the name that fixtures wants)
        site = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        modules = [install(HERE / name, site) for name in self.names]
        sys.path.insert(0, str(site))
        self.addCleanup(importlib.invalidate_caches)
        self.addCleanup(sys.path.remove, str(site))
        for module in modules:
            self.addCleanup(sys.modules.pop, module, None)
        importlib.invalidate_caches()


def install(source, site):
    """Install one distribution.

    :param source: the directory with its ``setup.cfg``
    :param site: the directory to install into
    :returns: the name of its module
    """
    setup = configparser.ConfigParser()
    setup.read(source / "setup.cfg")
    name, version = setup["metadata"]["name"], setup["metadata"]["version"]
    module = setup["options"]["py_modules"]
    shutil.copy(source / f"{module}.py", site)
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = (f"[{group}]{lines}\n" for group, lines in setup["options.entry_points"].items())
    info.joinpath("entry_points.txt").write_text("\n".join(points))
    return module
