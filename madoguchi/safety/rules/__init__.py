"""Decisions of the safe counter: the graded response, the judgement and the measures after it."""
