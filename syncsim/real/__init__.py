"""The world of real processes.

Two sides that share only ``wire``: inside the program's processes are ``stage``, ``guard``,
``child``, ``gate`` and ``probes``; on our side ``launch``, ``interpreter``, ``account``, ``world``,
``monitor`` and ``kernel``.
"""
