"""Failures that the office foresees, as opposed to bugs."""


class RuleBroken(Exception):
    """A rule of the office forbids the step; the text is Japanese and is shown on the form."""
