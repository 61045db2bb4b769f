"""SmolVLM: the graphs of Idefics 3; what differs is how its processor splits images."""

from .idefics3 import Host, graphs

__all__ = ["Host", "graphs"]
