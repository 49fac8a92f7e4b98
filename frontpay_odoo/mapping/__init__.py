from .invoice import channel_of, order_of
from .plan import plan_of
from .problem import Problem

__all__ = ["Problem", "channel_of", "order_of", "plan_of"]
