"""Typed readers for every environment variable; ``NAME_FILE`` may hold the path of a secret."""

from environs import FileAwareEnv

PREFIX = "MADOGUCHI_"
env = FileAwareEnv(prefix=PREFIX)
