"""Decisions about what the office knows: publication, masking, ranking, tables, synonyms."""

from madoguchi.knowledge.rules.masking import Span, mask, mask_candidates
from madoguchi.knowledge.rules.publication import STATUS_LABELS, Status

__all__ = ["STATUS_LABELS", "Span", "Status", "mask", "mask_candidates"]
