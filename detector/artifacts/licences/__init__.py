"""Under which licence code stands, by what a project and its files say, and what a table says of two licences.

What an index and a hook need; `matched.py` puts it to the matches of a comparison.
"""

from detector.artifacts.licences.compatibility import terms
from detector.artifacts.licences.credit import credit
from detector.artifacts.licences.headers import of_file
from detector.artifacts.licences.project import Licences, of_project

__all__ = ["Licences", "credit", "of_file", "of_project", "terms"]
