"""What makes git listen to nobody but us: not to a repository's configuration, not to the environment's."""

from __future__ import annotations

import os
from collections.abc import Mapping

from detector.read.limits import GIT_MEMORY

# Variables by which git would read another repository than the one named; a hook's environment is full of them.
STEERING = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
# Those of them by which git tells its hooks where they are: which index is about to be committed, and where the objects
# of a push wait that is not accepted yet.
TOLD_TO_HOOKS = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat"}
# Nothing is fetched while objects are read, and a commit id means its own content, not a replacement.
READ_ONLY = {
    "GIT_ALLOC_LIMIT": GIT_MEMORY,
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
# Settings by which a repository names programs, silenced: given on the command line they outrank its own.
SILENCED = {
    "core.alternateRefsCommand": "",
    "core.fsmonitor": "false",
    "core.gitProxy": "",
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
}
SILENCED_READING = {"core.sshCommand": "", "protocol.allow": "never", "safe.directory": "*"}


def given(settings: Mapping[str, str]) -> dict[str, str]:
    """The variables by which git takes settings that outrank those of any file."""
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return numbered
