"""The two shapes of a row in the table of formats: reasoning between tags, and messages on channels.

Knows nothing of any one model: the row supplies the markers.
"""

from gateway.reasoning.states import Format, Header, Rule, State


def tagged(
    name: str,
    families: str,
    start: str | tuple[str, ...],
    end: str | tuple[str, ...],
    *,
    tools: tuple[str, ...] = (),
    frames: tuple[str, ...] = (),
    label: str = "",
    wrapper: tuple[str, str] | None = None,
    starts_inside: bool = True,
    by_request: bool = False,
    reopens: bool = False,
    model_pattern: str = "",
    note: str = "",
) -> Format:
    """Return a format whose reasoning stands between a `start` and an `end` marker, before the response.

    Before the first word of the response the reasoning may begin any number of times, and markers without their
    counterpart are dropped; after it, both are words. `reopens` says that the model reasons again after that: its start
    markers still count at the beginning of a line.
    `tools` are markers that end the reasoning too and stay in the text. `frames` are markers that lead to the
    response from any state and are dropped. `label` is text that is dropped after a start marker. `wrapper` is a
    pair of markers that is dropped around a response that begins with the first of them.
    `start` and `end` have the same number of markers; ValueError if not.
    """
    starts = (start,) if isinstance(start, str) else start
    ends = (end,) if isinstance(end, str) else end
    on_start = dict.fromkeys(starts, Rule("opening"))
    on_end = dict.fromkeys((*ends, *frames), Rule("leading"))
    on_frame = dict.fromkeys(frames, Rule("leading"))
    on_tool = dict.fromkeys(tools, Rule("response", keep=True))
    on_label = {label: Rule("labelled")} if label else {}
    on_wrapper = {wrapper[0]: Rule("wrapped")} if wrapper else {}
    on_wrapper_end = {wrapper[1]: Rule("leading")} if wrapper else {}
    begun = on_start | on_end | on_tool
    return Format(
        name=name,
        families=families,
        markers=" or ".join(f"{first}…{last}" for first, last in zip(starts, ends, strict=True)),
        states={
            "leading": State("response", on_start | on_end | on_wrapper, fallback="response"),
            "opening": State("reasoning", begun | on_label, fallback="reasoning"),
            "labelled": State("reasoning", begun, fallback="reasoning"),
            "reasoning": State("reasoning", on_end | on_tool),
            "response": State("response", on_frame, line_markers=on_start if reopens else {}),
            "wrapped": State("response", on_wrapper_end),
        },
        inside="opening",
        outside="leading",
        starts_inside=starts_inside,
        by_request=by_request,
        starts=starts,
        ends=ends,
        model_pattern=model_pattern,
        note=note,
    )


def channels(
    name: str,
    families: str,
    markers: str,
    *,
    openers: tuple[str, ...],
    closers: tuple[str, ...],
    routes: tuple[tuple[str, Rule], ...],
    model_pattern: str = "",
    note: str = "",
) -> Format:
    """Return a format of messages, each with a header up to `<|message|>`, a body and a closer.

    `openers` begin a header; those that are not `<|…|>` tokens do so only between messages. `routes` decide by the
    header whether the body is reasoning, response or a message to a tool, which stays in the response, its header
    and closer included.
    """
    tokens = tuple(opener for opener in openers if opener.startswith("<|"))
    header = Rule("header")
    # The body of a message ends at its closer, or at the next header if the model forgets the closer.
    body = dict.fromkeys(tokens, header) | dict.fromkeys(closers, Rule("between"))
    return Format(
        name=name,
        families=families,
        markers=markers,
        states={
            "between": State("response", body | dict.fromkeys(openers, header), fallback="response"),
            "header": Header(end="<|message|>", routes=routes),
            "reasoning": State("reasoning", body),
            "response": State("response", body),
            "tool": State("response", dict.fromkeys(tokens, header)),
        },
        inside="reasoning",
        outside="between",
        starts_inside=False,
        model_pattern=model_pattern,
        note=note,
    )
