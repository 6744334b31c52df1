"""All is declared in setup.cfg, except what needs a look at the tree: the files beside the package."""

import os

import setuptools


def data_files(source, target):
    """Where the files of a directory go, below the prefix that is installed into.

    :param source: the directory
    :param target: the directory under the prefix
    :returns: pairs of a directory and the files in it, as setuptools wants them
    """
    for directory, _, names in os.walk(source):
        place = os.path.normpath(os.path.join(target, os.path.relpath(directory, source)))
        yield place, [os.path.join(directory, name) for name in sorted(names)]


setuptools.setup(
    data_files=[
        *data_files("templates", "share/esi-worker/templates"),
        ("share/esi-worker", ["etc/esi-worker/esi-worker.conf.sample"]),
    ]
)
