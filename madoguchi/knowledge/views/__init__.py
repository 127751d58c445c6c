from madoguchi.knowledge.views.public import answer, faq, rate
from madoguchi.knowledge.views.staff import (
    approve,
    detail,
    draft,
    edit,
    faqs,
    propose,
    retire,
    send_back,
)

__all__ = [
    "answer",
    "approve",
    "detail",
    "draft",
    "edit",
    "faq",
    "faqs",
    "propose",
    "rate",
    "retire",
    "send_back",
]
