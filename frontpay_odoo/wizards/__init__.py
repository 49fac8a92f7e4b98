from . import frontpay_ask_customer
from . import frontpay_cancel
from . import frontpay_resend
from . import frontpay_resolve
