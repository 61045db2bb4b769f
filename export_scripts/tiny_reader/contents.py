"""Contents (what a page shows or a prompt says) drawn from the facts, in the forms in which the suites present them."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .facts import GAINS, LARGEST, LETTERS, LOSSES, NAMES, THINGS, UNKNOWNS, families

REPOSITORY = Path(__file__).resolve().parents[2]
QUESTIONS = REPOSITORY / "data" / "questions"

TRANSCRIBE = "Transcribe the text in the image exactly."
BY_LETTER = "Answer with the letter of the right option."
BY_NUMBER = "Answer with a number."
BY_WORD = "Answer with a word."
"""Asked in training only."""
IMAGE_BY_LETTER = "Answer the question in the image with the letter of the right option."
IMAGE_BY_NUMBER = "Answer the question in the image with a number."
MIXED_BY_LETTER = "The image shows the question. Options:\n{}\n" + BY_LETTER
MIXED_BY_NUMBER = "The image shows the context.\n{}\n" + BY_NUMBER

FAMILY_WEIGHT = {"kind": 3, "legs": 1.5, "color": 1.5, "opposite": 1.5, "capital": 1.5, "sum": 1.5, "difference": 1.5}
"""How often a kind of choice question is drawn; 1 where it is not named."""
KIND_OF_CONTENT = {"choice": 0.7, "word problem": 0.2, "system": 0.1}


@dataclass(frozen=True)
class Content:
    """One item: what is shown where, and the answer."""

    shown: str
    """The part that an image shows in the mixed presentation: the stem, or the context."""
    told: str
    """The rest: the options, or the question."""
    answer: str
    word: str
    """The answer in a word: the option's text, or the number again."""
    separator: str = "\n"

    @property
    def whole(self) -> str:
        return self.shown + self.separator + self.told

    @property
    def by_letter(self) -> bool:
        return self.answer in LETTERS

    @property
    def text_prompt(self) -> str:
        return f"{self.whole}\n{BY_LETTER if self.by_letter else BY_NUMBER}"

    @property
    def image_prompt(self) -> str:
        return IMAGE_BY_LETTER if self.by_letter else IMAGE_BY_NUMBER

    @property
    def mixed_prompt(self) -> str:
        return (MIXED_BY_LETTER if self.by_letter else MIXED_BY_NUMBER).format(self.told)


def choice(stem: str, options, answer: str) -> Content:
    told = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options))
    return Content(stem, told, answer, options[LETTERS.index(answer)])


def number(question: str, answer) -> Content:
    """The last sentence, or the last line, is the question."""
    if "\n" in question:
        shown, told = question.rsplit("\n", 1)
        return Content(shown, told, str(answer), str(answer))
    shown, told = re.fullmatch(r"(.*[.]) ([^.]*[?])", question).groups()
    return Content(shown, told, str(answer), str(answer), " ")


def shipped() -> dict[str, list[Content]]:
    """The items of `data/questions`, by dataset."""
    arc = [json.loads(line) for line in (QUESTIONS / "arc.jsonl").read_text(encoding="utf-8").splitlines()]
    mmlu = [json.loads(line) for line in (QUESTIONS / "mmlu.jsonl").read_text(encoding="utf-8").splitlines()]
    gsm = [json.loads(line) for line in (QUESTIONS / "gsm-symbolic.jsonl").read_text(encoding="utf-8").splitlines()]
    return {
        "arc": [choice(row["question"], row["choices"]["text"], row["answerKey"]) for row in arc],
        "mmlu": [choice(row["question"], row["choices"], LETTERS[row["answer"]]) for row in mmlu],
        "gsm-symbolic": [number(row["question"], row["answer"].rsplit("#### ", 1)[1]) for row in gsm],
    }


class Author:
    """Draws contents for training; never one of the shipped items."""

    def __init__(self):
        self.families = families()
        weights = [FAMILY_WEIGHT.get(name, 1.0) for name in self.families]
        self.family_share = [w / sum(weights) for w in weights]
        self.names = list(self.families)
        self.withheld = {content.whole for contents in shipped().values() for content in contents}

    def content(self, rng) -> Content:
        while True:
            kind = rng.choice(list(KIND_OF_CONTENT), p=list(KIND_OF_CONTENT.values()))
            drawn = self.choice(rng) if kind == "choice" else word_problem(rng) if kind == "word problem" else system(rng)
            if drawn.whole not in self.withheld:
                return drawn

    def choice(self, rng) -> Content:
        facts = self.families[self.names[rng.choice(len(self.names), p=self.family_share)]]
        fact = facts[rng.integers(len(facts))]
        options = [fact.wrong[i] for i in rng.permutation(len(fact.wrong))[:3]]
        at = int(rng.integers(4))
        options.insert(at, fact.answer)
        return choice(fact.stem, options, LETTERS[at])


def word_problem(rng) -> Content:
    one, two = (list(NAMES)[i] for i in rng.permutation(len(NAMES))[:2])
    he = NAMES[one]
    things = THINGS[rng.integers(len(THINGS))]
    a, b = (int(n) for n in rng.integers(1, 13, size=2))
    many, few = max(a, b) + 1, min(a, b)
    gain, loss = GAINS[rng.integers(len(GAINS))], LOSSES[rng.integers(len(LOSSES))]
    fits = a + b < LARGEST
    form = int(rng.integers(6))
    if form in (0, 1) and not fits:
        a, b = a % 9 + 1, b % 9 + 1
    match form:
        case 0:
            return number(f"{one} has {a + 1} {things}. {he.title()} {gain} {b} more. How many {things} does {he} have?", a + b + 1)
        case 1:
            return number(f"{one} has {a + 1} {things}. {two} has {b}. How many {things} do they have?", a + b + 1)
        case 2:
            return number(f"{one} has {many} {things}. {he.title()} {loss} {few}. How many {things} are left?", many - few)
        case 3:
            return number(f"{one} has {many} {things}. {two} has {few}. How many more does {one} have?", many - few)
        case 4:
            return number(f"There are {many} {things} in a box. {one} takes {few}. How many are left?", many - few)
        case _:
            days = int(rng.integers(2, 5))
            pages = int(rng.integers(2, 18 // days + 1))
            return number(f"{one} reads {pages} pages a day. How many pages does {he} read in {days} days?", pages * days)


def system(rng) -> Content:
    x, y = (UNKNOWNS[i] for i in rng.permutation(len(UNKNOWNS))[:2])
    small, large = sorted(int(n) for n in rng.integers(0, 10, size=2))
    lines = [f"{x} + {y} = {large + small}", f"{x} - {y} = {large - small}"]
    if rng.random() < 0.2:
        lines.reverse()
    asked, answer = ((x, large), (y, small))[rng.integers(2)]
    return number("\n".join([*lines, f"What is {asked}?"]), answer)


def babble(rng) -> str:
    """Words and numbers without sense or order: nothing can be guessed from what stands beside it."""
    lines = []
    for _ in range(rng.integers(3, 8)):
        words = [_word(rng) for _ in range(rng.integers(1, 4))]
        option = rng.random() < 0.4
        lines.append(f"{LETTERS[rng.integers(4)]}. {words[0]}" if option else " ".join(words) + ENDS[rng.integers(len(ENDS))])
    return "\n".join(lines)


ENDS = ("", "", "", "?", ".")


def _word(rng) -> str:
    if rng.random() < 0.3:
        return str(rng.integers(LARGEST + 1))
    words = content_words()
    return words[rng.integers(len(words))]


@cache
def content_words() -> list[str]:
    """All words that occur in contents."""
    facts = [fact for facts in families().values() for fact in facts]
    rng = np.random.default_rng(0)
    texts = [text for fact in facts for text in (fact.stem, fact.answer, *fact.wrong)]
    texts += [make(rng).whole for make in (word_problem, system) for _ in range(2000)]
    return sorted({word for text in texts for word in re.findall("[A-Za-z]+", text)})
