"""
Search as LIKE would do it: 2,000 random queries against an oracle that reads every text.

Usage: python -m bench.case_search [ROWS] [QUERIES] [SEED]     (1000000, 2000 and 1 unless said)
Queries of 1 to 12 characters: two of three are cut out of a text, one of three is put together
of characters of the texts. Asked by a counsellor (who may not see everything) the index must give
the newest fifty exactly as the oracle does: `instr` over the folded texts, newest first, under
the definition of what the reader may see. The milliseconds are those of the search without the
page around it; the control is the oracle on the same queries, a few of them.
"""

import os
import sys
import time
from random import Random
from statistics import median

SHOWN = 50


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    from bench.cases_million import filled

    with filled(rows):
        return _compare(count, seed)


def _compare(count: int, seed: int) -> int:
    from django.db import connection

    from madoguchi.casework import access
    from madoguchi.casework.models import SearchText
    from madoguchi.casework.rules import read_case_number
    from madoguchi.casework.tasks import merge_index
    from madoguchi.foundation.japanese import text_key
    from madoguchi.staff.models import User

    merge_index()
    reader = User.objects.select_related("division").get(username="counsellor3")
    chance = Random(seed)
    texts = list(_texts(chance, 4_000))
    signs = "".join(text for text in texts[:400]).replace("\n", "")
    queries: list[str] = []
    while len(queries) < count:
        length = 1 + len(queries) % 12
        if len(queries) % 3:
            text = chance.choice(texts)
            start = chance.randrange(max(1, len(text) - length))
            query = text[start : start + length].replace("\n", "")
        else:
            query = "".join(chance.choice(signs) for _ in range(length))
        if text_key(query):
            queries.append(query)

    began = time.perf_counter()
    every = [
        (pk, text, names)
        for pk, text, names in SearchText.objects.filter(
            pk__in=access.visible_cases(reader).values("pk")
        )
        .order_by("-pk")
        .values_list("pk", "text", "names")
        .iterator(chunk_size=20_000)
    ]
    print(f"  the oracle holds {len(every):,} texts ({time.perf_counter() - began:.0f} s)")

    taken: list[float] = []
    oracle: list[float] = []
    wrong = 0
    longest = (0.0, "")
    for number, query in enumerate(queries):
        began = time.perf_counter()
        page = access.cases_page(reader, {"q": query}, page=1, size=SHOWN)
        spent = (time.perf_counter() - began) * 1_000
        taken.append(spent)
        longest = max(longest, (spent, str(len(query))))
        began = time.perf_counter()
        right = []
        word, number_meant = text_key(query), read_case_number(query).lower()
        for pk, text, names in every:
            if (
                word in text
                or word in names
                or (number_meant and text.startswith(f"{number_meant}\n"))
            ):
                right.append(pk)
                if len(right) == SHOWN:
                    break
        oracle.append((time.perf_counter() - began) * 1_000)
        if [case.pk for case in page] != right:
            wrong += 1
            print(f"  differs: query {number}, {len(query)} characters")
    taken.sort()
    oracle.sort()
    print(f"{connection.vendor}, {len(queries)} queries, load average {os.getloadavg()[0]:.1f}")
    for name, each in (("index", taken), ("oracle, texts in memory", oracle)):
        p95 = each[int(len(each) * 0.95)]
        print(f"  {name:<24} p50 {median(each):7.1f} ms   p95 {p95:7.1f} ms")
    print(f"  slowest {longest[0]:.0f} ms ({longest[1]} characters); answers that differ: {wrong}")
    return 1 if wrong else 0


def _texts(chance: Random, count: int) -> list[str]:
    from madoguchi.casework.models import SearchText

    last = SearchText.objects.order_by("-pk").values_list("pk", flat=True)[0]
    ids = [chance.randrange(1, last) for _ in range(count)]
    return list(
        SearchText.objects.filter(pk__in=ids).order_by("pk").values_list("text", flat=True)
    )


if __name__ == "__main__":
    sys.exit(main())
