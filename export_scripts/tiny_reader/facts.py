"""What the tiny reader knows: a closed set of stems with one right option each, the word problems and the systems of equations.

Contents for training are drawn from here. The shipped questions (`data/questions`) are made of the same facts in other
combinations: their exact contents are never drawn (`Author` in `contents.py` leaves them out).
"""

from dataclasses import dataclass
from functools import cache

LETTERS = ("A", "B", "C", "D")
LARGEST = 19
"""Largest number in a question or an answer."""


@dataclass(frozen=True)
class Fact:
    """One stem, its answer, and the options that are wrong."""

    stem: str
    answer: str
    wrong: tuple[str, ...]


COLORS = {
    "green": ("grass", "a frog"),
    "white": ("snow", "milk", "salt"),
    "red": ("blood", "a tomato"),
    "black": ("coal",),
    "blue": ("the sky",),
    "yellow": ("a banana", "a lemon", "the sun"),
    "orange": ("a carrot",),
    "brown": ("chocolate",),
}
LEGS = {
    "0": ("a fish", "a snake", "a worm"),
    "2": ("a bird", "a duck", "an owl"),
    "4": ("a cow", "a dog", "a cat", "a horse", "a frog"),
    "6": ("a bee", "an ant", "a wasp"),
    "8": ("a spider",),
}
SOUNDS = {"moo": "cow", "meow": "cat", "woof": "dog", "quack": "duck", "oink": "pig", "baa": "sheep", "neigh": "horse"}
YOUNG = {"cat": "kitten", "dog": "puppy", "cow": "calf", "sheep": "lamb", "horse": "foal", "hen": "chick", "bear": "cub"}
GIVES = {"bees": "honey", "cows": "milk", "hens": "eggs", "sheep": "wool", "trees": "wood"}
MADE_OF = {"a window": "glass", "a tire": "rubber", "a book": "paper", "a coin": "metal", "a brick": "clay", "a shirt": "cotton"}
SENSES = {"see": "eyes", "hear": "ears", "smell": "nose", "taste": "tongue", "think": "brain", "walk": "legs", "chew": "teeth"}
KINDS = {
    "a bird": ("hen", "duck", "owl", "eagle"),
    "a fish": ("shark", "salmon", "tuna", "cod"),
    "an insect": ("ant", "bee", "wasp", "fly"),
    "a fruit": ("apple", "banana", "pear", "plum"),
    "a metal": ("iron", "gold", "copper", "silver"),
    "a planet": ("Mars", "Venus", "Saturn", "Earth"),
    "a tool": ("hammer", "saw", "drill", "axe"),
    "a mammal": ("cow", "dog", "horse", "pig"),
}
OPPOSITES = (
    ("hot", "cold"), ("big", "small"), ("up", "down"), ("wet", "dry"), ("fast", "slow"), ("old", "new"), ("hard", "soft"),
    ("open", "closed"), ("full", "empty"), ("happy", "sad"), ("light", "dark"), ("early", "late"),
)  # fmt: skip
CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Egypt": "Cairo", "Greece": "Athens",
    "Russia": "Moscow", "Peru": "Lima", "Cuba": "Havana", "Austria": "Vienna", "Norway": "Oslo", "Kenya": "Nairobi",
}  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")

NAMES = {"Tom": "he", "Ben": "he", "Sam": "he", "Ann": "she", "Eva": "she", "Mia": "she"}
THINGS = ("pens", "cups", "apples", "books", "eggs", "coins", "balls", "cards")
GAINS = ("gets", "buys", "finds")
LOSSES = ("loses", "sells")
UNKNOWNS = "ABCDE"


def others(answer: str, pool) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p for p in pool if p != answer))


@cache
def families() -> dict[str, tuple[Fact, ...]]:
    """All facts of multiple choice that can be listed, by the kind of question."""
    numbers = [str(n) for n in range(LARGEST + 1)]
    members = [(kind, m) for kind, ms in KINDS.items() for m in ms]
    animals = {"a bird", "a fish", "an insect", "a mammal"}

    def kind_facts(kind):
        # "hen", "cow" and others are one thing only, so a member of another kind is always wrong.
        return [Fact(f"Which of these is {kind}?", m, tuple(o for k, o in members if k != kind)) for m in KINDS[kind]]

    def which_animal(stem, right, wrong):
        return [Fact(stem, m, tuple(o for k in wrong for o in KINDS[k])) for k in right for m in KINDS[k] if m not in ("hen", "ant")]

    def paired(stem, table):
        return [Fact(stem.format(k), v, others(v, table.values())) for k, v in table.items()]

    def grouped(stem, table, pool):
        return [Fact(stem.format(e), v, others(v, pool)) for v, es in table.items() for e in es]

    opposites = [(a, b) for x, y in OPPOSITES for a, b in ((x, y), (y, x))]
    words = [w for pair in OPPOSITES for w in pair]
    return {
        "color": tuple(grouped("What color is {}?", COLORS, COLORS)),
        "legs": tuple(grouped("How many legs does {} have?", LEGS, LEGS)),
        "sound": tuple(paired("Which animal says {}?", SOUNDS)),
        "young": tuple(paired("What is a young {} called?", YOUNG)),
        "gives": tuple(paired("What do we get from {}?", GIVES)),
        "made": tuple(paired("What is {} made of?", MADE_OF)),
        "sense": tuple(Fact(f"What do we {k} with?", v, others(v, SENSES.values())) for k, v in SENSES.items()),
        "kind": tuple(f for kind in KINDS for f in kind_facts(kind)),
        "fly": tuple(which_animal("Which animal can fly?", ("a bird", "an insect"), ("a fish", "a mammal")))
        + tuple(which_animal("Which animal lives in water?", ("a fish",), ("an insect", "a mammal"))),
        "opposite": tuple(Fact(f"What is the opposite of {a}?", b, tuple(w for w in words if w not in (a, b))) for a, b in opposites),
        "capital": tuple(paired("What is the capital of {}?", CAPITALS)),
        "day": tuple(following("day", DAYS)),
        "month": tuple(following("month", MONTHS)),
        "sum": tuple(Fact(f"What is {a} + {b}?", str(a + b), near(a + b)) for a in range(1, 10) for b in range(1, 10)),
        "difference": tuple(Fact(f"What is {a} - {b}?", str(a - b), near(a - b)) for a in range(2, 19) for b in range(1, min(a, 10))),
        "largest": tuple(Fact("Which number is the largest?", str(n), tuple(numbers[:n])) for n in range(3, LARGEST + 1)),
        "smallest": tuple(Fact("Which number is the smallest?", str(n), tuple(numbers[n + 1 :])) for n in range(LARGEST - 2)),
    }


def following(unit: str, names: tuple[str, ...]):
    for name, after in zip(names, names[1:] + names[:1]):
        yield Fact(f"Which {unit} comes after {name}?", after, tuple(o for o in names if o not in (name, after)))


def near(n: int) -> tuple[str, ...]:
    """Wrong results within four of the right one."""
    return tuple(str(m) for m in range(max(0, n - 4), min(LARGEST, n + 4) + 1) if m != n)
