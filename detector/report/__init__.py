"""Report -> text: one file a format, each with `render`. They know the nouns of `detector.model` and nothing else."""
