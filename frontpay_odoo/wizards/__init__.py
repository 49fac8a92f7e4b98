from . import frontpay_ask_customer
from . import frontpay_resolve
