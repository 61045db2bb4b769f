"""The wordings of the color recognition suite, read from `data/prompts/color-recognition.toml`, and the texts made of them.

A user turn is `[description] question command`, joined by single spaces, exactly as the evaluator presents it.
"""

import itertools
import tomllib
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROMPTS_FILE = REPOSITORY / "data" / "prompts" / "color-recognition.toml"


@dataclass(frozen=True)
class Prompts:
    question: str
    command: str
    shapes: tuple[str, ...]
    shapes_never_drawn: tuple[str, ...]
    bridges: tuple[str, ...]
    wordings: dict[int, tuple[str, ...]]
    """dt -> templates with {target}, {color}, {bridge}, {entity}."""
    entities: dict[str, tuple[str, ...]]
    """Color -> things that always have it. The keys, in file order, are the answers."""
    spellings: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path = PROMPTS_FILE) -> "Prompts":
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            question=raw["question"],
            command=raw["command"],
            shapes=tuple(raw["shapes"]),
            shapes_never_drawn=tuple(raw["shapes_never_drawn"]),
            bridges=tuple(raw["bridges"]),
            wordings={d["dt"]: tuple(d["wordings"]) for d in raw["descriptions"]},
            entities={a["name"]: tuple(a["entities"]) for a in raw["answers"]},
            spellings={a["name"]: tuple(a["spellings"]) for a in raw["answers"]},
        )

    @property
    def colors(self) -> tuple[str, ...]:
        return tuple(self.entities)

    def turn(self, target: str, description: str | None = None) -> str:
        """The text of a user turn that asks for the color of `target`."""
        parts = [description] if description else []
        return " ".join([*parts, self.question.format(target=target), self.command])

    def describe(self, rng, dt: int, target: str, color: str) -> str:
        """A random description of difficulty `dt` which states that `target` is `color`. `rng` is a numpy Generator."""
        return pick(rng, self.wordings[dt]).format(
            target=target, color=color, bridge=pick(rng, self.bridges), entity=pick(rng, self.entities[color])
        )

    def corpus(self):
        """Every wording with every target, color, bridge and entity, one text at a time: what the tokenizer is trained on."""
        for target in self.shapes + self.shapes_never_drawn:
            yield self.turn(target)
            for color, entities in self.entities.items():
                for bridge, entity in itertools.product(self.bridges, entities):
                    for template in itertools.chain(*self.wordings.values()):
                        yield self.turn(target, template.format(target=target, color=color, bridge=bridge, entity=entity))
        for spellings in self.spellings.values():
            for spelling in spellings:
                yield f" {spelling}"


def pick(rng, items):
    """One of `items`, uniformly."""
    return items[rng.integers(len(items))]
