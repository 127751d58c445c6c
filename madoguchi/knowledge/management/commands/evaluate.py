import json
import time
from argparse import ArgumentParser
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from madoguchi.knowledge import analyser, queries
from madoguchi.knowledge.rules import evaluation, ranking

DEPTH = 100
LABELS = {
    "average_precision": "MAP",
    "reciprocal_rank": "MRR",
    "ndcg_10": "nDCG@10",
    "recall_10": "R@10",
    "hit_3": "Hit@3",
}
PLAIN = ranking.Weights(senses=0, synonyms=0, characters=0, coverage=0, salience=0)


class Command(BaseCommand):
    help = "検索の質を、質問と正解の表（TSV: 質問、id[,id…]、1か2）で測ります。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="UTF-8のTSVファイル")
        parser.add_argument(
            "--against",
            metavar="CONFIG",
            help="比べる設定。plain（語の一致だけ）か、synonyms=0,coverage=0 のような重み",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(
        self, *args: Any, file: Path, against: str | None, format: str, **options: Any
    ) -> None:
        try:
            with file.open(encoding="utf-8-sig") as lines:
                judged = evaluation.read_judgements(lines)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not judged:
            raise CommandError("質問が1つもありません。")
        ours, times = self._run(judged, ranking.Weights(**settings.SEARCH_WEIGHTS))
        report: dict[str, Any] = {
            "queries": len(judged),
            "measures": {LABELS[name]: v for name, v in evaluation.means(ours).items()},
            "without_a_hit_in_10": sum(one.recall_10 == 0 for one in ours),
            "p50_ms": _quantile(times, 0.5),
            "p95_ms": _quantile(times, 0.95),
            "analyser": analyser.revision(),
            "dictionary": version("sudachidict-core"),
        }
        if against:
            theirs, _ = self._run(judged, _weights(against))
            report["against"] = against
            report["their_measures"] = {
                LABELS[name]: value for name, value in evaluation.means(theirs).items()
            }
            report["differences"] = {
                LABELS[name]: {"mean": mean, "low": low, "high": high}
                for name, (mean, low, high) in evaluation.differences(ours, theirs).items()
            }
        self.stdout.write(
            json.dumps(report, ensure_ascii=False, indent=1) if format == "json" else _text(report)
        )

    def _run(
        self, judged: list[evaluation.Judged], weights: ranking.Weights
    ) -> tuple[list[evaluation.Scores], list[float]]:
        scores, times = [], []
        for one in judged:
            begun = time.perf_counter()
            hits = queries.search(one.query, DEPTH, weights=weights)
            times.append(1000 * (time.perf_counter() - begun))
            scores.append(evaluation.measure([hit.faq.key for hit in hits], one.grades))
        return scores, times


def _weights(config: str) -> ranking.Weights:
    if config == "plain":
        return PLAIN
    names = {one.name for one in fields(ranking.Weights)}
    try:
        pairs = dict(part.split("=") for part in config.split(","))
        if pairs.keys() - names:
            raise ValueError
        changed = {name: float(value) for name, value in pairs.items()}
    except ValueError:
        raise CommandError(
            f"設定「{config}」を読めません。{'、'.join(sorted(names))} に =数値 を付けてください。"
        ) from None
    return replace(ranking.Weights(**settings.SEARCH_WEIGHTS), **changed)


def _quantile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 2)


def _text(report: dict[str, Any]) -> str:
    lines = [
        f"質問 {report['queries']}件、解析器 {report['analyser']}、辞書 {report['dictionary']}"
    ]
    for name, value in report["measures"].items():
        line = f"{name:8} {value:.4f}"
        if "differences" in report:
            gain = report["differences"][name]
            line += f"  {report['against']} {report['their_measures'][name]:.4f}"
            line += f"  差 {gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
        lines.append(line)
    lines.append(f"上位10件に正解なし {report['without_a_hit_in_10']}件")
    lines.append(f"1件あたり 中央値 {report['p50_ms']} ms、95% {report['p95_ms']} ms")
    return "\n".join(lines)
