"""The meaning of synchronization: atoms, operations, states, schedules and the diagnosis.

Pure: values in, values out. No I/O, no clock, no threads; it imports nothing else of
syncsim and runs in any process.
"""
