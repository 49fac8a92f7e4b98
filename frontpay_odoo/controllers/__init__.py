from . import callback
from . import return_page
from . import customer_form
