"""Words of citizens and of the office for the same thing, as lines: first the citizens'."""

from collections.abc import Callable, Iterable, Mapping, Sequence

Analyse = Callable[[str], Sequence[str]]
Groups = tuple[tuple[tuple[str, ...], ...], ...]  # group → entry → words


def read_groups(lines: Iterable[str], analyse: Analyse) -> Groups:
    """Return the groups of a list: one group a line, entries divided by commas, # comments."""
    groups = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            entries = (tuple(analyse(entry)) for entry in line.replace("、", ",").split(","))
            groups.append(tuple(dict.fromkeys(filter(None, entries))))
    return tuple(group for group in groups if len(group) > 1)


def expand(words: Sequence[str], groups: Groups) -> Mapping[str, str]:
    """
    Return words that may stand instead, each with the word of the query that led to it.

    An entry is met when its words stand side by side in the query; it leads to the words of
    every other entry of its group.
    """
    found: dict[str, str] = {}
    for group in groups:
        for entry in group:
            if not _stands_in(entry, words):
                continue
            for other in group:
                for word in other:
                    if word not in words:
                        found.setdefault(word, entry[0])
    return found


def _stands_in(entry: Sequence[str], words: Sequence[str]) -> bool:
    size = len(entry)
    return any(tuple(words[at : at + size]) == entry for at in range(len(words) - size + 1))
