"""Sphinx: ``tox -e docs``."""

import importlib.metadata

project = "esi-worker"
version = release = importlib.metadata.version("esi-worker")
extensions = ["sphinx.ext.autodoc", "oslo_config.sphinxext"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "esi-worker"
html_copy_source = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
# The docstrings say what a value means, the signature says its type.
autodoc_typehints_description_target = "documented_params"
