"""Models of a few hundred kilobytes with random weights, one a family: the fixtures of the tests."""

from . import families, phi

BUILDERS = {**families.BUILDERS, "phi3_v": phi.phi3_v, "phi4mm": phi.phi4mm}
