"""Independent projects that solve the same task, and what they have from a common source all the same.

The pairs show what coincidence looks like: a function that two of them share is chance unless `ancestry` names its
source. Packages of the background table are not among them, nor what the other benchmarks hold as copies.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ANCESTRIES = Path(__file__).parent / "ancestries.toml"

# Suspect and its package folder, reference and its package folder, the task that both solve.
PAIRS: tuple[tuple[str, str, str, str, str], ...] = (
    ("torchvision==0.17.2", "torchvision", "vit-pytorch==1.6.5", "vit_pytorch", "vision transformers"),
    ("torchvision==0.17.2", "torchvision", "monai==1.3.0", "monai", "vision models"),
    ("vit-pytorch==1.6.5", "vit_pytorch", "monai==1.3.0", "monai", "vision transformers"),
    ("segmentation-models-pytorch==0.3.3", "segmentation_models_pytorch", "monai==1.3.0", "monai", "U-Nets"),
    ("stable-baselines3==2.3.2", "stable_baselines3", "tianshou==0.5.1", "tianshou", "PPO"),
    ("OpenNMT-py==3.5.0", "onmt", "x-transformers==1.27.0", "x_transformers", "transformers"),
    ("icevision==0.12.0", "icevision", "torchvision==0.17.2", "torchvision", "detection"),
    ("supervision==0.25.1", "supervision", "norfair==2.2.0", "norfair", "tracking"),
    ("easyocr==1.7.2", "easyocr", "python-doctr==0.11.0", "doctr", "text recognition"),
    ("keras-ocr==0.9.3", "keras_ocr", "easyocr==1.7.2", "easyocr", "text recognition"),
    ("torchio==0.20.4", "torchio", "monai==1.3.0", "monai", "medical augmentation"),
    ("imgaug==0.4.0", "imgaug", "torchvision==0.17.2", "torchvision", "image augmentation"),
    ("augly==1.0.0", "augly", "imgaug==0.4.0", "imgaug", "image augmentation"),
    ("audiomentations==0.40.0", "audiomentations", "torchaudio==2.2.2", "torchaudio", "audio augmentation"),
    ("torch-audiomentations==0.12.0", "torch_audiomentations", "augly==1.0.0", "augly", "audio augmentation"),
    ("nlpaug==1.1.11", "nlpaug", "audiomentations==0.40.0", "audiomentations", "audio augmentation"),
    ("solo-learn==1.0.2", "solo", "vissl==0.1.6", "vissl", "self-supervised learning"),
    ("torchgan==0.1.0", "torchgan", "pythae==0.1.2", "pythae", "generative models"),
    ("torch-fidelity==0.3.0", "torch_fidelity", "clean-fid==0.1.35", "cleanfid", "image metrics"),
    ("torch-fidelity==0.3.0", "torch_fidelity", "piq==0.8.0", "piq", "image metrics"),
    ("skrl==1.4.3", "skrl", "rl-games==1.6.5", "rl_games", "PPO"),
    ("DI-engine==0.5.3", "ding", "tianshou==0.5.1", "tianshou", "reinforcement learning"),
    ("d3rlpy==2.8.1", "d3rlpy", "tianshou==0.5.1", "tianshou", "offline reinforcement learning"),
    ("mushroom-rl==1.4.0", "mushroom_rl", "stable-baselines3==2.3.2", "stable_baselines3", "reinforcement learning"),
    ("pfrl==0.1.0", "pfrl", "d3rlpy==2.8.1", "d3rlpy", "reinforcement learning"),
    ("elegantrl==0.3.3", "elegantrl", "skrl==1.4.3", "skrl", "reinforcement learning"),
    ("DI-engine==0.5.3", "ding", "rllte-core==1.0.1", "rllte", "reinforcement learning"),
    ("litgpt==0.5.7", "litgpt", "torchtune==0.6.1", "torchtune", "language-model training"),
    ("mlx-lm==0.24.0", "mlx_lm", "litgpt==0.5.7", "litgpt", "language-model inference"),
    ("llamafactory==0.9.3", "llamafactory", "fschat==0.2.36", "fastchat", "language-model fine-tuning"),
    ("xtuner==0.2.0", "xtuner", "llamafactory==0.9.3", "llamafactory", "language-model fine-tuning"),
    ("fairseq2==0.4.5", "fairseq2", "torchtune==0.6.1", "torchtune", "language-model training"),
    ("fschat==0.2.36", "fastchat", "xtuner==0.2.0", "xtuner", "language-model serving"),
    (
        "k-diffusion==0.1.1.post1",
        "k_diffusion",
        "denoising-diffusion-pytorch==2.1.1",
        "denoising_diffusion_pytorch",
        "diffusion",
    ),
    ("imagen-pytorch==2.1.0", "imagen_pytorch", "k-diffusion==0.1.1.post1", "k_diffusion", "diffusion"),
    ("coqui-tts==0.26.0", "TTS", "f5-tts==1.1.6", "f5_tts", "speech synthesis"),
    ("whisperx==3.3.1", "whisperx", "faster-whisper==1.1.1", "faster_whisper", "speech recognition"),
    ("asteroid==0.7.0", "asteroid", "torchaudio==2.2.2", "torchaudio", "source separation"),
    ("pyannote-audio==3.3.2", "pyannote", "asteroid==0.7.0", "asteroid", "speaker diarisation"),
    ("cogdl==0.6", "cogdl", "spektral==1.3.1", "spektral", "graph networks"),
    ("dgllife==0.3.2", "dgllife", "deepchem==2.8.0", "deepchem", "molecules"),
    ("chemprop==2.1.0", "chemprop", "deepchem==2.8.0", "deepchem", "molecules"),
    ("schnetpack==2.1.1", "schnetpack", "mace-torch==0.3.10", "mace", "interatomic potentials"),
    ("deepctr-torch==0.2.9", "deepctr_torch", "torch-rechub==0.0.3", "torch_rechub", "click-through rate"),
    ("recommenders==1.2.1", "recommenders", "cornac==2.3.0", "cornac", "recommenders"),
    ("LibRecommender==1.5.1", "libreco", "rectools==0.13.0", "rectools", "recommenders"),
    (
        "tensorflow-recommenders==0.7.3",
        "tensorflow_recommenders",
        "recommenders==1.2.1",
        "recommenders",
        "recommenders",
    ),
    ("LibRecommender==1.5.1", "libreco", "deepctr-torch==0.2.9", "deepctr_torch", "click-through rate"),
    ("tsai==0.4.0", "tsai", "aeon==1.1.0", "aeon", "time series"),
    ("tslearn==0.6.3", "tslearn", "aeon==1.1.0", "aeon", "time series"),
    ("kats==0.2.0", "kats", "neuralprophet==0.9.0", "neuralprophet", "forecasting"),
    ("statsforecast==2.0.1", "statsforecast", "kats==0.2.0", "kats", "forecasting"),
    ("uni2ts==1.2.0", "uni2ts", "chronos-forecasting==1.5.2", "chronos", "forecasting models"),
    ("momentfm==0.1.4", "momentfm", "uni2ts==1.2.0", "uni2ts", "forecasting models"),
    ("joeynmt==2.3.0", "joeynmt", "OpenNMT-py==3.5.0", "onmt", "translation"),
    ("sockeye==3.1.34", "sockeye", "joeynmt==2.3.0", "joeynmt", "translation"),
    ("texar-pytorch==0.1.4", "texar", "OpenNMT-py==3.5.0", "onmt", "text generation"),
    ("OpenNMT-tf==2.32.0", "opennmt", "tensor2tensor==1.15.7", "tensor2tensor", "translation"),
    ("mesh-tensorflow==0.1.21", "mesh_tensorflow", "OpenNMT-tf==2.32.0", "opennmt", "transformers"),
    ("simpletransformers==0.70.1", "simpletransformers", "texar-pytorch==0.1.4", "texar", "text classification"),
    ("nltk==3.9.1", "nltk", "sacrebleu==2.5.1", "sacrebleu", "text metrics"),
    ("bert-score==0.3.13", "bert_score", "sacrebleu==2.5.1", "sacrebleu", "text metrics"),
    (
        "blackjax==1.2.4",
        "blackjax",
        "tensorflow-probability==0.25.0",
        "tensorflow_probability/python",
        "Bayesian sampling",
    ),
    ("pymc==5.20.0", "pymc", "tensorflow-probability==0.25.0", "tensorflow_probability/python", "Bayesian modelling"),
    ("zuko==1.3.0", "zuko", "sbi==0.23.3", "sbi", "normalizing flows"),
    ("langchain==0.3.20", "langchain", "llama-index-core==0.12.20", "llama_index", "retrieval"),
    ("haystack-ai==2.10.0", "haystack", "txtai==8.3.0", "txtai", "retrieval"),
    ("haystack-ai==2.10.0", "haystack", "llama-index-core==0.12.20", "llama_index", "retrieval"),
    ("ragas==0.2.13", "ragas", "deepeval==2.5.0", "deepeval", "evaluation of retrieval"),
    ("loralib==0.1.2", "loralib", "opendelta==0.3.2", "opendelta", "low-rank adaptation"),
    ("lycoris-lora==3.4.0", "lycoris", "opendelta==0.3.2", "opendelta", "low-rank adaptation"),
    ("crfm-helm==0.5.4", "helm", "inspect-ai==0.3.80", "inspect_ai", "language-model evaluation"),
    ("pytorch-tabular==1.1.1", "pytorch_tabular", "pytorch-widedeep==1.6.5", "pytorch_widedeep", "tabular data"),
    ("rtdl==0.0.13", "rtdl", "pytorch-widedeep==1.6.5", "pytorch_widedeep", "tabular data"),
    ("shap==0.47.0", "shap", "alibi==0.9.6", "alibi", "explanations"),
    ("foolbox==3.3.4", "foolbox", "torchattacks==3.5.1", "torchattacks", "adversarial attacks"),
    ("adversarial-robustness-toolbox==1.19.1", "art", "cleverhans==4.0.0", "cleverhans", "adversarial attacks"),
    ("catalyst==22.4", "catalyst", "pytorch-ignite==0.5.2", "ignite", "training loops"),
    ("Poutyne==1.17.2", "poutyne", "torchbearer==0.5.5", "torchbearer", "training loops"),
    ("mosaicml==0.30.0", "composer", "pytorch-ignite==0.5.2", "ignite", "training loops"),
    ("equinox==0.11.11", "equinox", "objax==1.8.0", "objax", "layers on JAX"),
    ("deepxde==1.13.0", "deepxde", "neuraloperator==1.0.2", "neuralop", "partial differential equations"),
    ("torchdyn==1.0.6", "torchdyn", "torchsde==0.2.6", "torchsde", "differential equations"),
    ("opacus==1.5.3", "opacus", "tensorflow-privacy==0.9.0", "tensorflow_privacy", "differential privacy"),
    ("colbert-ai==0.2.21", "colbert", "txtai==8.3.0", "txtai", "retrieval"),
    ("beir==2.1.0", "beir", "colbert-ai==0.2.21", "colbert", "retrieval"),
    ("mteb==1.34.0", "mteb", "opencompass==0.4.1", "opencompass", "benchmarks"),
    ("lighteval==0.8.1", "lighteval", "inspect-ai==0.3.80", "inspect_ai", "language-model evaluation"),
    ("opencompass==0.4.1", "opencompass", "inspect-ai==0.3.80", "inspect_ai", "language-model evaluation"),
    ("distrax==0.1.5", "distrax", "zuko==1.3.0", "zuko", "distributions"),
    ("pyiqa==0.1.14.1", "pyiqa", "torch-fidelity==0.3.0", "torch_fidelity", "image metrics"),
    ("torch-optimizer==0.3.0", "torch_optimizer", "mosaicml==0.30.0", "composer", "optimisers"),
    ("coqui-tts==0.26.0", "TTS", "asteroid==0.7.0", "asteroid", "speech"),
    ("torchaudio==2.2.2", "torchaudio", "pyannote-audio==3.3.2", "pyannote", "speech"),
    ("greatx==0.0.1b0", "greatx", "spektral==1.3.1", "spektral", "graph networks"),
    ("chemprop==2.1.0", "chemprop", "dgllife==0.3.2", "dgllife", "molecules"),
    ("super-image==0.2.0", "super_image", "torchgan==0.1.0", "torchgan", "image generation"),
    ("foolbox==3.3.4", "foolbox", "cleverhans==4.0.0", "cleverhans", "adversarial attacks"),
    ("bayesian-torch==0.5.0", "bayesian_torch", "pythae==0.1.2", "pythae", "variational models"),
    ("pfrl==0.1.0", "pfrl", "tianshou==0.5.1", "tianshou", "reinforcement learning"),
    ("mushroom-rl==1.4.0", "mushroom_rl", "d3rlpy==2.8.1", "d3rlpy", "reinforcement learning"),
    ("sbi==0.23.3", "sbi", "pymc==5.20.0", "pymc", "Bayesian inference"),
    ("litgpt==0.5.7", "litgpt", "fairseq2==0.4.5", "fairseq2", "language models"),
    ("rectools==0.13.0", "rectools", "recommenders==1.2.1", "recommenders", "recommenders"),
    ("langchain==0.3.20", "langchain", "haystack-ai==2.10.0", "haystack", "retrieval"),
    ("tsai==0.4.0", "tsai", "neuralprophet==0.9.0", "neuralprophet", "time series"),
    ("vissl==0.1.6", "vissl", "mosaicml==0.30.0", "composer", "training loops"),
    ("rllte-core==1.0.1", "rllte", "skrl==1.4.3", "skrl", "reinforcement learning"),
    ("deeprobust==0.2.11", "deeprobust", "spektral==1.3.1", "spektral", "graph networks"),
    ("pytorch-toolbelt==0.8.0", "pytorch_toolbelt", "icevision==0.12.0", "icevision", "vision losses and models"),
    ("pytorch-optimizer==3.5.0", "pytorch_optimizer", "mosaicml==0.30.0", "composer", "optimisers"),
    ("cogdl==0.6", "cogdl", "dgllife==0.3.2", "dgllife", "graph networks"),
)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """A common source that was found by reading the functions and their files."""

    suspect: str  # beginning of "path qualname"
    reference: str
    source: str
    why: str  # how one can see it

    def explains(self, suspect_place: str, reference_place: str) -> bool:
        """Whether both places lie within it, in this direction."""
        return _begins(suspect_place, self.suspect) and _begins(reference_place, self.reference)


def _begins(place: str, beginning: str) -> bool:
    """Whether a place begins so, and not in the middle of a word."""
    following = place[len(beginning) : len(beginning) + 1]
    return place.startswith(beginning) and not (following.isalnum() or following == "_")


@cache
def known() -> tuple[Ancestry, ...]:
    """All common sources, in the order of the file."""
    with ANCESTRIES.open("rb") as file:
        return tuple(Ancestry(**table) for table in tomllib.load(file)["ancestry"])


def ancestry(suspect_place: str, reference_place: str) -> str:
    """Name the common source of two functions, each given as "path qualname"; "" if none is known."""
    for each in known():
        if each.explains(suspect_place, reference_place) or each.explains(reference_place, suspect_place):
            return each.source
    return ""
