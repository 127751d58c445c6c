"""madoguchi (窓口): the system with which a municipal office receives its citizens."""

__version__ = "0.1.0"
