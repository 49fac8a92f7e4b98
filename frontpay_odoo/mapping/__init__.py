from .credit_note import has_line_ids, note_problems, refund_of
from .invoice import channel_of, customer_problems, order_of
from .problem import Problem

__all__ = [
    "Problem",
    "channel_of",
    "customer_problems",
    "has_line_ids",
    "note_problems",
    "order_of",
    "refund_of",
]
