"""Typed readers for every environment variable; ``NAME_FILE`` may hold the path of a secret."""

from environs import FileAwareEnv

env = FileAwareEnv(prefix="MADOGUCHI_")
