from .credit_note import has_line_ids, note_problems, refund_of
from .invoice import channel_of, order_of
from .plan import plan_of
from .problem import Problem

__all__ = [
    "Problem",
    "channel_of",
    "has_line_ids",
    "note_problems",
    "order_of",
    "plan_of",
    "refund_of",
]
