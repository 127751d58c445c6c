from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from madoguchi.foundation import dates
from madoguchi.offices.models import Division, Site
from madoguchi.rota import queries
from madoguchi.rota.models import Duty, Member, Skill
from madoguchi.rota.rules import duties, steps
from madoguchi.staff.models import User
from madoguchi.ui.fields import JapaneseDateField, PhoneField


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of people: the name and where they work."""

    def label_from_instance(self, obj: Any) -> str:
        user = obj.user if isinstance(obj, Member) else obj
        return f"{user.name}（{user.division}）"


class PeriodForm(forms.Form):
    """Two days in order."""

    first = JapaneseDateField(label="最初の日")
    last = JapaneseDateField(
        label="最後の日", required=False, help_text="1日だけのときは空けます。"
    )

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or self.cleaned_data
        if fields.get("first") and not fields.get("last") and "last" not in self.errors:
            fields["last"] = fields["first"]
        if fields.get("first") and fields.get("last"):
            try:
                steps.check_period(fields["first"], fields["last"])
            except steps.PeriodNotPossible as reason:
                self.add_error("last", str(reason))
        return fields


class MakeForm(PeriodForm):
    last = JapaneseDateField(label="最後の日")
    most_in_row = forms.IntegerField(
        label="連続勤務の上限（日）",
        initial=5,
        min_value=1,
        max_value=duties.MOST_IN_ROW,
        help_text="当番が続いてよい日数です。週に1日の休みのため、6日までです。",
    )
    closed_gap = forms.IntegerField(
        label="閉庁日の当番どうしの間（日）",
        initial=1,
        min_value=0,
        max_value=14,
        help_text="1なら、土曜と日曜のように続く閉庁日に同じ人を入れません。",
    )

    def __init__(self, *args: Any, today: date, **more: Any) -> None:
        super().__init__(*args, **more)
        year = dates.fiscal_year(today) + 1
        self.fields["first"].initial = date(year, 4, 1)
        self.fields["last"].initial = date(year + 1, 3, 31)


class PublishForm(forms.Form):
    accept_holes = forms.BooleanField(label="空きがあるまま公開する", required=False)


class ReplanForm(forms.Form):
    changes_from = JapaneseDateField(
        label="組み直す最初の日", help_text="この日より前の当番は変えません。例: R8.12.1"
    )


class AssignForm(forms.Form):
    member = forms.ModelChoiceField(
        Member.objects.none(),
        label="当番に入る人",
        required=False,
        help_text="出られる人から順に並んでいます。",
    )
    accept = forms.BooleanField(
        label="承知のうえで決める",
        required=False,
        help_text="決まりに合わない人を、それでも当番にするときに選びます。",
    )

    def __init__(
        self, *args: Any, duty: Duty, candidates: Iterable[queries.Candidate], **more: Any
    ) -> None:
        more["initial"] = {"member": duty.member_id}
        super().__init__(*args, **more)
        words = {
            each.member.pk: f"{each.member}（{each.hindrance or each.wish or '出られる'}）"
            for each in candidates
        }
        field = self.fields["member"]
        field.queryset = queries.members_in(words)  # type: ignore[attr-defined]
        field.choices = [  # type: ignore[attr-defined]
            ("", "空きにする"),
            *words.items(),
        ]


class LeaveForm(PeriodForm):
    kind = forms.ChoiceField(
        label="理由", choices=[(kind.value, label) for kind, label in steps.LEAVE_LABELS.items()]
    )


class WishForm(forms.Form):
    on = JapaneseDateField(label="日")
    kind = forms.ChoiceField(label="希望")

    def __init__(
        self, *args: Any, member: Member, kinds: Collection[steps.Wish], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.member, self.kinds = member, kinds
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.value, steps.WISH_LABELS[kind]) for kind in kinds
        ]

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        fixed = self.member.wishes.filter(on=on, kind=steps.Wish.MUST.value)
        if steps.Wish.MUST not in self.kinds and fixed.exists():
            raise ValidationError(
                "この日は「必ず入る」と決まっています。変えるときはセンター長に相談してください。"
            )
        return on


class SwapForm(forms.Form):
    colleague = PersonField(Member.objects.none(), label="代わってほしい人")
    in_return = forms.ModelChoiceField(
        Duty.objects.none(),
        label="引き受ける当番",
        required=False,
        empty_label="なし（代わってもらうだけ）",
        help_text="その人の当番と取り替えるときに選びます。",
    )
    reason = forms.CharField(label="理由", max_length=200, required=False)

    def __init__(
        self, *args: Any, members: QuerySet[Member], exchanges: QuerySet[Duty], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.fields["colleague"].queryset = members  # type: ignore[attr-defined]
        self.fields["in_return"].queryset = exchanges  # type: ignore[attr-defined]
        self.fields["in_return"].label_from_instance = _duty_label  # type: ignore[attr-defined]


def _duty_label(duty: Duty) -> str:
    return f"{dates.wareki_short(duty.on)} {duty.skill}（{duty.member}）"


class AbsenceForm(PeriodForm):
    user = PersonField(User.objects.none(), label="不在の人")
    kind = forms.ChoiceField(
        label="理由",
        choices=[(kind.value, label) for kind, label in steps.LEAVE_LABELS.items()],
        initial=steps.Leave.SICK.value,
        help_text="ほかの人には表示しません。",
    )
    stand_in = PersonField(
        User.objects.none(),
        label="代わりの人",
        required=False,
        empty_label="まだ決まっていない",
        help_text="あとから、候補を見て決めることもできます。",
    )
    note = forms.CharField(
        label="代わりの人への申し送り",
        required=False,
        help_text="約束、途中の案件の番号、連絡先など。相談者の氏名は書かず、受付番号で書いてください。",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    field_order = ("user", "first", "last", "kind", "stand_in", "note")

    def __init__(self, *args: Any, people: QuerySet[User], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["user"].queryset = people  # type: ignore[attr-defined]
        everyone = User.objects.filter(is_active=True).select_related("division")
        self.fields["stand_in"].queryset = everyone.order_by(  # type: ignore[attr-defined]
            "division__name", "kana", "id"
        )


class StandInForm(forms.Form):
    stand_in = PersonField(
        User.objects.none(), label="代わりの人", required=False, empty_label="まだ決まっていない"
    )
    note = forms.CharField(
        label="代わりの人への申し送り",
        required=False,
        help_text="相談者の氏名は書かず、受付番号で書いてください。",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, colleagues: QuerySet[User], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["stand_in"].queryset = colleagues  # type: ignore[attr-defined]


class ContactForm(forms.Form):
    name = forms.CharField(label="氏名", max_length=60, required=False)
    phone = PhoneField(label="電話", required=False)
    note = forms.CharField(label="メモ", max_length=100, required=False)

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or self.cleaned_data
        if fields.get("name") and not fields.get("phone") and "phone" not in self.errors:
            self.add_error("phone", "電話番号を入力してください。")
        if fields.get("phone") and not fields.get("name"):
            self.add_error("name", "氏名を入力してください。")
        return fields


ContactFormSet = forms.formset_factory(ContactForm, extra=2, max_num=8)


class NeedsForm(forms.Form):
    """How many people of each skill, for each kind of day and shift: one number each."""

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        super().__init__(*args, **more)
        now = {(need.day_kind, need.shift, need.skill_id): need.count for need in site.needs.all()}
        self.keys: dict[str, tuple[str, str, Skill]] = {}
        for skill in Skill.objects.all():
            for kind in duties.DayKind:
                for shift in duties.Shift:
                    name = f"{skill.pk}_{kind.value}_{shift.value}"
                    self.keys[name] = (kind.value, shift.value, skill)
                    when = f"{duties.DAY_KIND_LABELS[kind]} {duties.SHIFT_LABELS[shift]}"
                    self.fields[name] = forms.IntegerField(
                        label=f"{skill} {when}",
                        min_value=0,
                        max_value=20,
                        initial=now.get((kind.value, shift.value, skill.pk), 0),
                    )

    def rows(self) -> Iterable[tuple[Skill, list[list[forms.BoundField]]]]:
        """Yield each skill with its fields, by kind of day and shift: the rows of a table."""
        for skill in Skill.objects.all():
            yield (
                skill,
                [
                    [self[f"{skill.pk}_{kind.value}_{shift.value}"] for shift in duties.Shift]
                    for kind in duties.DayKind
                ],
            )

    def changes(self) -> list[tuple[str, str, Skill, int]]:
        return [(*self.keys[name], self.cleaned_data[name]) for name in self.changed_data]


class SkillForm(forms.Form):
    name = forms.CharField(label="役割の名称", max_length=30)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Skill.objects.filter(name=name).exists():
            raise ValidationError("同じ名称の役割があります。")
        return name


class MemberForm(forms.Form):
    user = PersonField(User.objects.none(), label="職員")
    skills = forms.ModelMultipleChoiceField(
        Skill.objects.all(), label="役割", widget=forms.CheckboxSelectMultiple
    )
    serves_weekdays = forms.BooleanField(label="平日の当番に入る", required=False, initial=True)
    weekdays = forms.MultipleChoiceField(
        label="出られる曜日（平日）",
        choices=[(letter, letter) for letter in duties.WEEKDAYS[:5]],
        initial=list(duties.WEEKDAYS[:5]),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    serves_closed_days = forms.BooleanField(
        label="閉庁日の当番に入る", required=False, initial=True
    )
    share = forms.IntegerField(
        label="分担の割合（%）",
        min_value=10,
        max_value=100,
        initial=100,
        help_text="短時間勤務の人は、勤務時間に合わせて減らします。",
    )
    joins_on = JapaneseDateField(label="当番に入る日", required=False)
    leaves_on = JapaneseDateField(label="当番の最後の日", required=False)

    def __init__(self, *args: Any, member: Member | None = None, **more: Any) -> None:
        if member:
            more["initial"] = {
                "user": member.user_id,
                "skills": list(member.skills.all()),
                "serves_weekdays": member.serves_weekdays,
                "serves_closed_days": member.serves_closed_days,
                "weekdays": list(member.weekdays),
                "share": member.share,
                "joins_on": member.joins_on,
                "leaves_on": member.leaves_on,
            }
        super().__init__(*args, **more)
        people = User.objects.filter(is_active=True).select_related("division")
        people = people.filter(pk=member.user_id) if member else people.filter(rota_member=None)
        self.fields["user"].queryset = people.order_by(  # type: ignore[attr-defined]
            "division__name", "kana", "id"
        )

    def clean_weekdays(self) -> str:
        return "".join(self.cleaned_data["weekdays"])

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or self.cleaned_data
        if not fields.get("serves_weekdays") and not fields.get("serves_closed_days"):
            self.add_error("serves_weekdays", "平日か閉庁日の、少なくとも一方を選んでください。")
        joins, leaves = fields.get("joins_on"), fields.get("leaves_on")
        if joins and leaves and leaves < joins:
            self.add_error("leaves_on", "当番の最後の日は、入る日より後にしてください。")
        return fields


class TurnOrderForm(forms.Form):
    """The order as one number per division; empty means that it takes no turns."""

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        super().__init__(*args, **more)
        order = queries.turn_divisions(site)
        self.divisions = {
            f"division_{division.pk}": division
            for division in Division.objects.filter(is_active=True, is_outside=False).order_by(
                "id"
            )
        }
        for name, division in self.divisions.items():
            self.fields[name] = forms.IntegerField(
                label=division.name,
                min_value=1,
                max_value=999,
                required=False,
                initial=order.index(division.pk) + 1 if division.pk in order else None,
            )

    def ordered(self) -> list[Division]:
        numbered = [
            (number, name) for name, number in self.cleaned_data.items() if number is not None
        ]
        return [self.divisions[name] for _, name in sorted(numbered)]
