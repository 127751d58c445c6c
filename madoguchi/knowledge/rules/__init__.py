"""Decisions about what the office knows: publication, masking, ranking, tables, danger."""

from madoguchi.knowledge.rules.crisis import may_be_in_danger
from madoguchi.knowledge.rules.masking import Span, mask, mask_candidates
from madoguchi.knowledge.rules.publication import STATUS_LABELS, Status

__all__ = ["STATUS_LABELS", "Span", "Status", "mask", "mask_candidates", "may_be_in_danger"]
