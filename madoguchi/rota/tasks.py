from contextlib import closing
from datetime import datetime, timedelta

from django.utils import timezone

from madoguchi.foundation.jobs import background
from madoguchi.rota import actions, queries, solver
from madoguchi.rota.models import PlanRun
from madoguchi.rota.rules import steps
from madoguchi.rota.rules.solve import Solution

BREATH = timedelta(seconds=0.5)  # between two notes of progress


@background
def run_planner(run_id: int) -> None:
    """On commit: plan one rota. Called twice, it plans once."""
    run = actions.begin_run(run_id=run_id, at=timezone.now())
    if run is None:
        return
    asked = queries.problem(run.rota, changes_from=run.changes_from)
    noted: datetime | None = None
    try:
        with closing(solver.search(asked, seed=run.seed)) as messages:
            for message in messages:
                now = timezone.now()
                if isinstance(message, Solution):
                    actions.finish_run(run=run, solution=message, at=now)
                    return
                if noted is None or now - noted >= BREATH:
                    noted = now
                    if not actions.note_progress(run=run, progress=message, at=now):
                        return
    except solver.PlannerDied:
        actions.fail_run(
            run_id=run_id,
            reason="途中で止まりました。もう一度実行してください。",
            at=timezone.now(),
        )


def sweep_runs() -> None:
    """Every minute: queue again what still waits, and end what has died with its worker."""
    now = timezone.now()
    for run_id in (
        PlanRun.objects.filter(status=steps.Run.RUNNING.value)
        .filter(heard_at__lt=now - steps.SILENCE)
        .values_list("pk", flat=True)
    ):
        actions.fail_run(
            run_id=run_id, reason="途中で止まりました。もう一度実行してください。", at=now
        )
    for run_id in PlanRun.objects.filter(
        status=steps.Run.WAITING.value, heard_at__lt=now - steps.SILENCE
    ).values_list("pk", flat=True):
        run_planner(run_id)
