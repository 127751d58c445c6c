from django import template

from madoguchi.introduction import queries
from madoguchi.reception.rules.waiting import Range

register = template.Library()


@register.filter
def spread(number: Range, unit: str) -> str:
    """3〜7人"""
    return queries.spread_words(number, unit)
