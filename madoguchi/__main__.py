"""``python -m madoguchi``: the command line, which lives beside the configuration."""

import runpy

runpy.run_module("config.cli", run_name="__main__")
