"""The application: joins capture, preprocess and uploader, and is what other programs import.

The names of ``__init__.pyi`` are loaded when they are used (SPEC 1): ``import facelight`` alone
loads no library. ``docs/api.md`` shows each of them at work.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
