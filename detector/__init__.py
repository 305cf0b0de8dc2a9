"""Find copied modeling code between ML repositories, also when it was renamed, reformatted and rewritten.

    from detector.compare import compare
    from detector.read import open_target

    with open_target("my_model/") as suspect, open_target("pypi:vllm==0.6.3") as reference:
        report = compare(suspect, [reference])

The public API is `detector.compare` (`compare`), `detector.options` (`Options`), `detector.read` (`open_target`),
`detector.targets` (what a target is), `detector.model` (what a report is made of) and `detector.report`
(`json.render`, `html.render`, `terminal.render`). Nothing is imported here: `detector --version` must not wait for it.
"""

__version__ = "0.1.0"
