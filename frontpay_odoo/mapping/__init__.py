from .invoice import order_of
from .problem import Problem

__all__ = ["Problem", "order_of"]
