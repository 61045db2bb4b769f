"""Seconds by stage."""

import time
from collections import Counter
from contextlib import contextmanager

import torch


class Stages:
    """Wall seconds in the vision encoder, in prefills and in decoding, one after another."""

    def __init__(self):
        self.seconds = Counter()
        self.running = []  # of modules: when each began, and the seconds of those watched inside it

    @contextmanager
    def timed(self, stage: str):
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - began

    def watch(self, module: torch.nn.Module, stage_of) -> None:
        """Times all calls of `module`, each under the stage that `stage_of` makes of its named arguments, less what of it is watched."""
        module.register_forward_pre_hook(lambda *_: self.running.append([time.perf_counter(), 0.0]))

        def ended(module, arguments, named, output):
            began, inside = self.running.pop()
            spent = time.perf_counter() - began
            self.seconds[stage_of(named)] += spent - inside
            if self.running:
                self.running[-1][1] += spent

        module.register_forward_hook(ended, with_kwargs=True)
