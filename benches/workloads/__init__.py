"""What is asked when speed is measured: lists of prompts of published length, written once as files that everybody reads."""

from functools import partial

from . import conflict, rest

WORKLOADS = {
    "rest": partial(rest.export, suite="rest"),
    "rest-plus": partial(rest.export, suite="rest-plus"),
    "conflict": partial(conflict.export, suite="color-recognition"),
}
"""How each is written: functions of `crossmodal` (the program), `items` (questions, or groups of pictures) and `out` (a folder)."""
