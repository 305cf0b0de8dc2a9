#!/usr/bin/env bash
# Lint, types, tests: everything that must hold before a change is merged. Makes its own environment in .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# An active environment or a foreign search path must not decide what is tested. Bytecode is kept: hundreds of tests
# start the program anew, and compiling it is a quarter of what a small comparison costs.
unset PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE VIRTUAL_ENV CONDA_PREFIX
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PYTHONNOUSERSITE=1
# Tests take all processors: threads of linear algebra beside them only wait for each other, and double what some cost.
export OMP_NUM_THREADS=1

python=.venv/bin/python
is_new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

if ! "$python" -c "$is_new_enough" 2>/dev/null; then
  base=""
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$candidate" -c "$is_new_enough" 2>/dev/null; then
      base=$candidate
      break
    fi
  done
  if [[ -z $base ]]; then
    echo "tests/all.sh: no Python 3.11 or newer found: install one, or name it: PYTHON=/path/to/python3 bash tests/all.sh" >&2
    exit 2
  fi
  "$base" -m venv --clear .venv
fi

# Installing takes longer than testing: only when the requirements changed.
installed=.venv/installed
if ! cmp --silent pyproject.toml "$installed"; then
  "$python" -m pip install --quiet --editable '.[dev]'
  cp pyproject.toml "$installed"
fi

"$python" -m ruff check detector tests bench
"$python" -m ruff format --check detector tests bench
"$python" -m mypy --num-workers auto

# As many tests at once as there are processors; what shares a module's fixtures stays together until one has none left.
# Temporary files in a place of their own: what an earlier run may have left elsewhere has no part in this one.
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
"$python" -m pytest -n auto --dist worksteal --basetemp="$temporary/pytest"
