from . import frontpay_handover
from . import frontpay_order
from . import frontpay_rate_limit
from . import frontpay_refund
