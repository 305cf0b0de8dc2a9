"""Every number that was chosen for tokenizers, with its reason."""

from __future__ import annotations

# The largest published tokenizer.json has some 35 MB and 1.5 million values, nested six levels deep.
MOST_TOKENIZER_BYTES = 64 * 2**20
MOST_TOKENIZER_VALUES = 6_000_000
MOST_TOKENIZER_DEPTH = 32
# The largest published vocabularies have 262,144 tokens and about twice as many merges.
MOST_TOKENS = 2_000_000
MOST_MERGES = 4_000_000
# Most have some dozens of added tokens, one 26,000.
MOST_ADDED = 100_000
# Tokenizers read of one side: projects have one or two, collections of models a dozen.
MOST_TOKENIZERS = 16
# Tokens and merges that are held of all of them, some hundred bytes each: ten times those of the largest published one.
MOST_HELD_TOKENS = 8_000_000

# Part of the stored table of known tokenizers: hashes of another spelling of tokens must not be compared.
KNOWN_TOKENIZERS_VERSION = 1

# A known tokenizer is the base of one that has this share of its tokens at the same ids. Independent ones have at most
# a hundredth (the 256 bytes), those that continue another's list all of it (bench/evidence_tokenizer).
BASE_SHARE = 0.5
# Without a vocabulary the base is told from added tokens at the same ids: this many, so that `<s>`, `</s>` and `<unk>`
# at 0 to 2, which dozens of tokenizers have, tell nothing ...
FEWEST_BASE_ADDED = 8
# ... and this share of what the base has.
BASE_ADDED_SHARE = 0.5
# Vocabularies are the same if this many tokens beyond a known base have equal ids (more than the 256 bytes, which many
# have in one order), and this share of the smaller one's.
FEWEST_SAME_TOKENS = 1_000
SAME_VOCABULARY_SHARE = 0.5
# A few trained tokens that were overwritten count as changes; more of them are another vocabulary.
MOST_OVERWRITTEN = 256
# An added token that this share of the families of models has is worth nothing.
COMMON_TOKEN_SHARE = 1 / 32
# Shared changes become a line from these bits on, two unusual tokens: of 34,274 pairs of unrelated families of models
# 32 reach them, and 89 reach the 8 bits of one token that no other family has (bench/evidence_tokenizer) ...
CHANGES_LINE_BITS = 12.0
# ... and this part of the bits is what they support, since tokens are chosen together: 12 of these pairs have 20 bits,
# 6 have 25 and one has 30.
CHANGES_PART = 0.5
# Statements of a chat template that both have and no known template: unrelated templates share at most 3.
FEWEST_TEMPLATE_STATEMENTS = 4
# Rows of an exhibit.
MOST_TOKEN_ROWS = 40
