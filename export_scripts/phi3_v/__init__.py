"""Phi-3-vision and Phi-3.5-vision (`phi3_v`), which transformers does not have: the reference that the exported graphs are checked against.

Written after the remote code of the published checkpoints, whose weights load under their own names.
"""
