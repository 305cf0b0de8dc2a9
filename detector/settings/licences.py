"""Every number that was chosen for licences, with its reason."""

from __future__ import annotations

# Characters of an expression: that of a package which bundles forty libraries has 900.
LONGEST_EXPRESSION = 2_000
# Brackets within brackets: nobody writes more than two, and the library recurses.
DEEPEST_EXPRESSION = 16
# Operands of an expression: more are lists of a distribution, of which no pair tells anything.
MOST_OPERANDS = 60
# Expressions, names and texts of which the reading is kept: a project states some ten.
MOST_KEPT = 1_024

# Files of licences that are opened in one project: what lies beyond belongs to what it bundles.
MOST_LICENCE_FILES = 40
# Bytes of one of them: the GPL has 35,000, a wheel's bundle of notices up to some hundred thousand.
MOST_LICENCE_BYTES = 262_144
# Words of a file above those of the licences in it that a name, a title, copyright lines and an appendix may take.
SPARE_WORDS = 80
# ... and as a share of those of the licences: of Apache's some leave the appendix out.
SPARE_SHARE = 0.1
# Share of a licence's phrases from which on a text is told as being like it.
LIKE_SHARE = 0.7
# Characters of a README's section on its licence that are read.
README_SECTION = 600

# Rows of an exhibit: more statements are of a bundle.
MOST_STATEMENTS = 60
# Characters of a statement that are told.
LONGEST_STATEMENT = 120
# Characters of the names and of the target in a comment that gives credit: a line of it stays below a hundred.
LONGEST_CREDITED = 90
