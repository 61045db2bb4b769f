"""How each model family is wrapped for export, by the `model_type` of its `config.json`.

A family is a module with `graphs(model) -> list[Graph]`: the vision encoder, the embedding and the decoder; and, where it is not
the plain one of `families/host.py`, the `Host` with which `parity.py` runs them. To add one, write `families/<model_type>.py`
from the pieces of `families/graphs.py`, and name it here.
"""

from . import gemma3
from . import idefics3
from . import internvl
from . import llava
from . import llava_next
from . import llava_onevision
from . import paligemma
from . import phi3_v
from . import phi4mm
from . import qwen2_5_vl
from . import qwen2_vl
from . import qwen3_vl
from . import smolvlm

FAMILIES = {
    "gemma3": gemma3,
    "idefics3": idefics3,
    "internvl": internvl,
    "llava": llava,
    "llava_next": llava_next,
    "llava_onevision": llava_onevision,
    "paligemma": paligemma,
    "phi3_v": phi3_v,
    "phi4mm": phi4mm,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen2_vl": qwen2_vl,
    "qwen3_vl": qwen3_vl,
    "smolvlm": smolvlm,
}
