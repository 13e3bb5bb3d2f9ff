"""Exempts from collection what has been imported so far, in the process that servers are forked from.

Imported last there, it saves each server a look at all that is imported, which would also copy those pages of memory.
"""

import gc

gc.collect()
gc.freeze()
