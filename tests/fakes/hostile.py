"""Texts that cost a reader the most: of nothing but ends of sentences, quotes, brackets, digits or markers."""

FAMILIES = (
    *("x", "x ", "a. ", ".", ". ", "?!", "…", "\n", " \n", "\t", "\r", "(", "[", "{", '"', "'", "`", "a`", "```\n"),
    *("~~~", "*", "- ", "1", "1,", "1/2 ", "一", "百", "。", "。」", "$$", "\\(", "\\", "<", "<|", "<think>"),
    *("<tool_call>", "wait ", "data: x\n", "to=", "<|channel|>", "Here's "),
)
