"""Words that the libraries of machine-learning code give a meaning: what a mutant must not rename, or may move."""

from __future__ import annotations

import collections
import datetime
import io
import logging
import pathlib
import re
import types

# Called or read by torch and the frameworks around it, by name; renaming any of these changes what a program does.
FRAMEWORK = frozenset(
    "forward backward training train eval config device dtype weight_norm reset_parameters extra_repr setup_context "
    "state_dict load_state_dict parameters named_parameters buffers modules named_modules children apply cuda cpu to "
    "half float register_buffer register_parameter register_module add_module requires_grad_ zero_grad step fit "
    "predict transform configure_optimizers training_step validation_step test_step on_train_start on_epoch_end "
    "get_input_embeddings set_input_embeddings get_output_embeddings set_output_embeddings _init_weights "
    "prepare_inputs_for_generation _reorder_cache _tie_weights tie_weights resize_token_embeddings get_encoder "
    "get_decoder _prune_heads prune_heads post_init init_weights generate from_pretrained save_pretrained "
    "set_default_language setUp tearDown setUpClass tearDownClass main_input_name keys values items get construct call "
    "__all__ default_config args kwargs".split()
)
HARMLESS_BASES = frozenset("Module object ABC Function Generic Sequential ModuleList ModuleDict Protocol".split())
CONTAINERS = frozenset("ModuleList Sequential ModuleDict OrderedDict partial ParameterList DataParallel".split())
PASSES_THROUGH = frozenset(
    "list tuple dict zip enumerate getattr next iter reversed sorted map filter min max deepcopy copy checkpoint vars "
    "partial type defaultdict".split()
)
CONFIGURATION = re.compile(r"(^|_)(config|configs|configuration|cfg|conf|hparams|args|opt|opts|options|settings)$")
CALLED_BY_KEYWORD = frozenset("fixture parametrize option argument command group main given hook".split())

# Functions that only look at their arguments. None that consumes an iterator.
PURE_FUNCTIONS = frozenset("len int float bool abs isinstance range round str".split())
PURE_METHODS = frozenset(
    "size dim view reshape transpose permute contiguous unsqueeze squeeze expand flatten float long half numel mean "
    "type_as clone detach startswith endswith lower upper strip split join format ndimension softmax cumsum".split()
)
EVERYDAY = (
    str, bytes, list, dict, set, tuple, int, float, complex, slice, range, OSError, SyntaxError, io.TextIOWrapper,
    io.BytesIO, io.StringIO, re.Pattern, re.Match, pathlib.Path, datetime.datetime, datetime.timedelta, logging.Logger,
    collections.Counter, collections.deque, collections.OrderedDict, types.FunctionType, types.GeneratorType,
)  # fmt: skip
# An object of unknown kind that has one of these may well be a tensor, a file, a list ...
EVERYDAY_ATTRIBUTES = PURE_METHODS | {name for kind in EVERYDAY for name in dir(kind)}
