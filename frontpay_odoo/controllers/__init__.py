from . import callback
from . import return_page
