"""What the contract says beside its messages: ``limits`` (the numbers of its bounds), ``reasons`` (why a call is
refused, by name), ``status`` (the gRPC status that each reason travels with) and ``spans`` (how lengths of time are
written). And what both sides keep on disk is ``private``.
"""
