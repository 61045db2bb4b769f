"""Multiple-choice questions as long as published ones, in MMLU's schema and as many as wanted.

The questions of `data/questions` fill a page of an inch and a half and have some twenty tokens. A bench wants the hundred of a usual
question, or else prompts are too short, and transcriptions end too soon. These are puzzles: who of four has which thing?
"""

import json
import random
from pathlib import Path

NAMES = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Irene",
    "Jacob",
    "Karen",
    "Louis",
    "Maria",
    "Nora",
    "Oscar",
    "Paula",
)
THINGS = ("lantern", "kettle", "umbrella", "telescope", "guitar", "blanket", "hammer", "compass", "camera", "basket", "ladder", "mirror")
PLACES = ("the harbor", "the old library", "the market square", "the railway station", "a small farm", "the science museum")
REASONS = (
    "it was lighter than it looked",
    "nobody else wanted it",
    "it had been a present",
    "it was needed in the evening",
    "a neighbor had asked for it",
)
OPENINGS = (
    "Four friends met at {place} on a cold morning in {month}. Each of them had brought one thing, and no two had brought the same.",
    "In {month} four students went on a trip to {place}. Every one of them carried a single object, all of them different.",
    "Four colleagues were photographed in front of {place} in {month}. Each is seen holding something else.",
)
MONTHS = ("January", "March", "April", "June", "September", "October", "November")


def question(number: int) -> dict:
    """The question of this number, the same on every machine: a row of MMLU."""
    draw = random.Random(number)
    people, things = draw.sample(NAMES, 4), draw.sample(THINGS, 4)
    asked = draw.randrange(4)
    opening = draw.choice(OPENINGS).format(place=draw.choice(PLACES), month=draw.choice(MONTHS))
    clues = [f"{person} came with the {thing}, because {draw.choice(REASONS)}." for person, thing in zip(people, things)]
    clues[asked] = f"{people[asked]} stood on the left and did not speak of it."
    draw.shuffle(clues)
    kept = " ".join(clues)
    stem = f"{opening} {kept} The last thing that was seen there was the {things[asked]}. Who had brought the {things[asked]}?"
    return {"question": stem, "subject": "logical_fallacies", "choices": people, "answer": asked}


def write(path: Path, count: int) -> None:
    """The first `count` questions as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(question(number)) + "\n" for number in range(count)), encoding="utf-8")
