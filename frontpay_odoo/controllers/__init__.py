from . import callback
from . import portal
from . import return_page
from . import customer_form
