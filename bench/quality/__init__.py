"""How right the gate is: figures on real faces with known degradations.

``python -m bench.quality`` runs all, ``python -m bench.quality blur`` one. Without the footage
beside the checkout (``../shared/data``) a bench is skipped and says so.
"""
