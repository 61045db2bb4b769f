"""How each model family is wrapped for export, by the `model_type` of its `config.json`.

A family is a module with `graphs(model) -> list[Graph]`: the vision encoder, the embedding and the decoder. To add one, write
`families/<model_type>.py` from the pieces of `families/graphs.py`, and name it here.
"""

from . import llava

FAMILIES = {"llava": llava}
