"""Dispatch: which worker gets which job, which jobs each session holds, and who may report on them."""
