"""Package metadata; versions and dependencies are in pyproject.toml."""

from setuptools import find_packages, setup

setup(packages=find_packages(include=["app", "app.*"]))
