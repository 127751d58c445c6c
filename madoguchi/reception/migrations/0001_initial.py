import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The table is there already: it was booking's (`booking.0002_visit_moves_to_reception`)."""

    initial = True

    dependencies = [
        ("booking", "0002_visit_moves_to_reception"),
        ("offices", "0001_initial"),
        ("residents", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Visit",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("on", models.DateField(verbose_name="来庁日")),
                        ("ticket", models.PositiveIntegerField(verbose_name="受付番号")),
                        (
                            "booked_for",
                            models.DateTimeField(blank=True, null=True, verbose_name="予約日時"),
                        ),
                        (
                            "reason_without_booking",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("did_not_know", "予約を知らなかった"),
                                    ("no_smartphone", "スマートフォンがない"),
                                    ("cannot_operate", "操作できなかった"),
                                    ("phoned", "電話した（つながらない・案内違い）"),
                                    ("full", "空きがなかった"),
                                    ("urgent", "急ぎの用件"),
                                    ("prefers_queue", "来て待ちたい"),
                                    ("other", "その他"),
                                ],
                                max_length=20,
                                verbose_name="予約しなかった理由",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("waiting", "お待ち"),
                                    ("called", "呼出中"),
                                    ("serving", "対応中"),
                                    ("done", "終了"),
                                    ("absent", "不在"),
                                ],
                                default="waiting",
                                max_length=20,
                                verbose_name="状態",
                            ),
                        ),
                        (
                            "calls",
                            models.PositiveSmallIntegerField(default=0, verbose_name="呼出回数"),
                        ),
                        ("arrived_at", models.DateTimeField(verbose_name="受付日時")),
                        (
                            "called_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="呼出日時"),
                        ),
                        (
                            "started_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="開始日時"),
                        ),
                        (
                            "finished_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="終了日時"),
                        ),
                        (
                            "appointment",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visit",
                                to="booking.appointment",
                                verbose_name="予約",
                            ),
                        ),
                        (
                            "counter",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="offices.counter",
                                verbose_name="窓口",
                            ),
                        ),
                        (
                            "officer",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="呼び出した職員",
                            ),
                        ),
                        (
                            "resident",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="residents.resident",
                                verbose_name="相談者",
                            ),
                        ),
                        (
                            "service",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="booking.service",
                                verbose_name="手続き・相談メニュー",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="offices.site",
                                verbose_name="庁舎",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "来庁",
                        "indexes": [
                            models.Index(fields=["site", "on", "status"], name="visit_today")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("site", "on", "ticket"), name="visit_ticket_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("booked_for__isnull", False),
                                        ("reason_without_booking", ""),
                                    ),
                                    models.Q(
                                        ("appointment", None),
                                        ("booked_for", None),
                                        models.Q(("reason_without_booking", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="visit_booked_or_with_a_reason",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("status", "waiting"),
                                    models.Q(
                                        ("called_at__isnull", False),
                                        ("counter__isnull", False),
                                        ("officer__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="visit_called_at_a_counter",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("status__in", ["serving", "done"]), _negated=True),
                                    ("started_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="visit_served_has_times",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("finished_at__isnull", False), ("status", "done")),
                                    models.Q(
                                        models.Q(("status", "done"), _negated=True),
                                        ("finished_at", None),
                                    ),
                                    _connector="OR",
                                ),
                                name="visit_done_has_an_end",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("status__in", ["called", "serving"])),
                                fields=("counter", "on"),
                                name="visit_one_at_a_counter",
                            ),
                        ],
                    },
                ),
            ]
        )
    ]
