# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""For tools that ask for a `setup.py`; the metadata is in `pyproject.toml`."""

from setuptools import setup


setup()
