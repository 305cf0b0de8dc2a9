"""Words by which a sentence claims nothing, by themselves: patterns that have them take a while to compile."""

NEGATION = (
    r"(?:no|not|never|none|nothing|nor|neither|without|cannot"
    r"|\w+n['’´`]t|(?:is|was|are|were|has|have|had|do|does|did)nt)"
)
