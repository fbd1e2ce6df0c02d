"""trustlib: the library under the Trust & Safety workbook.

Importing it does nothing and costs nothing: import the room that you need,
for example ``from trustlib import incidents``.
"""

__version__ = "0.1.0"
