from . import frontpay_resolve
