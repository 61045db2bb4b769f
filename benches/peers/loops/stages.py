"""Seconds by stage."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager

import torch


class Stages:
    """Wall seconds in the vision encoder, in prefills and in decoding, one after another. On a GPU, whose work is only queued when a
    call returns, a stage begins and ends when `synchronize` says that all is done."""

    def __init__(self, synchronize: Callable[[], None] = lambda: None):
        self.synchronize = synchronize
        self.seconds = Counter()
        self.running = []  # of modules: when each began, and the seconds of those watched inside it

    def now(self) -> float:
        self.synchronize()
        return time.perf_counter()

    @contextmanager
    def timed(self, stage: str):
        began = self.now()
        try:
            yield
        finally:
            self.seconds[stage] += self.now() - began

    def watch(self, module: torch.nn.Module, stage_of) -> None:
        """Times all calls of `module`, each under the stage that `stage_of` makes of its named arguments, less what of it is watched."""
        module.register_forward_pre_hook(lambda *_: self.running.append([self.now(), 0.0]))

        def ended(module, arguments, named, output):
            began, inside = self.running.pop()
            spent = self.now() - began
            self.seconds[stage_of(named)] += spent - inside
            if self.running:
                self.running[-1][1] += spent

        module.register_forward_hook(ended, with_kwargs=True)
