"""What the model says to the shipped items and to freshly drawn systems, in every presentation and look, by greedy decoding."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from parity import ThreeFiles
from small_llava import positions

from .contents import BY_LETTER, BY_NUMBER, TRANSCRIBE, Content, shipped, system
from .examples import Encoder
from .pages import BLACK, COLORS, DPIS, FONTS, Printer, picture

SYSTEMS, SYSTEMS_SEED = 24, 1234
BATCH = 24
ANSWER_LIMIT, TRANSCRIPT_LIMIT = 8, 64
"""Most new tokens."""
PRESENTATIONS = ("text", "mixed", "image", "ocr-first")

Generate = Callable[[dict, int], list[list[int]]]
"""(the processor's output, most new tokens) -> the new tokens of each row, up to `</s>`"""


@dataclass(frozen=True)
class Look:
    font: str
    dpi: int
    color_name: str = "black"

    @property
    def color(self) -> tuple[int, int, int]:
        return COLORS.get(self.color_name, BLACK)

    def __str__(self) -> str:
        return f"{self.font}, {self.dpi} DPI" + (f", {self.color_name}" if self.color_name != "black" else "")


MAIN = Look("DejaVu Sans", 200)
LOOKS = (*(Look(font, dpi) for font in FONTS for dpi in DPIS), *(Look("DejaVu Sans", 200, color) for color in COLORS))


@dataclass(frozen=True)
class Said:
    """What was said to one item in one look."""

    dataset: str
    content: Content
    look: Look
    transcript: str
    answers: dict[str, str]
    """By presentation; presentations without an image are asked in the main look only."""

    def right(self, presentation: str) -> bool:
        return self.answers[presentation] == self.content.answer

    @property
    def perfect(self) -> bool:
        return self.transcript == self.content.whole

    @property
    def character_error_rate(self) -> float:
        return distance(self.transcript, self.content.whole) / len(self.content.whole)


def by_torch(model) -> Generate:
    @torch.no_grad()
    def generate(inputs, limit):
        new = model.generate(**inputs, max_new_tokens=limit, do_sample=False)[:, inputs["input_ids"].shape[1] :]
        return [up_to_end(row, model.generation_config.eos_token_id) for row in new.tolist()]

    return generate


def by_onnx(files: ThreeFiles, image_token: int, end: int) -> Generate:
    def generate(inputs, limit):
        ids, mask = inputs["input_ids"].numpy(), inputs["attention_mask"].numpy()
        features = files.image_features(inputs["pixel_values"].numpy()) if "pixel_values" in inputs else None
        at = positions(inputs["attention_mask"]).numpy()
        embeds, past, new = files.embed(ids, image_token, features), None, []
        for _ in range(limit):
            logits, past = files.decode(embeds, mask, at, past)
            new.append(logits[:, -1].argmax(-1))
            if all(end in row for row in np.stack(new, 1)):
                break
            embeds = files.embed(new[-1][:, None], image_token)
            mask, at = np.pad(mask, ((0, 0), (0, 1)), constant_values=1), at[:, -1:] + 1
        return [up_to_end(row, end) for row in np.stack(new, 1).tolist()]

    return generate


def up_to_end(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row


def ask(generate: Generate, encoder: Encoder, prompts: list[str], images: list | None, limit: int) -> list[str]:
    """The answers to the prompts, each with its image where there are any."""
    said = []
    for start in range(0, len(prompts), BATCH):
        texts = [encoder.prompt(text, images is not None) for text in prompts[start : start + BATCH]]
        some = {} if images is None else {"images": images[start : start + BATCH]}
        inputs = encoder.processor(text=texts, **some, padding=True, return_tensors="pt")
        inputs.pop("labels", None)
        said += encoder.tokenizer.batch_decode(generate(inputs, limit), skip_special_tokens=True)
    return said


def items() -> dict[str, list[Content]]:
    """The shipped questions, and systems of equations drawn from a seed that training doesn't use."""
    rng = np.random.default_rng(SYSTEMS_SEED)
    return {**shipped(), "systems": [system(rng) for _ in range(SYSTEMS)]}


def measure(generate: Generate, encoder: Encoder, printer: Printer, looks=LOOKS) -> list[Said]:
    everything = [(dataset, content) for dataset, contents in items().items() for content in contents]
    contents = [content for _, content in everything]
    told = ask(generate, encoder, [c.text_prompt for c in contents], None, ANSWER_LIMIT)
    said = []
    for look in looks:

        def pictures(texts):
            return [picture(printer.page(text, look.font, look.dpi).ink, look.color) for text in texts]

        whole, shown = pictures(c.whole for c in contents), pictures(c.shown for c in contents)
        transcripts = ask(generate, encoder, [TRANSCRIBE] * len(contents), whole, TRANSCRIPT_LIMIT)
        by_image = ask(generate, encoder, [c.image_prompt for c in contents], whole, ANSWER_LIMIT)
        mixed = ask(generate, encoder, [c.mixed_prompt for c in contents], shown, ANSWER_LIMIT)
        retold = [f"{t}\n{BY_LETTER if c.by_letter else BY_NUMBER}" for t, c in zip(transcripts, contents)]
        ocr_first = ask(generate, encoder, retold, None, ANSWER_LIMIT)
        for i, (dataset, content) in enumerate(everything):
            answers = dict(zip(PRESENTATIONS, (told[i], mixed[i], by_image[i], ocr_first[i])))
            said.append(Said(dataset, content, look, transcripts[i], answers))
    return said


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def brief(said: list[Said]) -> str:
    """One line a look and dataset, for the log."""
    lines = []
    for look in dict.fromkeys(s.look for s in said):
        for dataset in dict.fromkeys(s.dataset for s in said):
            rows = [s for s in said if s.look == look and s.dataset == dataset]
            shares = "  ".join(f"{p} {np.mean([s.right(p) for s in rows]):.2f}" for p in PRESENTATIONS)
            perfect, cer = np.mean([s.perfect for s in rows]), np.mean([s.character_error_rate for s in rows])
            lines.append(f"{str(look):32} {dataset:13} {shares}  perfect {perfect:.2f}  CER {cer:.3f}")
    return "\n".join(lines)
