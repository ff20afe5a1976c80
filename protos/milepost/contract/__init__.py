"""What the contract says beside its messages: ``limits`` (the numbers of its bounds), ``reasons`` (why a call is
refused, by name) and ``status`` (the gRPC status that each reason travels with).
"""
