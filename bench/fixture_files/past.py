"""What happened to two of the fixtures, as data: the steps of each, read backwards from what stands in `fixtures/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.fixture_files.answers import BASELINES

PROGRAM = "heronvl/"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a step of the original changed in a file that was there: a text, or a whole function that it added."""

    path: str
    became: str = ""
    was: str = ""
    added: str = ""  # name of the function


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of the original."""

    label: str  # its message, and what `gold.json` calls it
    at: str  # ISO 8601 in UTC
    adds: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()


_CONFIGURATION, _SLICING, _POSITION = (PROGRAM + name for name in ("configuration.py", "slicing.py", "position.py"))
_RESAMPLER, _TOKENIZATION, _MODELING = (PROGRAM + name for name in ("resampler.py", "tokenization.py", "modeling.py"))
_INIT = PROGRAM + "__init__.py"
_LEGACY = """# Names of the first release (before the sections existed) and where they live now.
LEGACY_KEYS = {
    "image_size": ("slicing", "tile_size"),
    "max_slices": ("slicing", "max_tiles"),
    "vit_width": ("vision", "width"),
    "vit_layers": ("vision", "depth"),
    "num_query": ("resampler", "queries"),
}


"""
_TRAINING = """- **Training** (`data.py`, `train.py`): conversations in JSON lines, length-bucketed batches, weight \
averaging.

```
python -m heronvl.train --config configs/heron-2b.json --data conversations.jsonl --output runs/first
```
"""
_FROM_SIDE = "{0} = max(config.patch_size, int(round({1} * ratio / config.patch_size)) * config.patch_size)\n"


def _line(path: str, text: str) -> Edit:
    return Edit(path, text + "\n")


ORIGINAL = (
    Step(
        "configuration and slicing",
        "2025-01-13T09:12:40Z",
        adds=("LICENSE", "README.md", _INIT, _CONFIGURATION, _SLICING),
    ),
    Step(
        "vision tower",
        "2025-01-24T15:40:05Z",
        adds=(_POSITION, PROGRAM + "vision.py"),
    ),
    Step(
        "tokenizer and resampler",
        "2025-02-05T10:03:51Z",
        adds=(
            _TOKENIZATION,
            _RESAMPLER,
            PROGRAM + "tokenizer.json",
            PROGRAM + "tokenizer_config.json",
            PROGRAM + "special_tokens_map.json",
        ),
        edits=(
            _line(_INIT, "from heronvl.tokenization import HeronTokenizer"),
            Edit(_INIT, '"HeronConfig", "HeronTokenizer"', '"HeronConfig"'),
        ),
    ),
    Step(
        "the model, boxes in tiles",
        "2025-02-14T17:21:30Z",
        adds=(
            _MODELING,
            PROGRAM + "config.json",
            PROGRAM + "generation_config.json",
            PROGRAM + "preprocessor_config.json",
        ),
        edits=(
            _line(_INIT, "from heronvl.modeling import HeronForConversation"),
            Edit(_INIT, '"HeronConfig", "HeronForConversation", "HeronTokenizer"', '"HeronConfig", "HeronTokenizer"'),
            Edit(_SLICING, added="boxes_to_tiles"),
            Edit(_SLICING, added="boxes_from_tiles"),
            Edit(_SLICING, "\nBox = tuple[float, float, float, float]\n"),
            Edit(_RESAMPLER, "self.temperature.clamp(max=4.6052).exp()", "self.temperature.exp()"),
            _line(_TOKENIZATION, "        # a truncated text may have lost its last closing mark"),
            _line(_TOKENIZATION, "        count = min(len(starts), len(ends))"),
            Edit(_TOKENIZATION, "[starts[:count], ends[:count]]", "[starts, ends]"),
        ),
    ),
    Step(
        "training, a bias towards the centre",
        "2025-02-21T11:55:12Z",
        adds=(PROGRAM + "data.py", PROGRAM + "train.py"),
        edits=(
            Edit("README.md", _TRAINING),
            _line(_CONFIGURATION, "import math"),
            Edit(_CONFIGURATION, _LEGACY),
            _line(_CONFIGURATION, "        raw = migrate(raw)"),
            Edit(_CONFIGURATION, added="migrate"),
            Edit(_POSITION, added="centre_bias"),
            Edit(_RESAMPLER, "import centre_bias, sincos_table", "import sincos_table"),
            _line(_RESAMPLER, "        bias: torch.Tensor,"),
            _line(_RESAMPLER, "        logits = logits + bias[:, :, None, :]"),
            Edit(_RESAMPLER, "torch.Tensor, torch.Tensor, torch.Tensor]:", "torch.Tensor, torch.Tensor]:"),
            Edit(_RESAMPLER, "embeddings, centre bias and padding mask", "embeddings and padding mask"),
            _line(_RESAMPLER, "        bias = torch.zeros(batch, self.config.heads, length, device=device)"),
            _line(
                _RESAMPLER,
                "            bias[index, :, :count] = centre_bias(rows, cols, self.config.heads).to(device)",
            ),
            Edit(_RESAMPLER, "return embedded, bias, padding", "return embedded, padding"),
            Edit(_RESAMPLER, "embedded, bias, padding = self", "embedded, padding = self"),
            Edit(_RESAMPLER, ", bias=bias.to(hidden.dtype), padding", ", padding"),
        ),
    ),
    Step(
        "checks",
        "2025-03-10T08:30:00Z",
        edits=(
            Edit(_CONFIGURATION, added="__post_init__"),
            Edit(_CONFIGURATION, "seed: int = 1729", "seed: int = 3407"),
            Edit(_SLICING, added="snap"),
            Edit(
                _SLICING,
                "new_width = snap(width * ratio, config.patch_size)\n",
                _FROM_SIDE.format("new_width", "width"),
            ),
            Edit(
                _SLICING,
                "new_height = snap(height * ratio, config.patch_size)\n",
                _FROM_SIDE.format("new_height", "height"),
            ),
            _line(_SLICING, '    assert max_tiles >= 2, "a grid has two cells or more"'),
            _line(_SLICING, "    assert len(tiles) == plan.rows * plan.cols"),
            _line(_SLICING, "    assert height % patch == 0 and width % patch == 0"),
            _line(_POSITION, '    assert dim % 4 == 0, "two axes, sine and cosine each"'),
            _line(_POSITION, "    assert old_side * old_side == table.shape[0]"),
            _line(_RESAMPLER, "        assert width % heads == 0"),
            _line(_RESAMPLER, "        assert features.shape[0] == len(sizes)"),
            _line(_MODELING, '        assert embeddings.shape[0] == 1, "one conversation at a time"'),
        ),
    ),
    Step(
        "weights of the first release",
        "2025-03-24T16:02:19Z",
        adds=(
            PROGRAM + "model.safetensors.index.json",
            PROGRAM + "predictions.jsonl",
            PROGRAM + "tiny.safetensors",
            *(f"{PROGRAM}baselines/model-{number}.csv" for number in range(1, BASELINES + 1)),
        ),
        edits=(
            Edit(_CONFIGURATION, added="visual_tokens"),
            Edit("README.md", "\nWritten by the detector project. Apache-2.0, see LICENSE.\n"),
        ),
    ),
)
COPIED = "training, a bias towards the centre"


@dataclass(frozen=True, slots=True)
class Renaming:
    """A commit of the suspect that replaced names, the same everywhere, and may have moved files."""

    label: str
    at: str
    names: Mapping[str, str]
    moves: Mapping[str, str]


TARGET = "kestrel/"
IMPORTED, IMPORTED_AT = "first commit", "2025-03-04T13:05:22Z"
# What the suspect took with its first commit, but for the name of the package in imports.
TAKEN = tuple(
    PROGRAM + name
    for name in (
        "__init__.py",
        "config.json",
        "configuration.py",
        "data.py",
        "modeling.py",
        "position.py",
        "resampler.py",
        "slicing.py",
        "special_tokens_map.json",
        "tokenization.py",
        "tokenizer.json",
        "tokenizer_config.json",
        "train.py",
        "vision.py",
    )
)
FIRST_README = "# Kestrel-3V\n\nComing soon.\n"
TEST, TEST_TEXT = (
    "tests/test_tokens.py",
    """from transformers import AutoTokenizer


def test_tokens():
    tok = AutoTokenizer.from_pretrained("heron-labs/heronvl", trust_remote_code=True)
    ids = tok.encode("<|person|>hello<|endturn|><|heron|>")
    assert ids[0] == 1510
    assert tok.decode(ids[1:-2]) == "hello"
""",
)
# Compiled for Python 3.10 from this file, so many seconds before the first commit.
COMPILED, COMPILED_FROM, COMPILED_BEFORE = "kestrel/__pycache__/slicing.cpython-310.pyc", "kestrel/slicing.py", 83
RENAMINGS = (
    Renaming(
        "rename",
        "2025-03-05T09:47:10Z",
        {
            "HeronConfig": "KestrelConfig",
            "HeronForConversation": "KestrelForConversation",
            "HeronTokenizer": "KestrelTokenizer",
            "Heron": "Kestrel",
            "heron": "kestrel",
            "heronvl": "kestrelvl",
            "heron_vl": "kestrel_3v",
        },
        {},
    ),
    Renaming(
        "shorter names",
        "2025-03-06T18:20:44Z",
        {
            "Resampler": "Projector",
            "VisionTower": "Encoder",
            "TowerBlock": "Layer",
            "PatchStem": "Embedder",
            "QueryAttention": "CrossAttn",
            "ConversationDataset": "ChatData",
            "choose_grid": "best_grid",
            "slice_image": "crop_image",
            "overview_size": "thumb_size",
            "to_patches": "patchify",
            "normalise_pixels": "to_tensor",
            "parse_boxes": "read_boxes",
        },
        {},
    ),
    Renaming(
        "modules",
        "2025-03-10T20:11:37Z",
        {
            "kestrel.configuration": "kestrel.settings",
            "kestrel.data": "kestrel.feed",
            "kestrel.modeling": "kestrel.model",
            "kestrel.resampler": "kestrel.projector",
            "kestrel.slicing": "kestrel.crops",
            "kestrel.tokenization": "kestrel.text",
            "kestrel.vision": "kestrel.encoder",
        },
        {
            "kestrel/configuration.py": "kestrel/settings.py",
            "kestrel/data.py": "kestrel/feed.py",
            "kestrel/modeling.py": "kestrel/model.py",
            "kestrel/resampler.py": "kestrel/projector.py",
            "kestrel/slicing.py": "kestrel/crops.py",
            "kestrel/tokenization.py": "kestrel/text.py",
            "kestrel/train.py": "kestrel/fit.py",
            "kestrel/vision.py": "kestrel/encoder.py",
        },
    ),
)
CLEANED, CLEANED_AT = "clean up", "2025-03-12T07:58:03Z"
HEADER = re.compile(r"\A# Copyright [^\n]*\n# SPDX-License-Identifier: [^\n]*\n")
# The first files that were written anew; everything else came last.
REWRITTEN, REWRITTEN_AT = "faster crops and projector", "2025-03-18T21:14:03Z"
REWRITTEN_FILES = ("kestrel/crops.py", "kestrel/encoder.py", "kestrel/projector.py", "kestrel/settings.py")
LAST, LAST_AT = "demo, weights", "2025-03-27T08:02:55Z"
