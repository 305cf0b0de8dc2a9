"""Names of fields -> which one holds the id of the item, the answer and the label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Names are compared in lower case, with `_` for blanks, dots and hyphens. Of several ids the first of this list counts:
# one picture has many questions, a row number says less than a name.
IDS = (
    "id", "item_id", "item", "question_id", "qid", "sample_id", "example_id", "instance_id", "doc_id", "uid", "uuid",
    "key", "image_id", "image", "file_name", "filename", "index", "idx",
)  # fmt: skip
# Of these a log has one.
ANSWERS = (
    "prediction", "predictions", "pred", "predicted", "predicted_label", "predicted_answer", "model_answer",
    "model_output", "output", "response", "generated_text", "generation", "completion", "pred_box", "pred_boxes",
)  # fmt: skip
LABELS = (
    "label", "target", "gold", "gold_answer", "gold_label", "ground_truth", "groundtruth", "gt", "gt_answer",
    "reference", "expected", "truth", "correct_answer", "gt_box", "gt_boxes",
)  # fmt: skip
# The answer of the model where no other field holds one, and else the label.
EITHER = "answer"
_BETWEEN = re.compile(r"[\s.\-]+")
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of the fields of a log, as it spells them; no label is ""."""

    item: str
    answer: str
    label: str


def choose(names: Iterable[str]) -> Fields | str:
    """Tell fields by their names, or say what is missing or stands there twice."""
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault(_BETWEEN.sub("_", name.strip().lower()), []).append(name)
    items = [each for name in IDS for each in spelled.get(name, ())][:1]
    answers = [each for name in ANSWERS for each in spelled.get(name, ())]
    labels = [each for name in LABELS for each in spelled.get(name, ())]
    either = spelled.get(EITHER, [])
    if not answers:
        answers = either
    elif not labels:
        labels = either
    if not items:
        return "no field for the id of an item, such as id, question_id or index"
    if not answers:
        return "no field for the model's answer, such as prediction, output or answer"
    for found, what in ((answers, "the model's answer"), (labels, "the label")):
        if len(found) > 1:
            return f"{_both(found)} may each hold {what}: keep one of them"
    twice = [each for each in spelled.values() if items[0] in each and len(each) > 1]
    if twice:
        return f"{_both(twice[0])} may each hold the id of an item: keep one of them"
    return Fields(items[0], answers[0], labels[0] if labels else "")


def _both(names: Sequence[str]) -> str:
    return " and ".join(names[:_MOST_NAMED])
