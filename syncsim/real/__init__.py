"""The world of real processes.

Two sides that share only ``wire``: inside the program's processes run ``stage``,
``instrument`` and ``gate``; on our side run ``world``, ``monitor`` and ``kernel``.
"""
