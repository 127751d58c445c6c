"""汐見市 today: what can be booked, who is expected, who waits, and what lies on the desks."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from madoguchi.booking import actions as booking
from madoguchi.booking import queries as places
from madoguchi.booking.models import Appointment, Errand, Service
from madoguchi.booking.rules import JST, Source, Stage
from madoguchi.casework import actions as casework
from madoguchi.casework import rules
from madoguchi.casework.models import Case, Category
from madoguchi.demo import city, people, texts
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import original_text
from madoguchi.knowledge import actions as knowledge
from madoguchi.knowledge.rules import tables
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.reception import actions as reception
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import Remark
from madoguchi.staff.models import User

WEEKDAYS = 0b0011111
EVERY_DAY = 0b1111111
BOOKINGS = 130
BOOKINGS_TODAY = 14
MORNING = timedelta(minutes=50)  # what has passed of today when one looks in
EVENING = timedelta(hours=18, minutes=5)


def open_services(*, by: User, at: datetime) -> None:
    """Say what can be booked, and when each counter takes bookings."""
    counters = {
        (counter.site.name, counter.name): counter
        for counter in Counter.objects.select_related("site", "division")
    }
    for order, sketch in enumerate(city.SERVICES, start=1):
        fields = {
            "code": sketch.code,
            "name": sketch.name,
            "kana": sketch.kana,
            "keywords": sketch.keywords,
            "category": sketch.category,
            "summary": sketch.summary,
            "minutes": sketch.minutes,
            "division": Division.objects.get(name=sketch.division),
            "bring": "\n".join(sketch.bring),
            "stage": sketch.stage,
            "order": order * 10,
            "most_people": 3 if sketch.code == "kokoro" else 1,  # the family may come too
        }
        at_counters = [counters[place] for place in sketch.counters]
        booking.save_service(service=None, fields=fields, counters=at_counters, by=by, at=at)
    used = {place for sketch in city.SERVICES for place in sketch.counters}
    for place in sorted(used):
        weekdays = EVERY_DAY if place[0] == city.CENTRE_SITE else WEEKDAYS
        booking.add_opening_rule(
            counter=counters[place],
            weekdays=weekdays,
            opens_at=time(9),
            closes_at=time(16, 30),
            lunch_from=time(12),
            lunch_until=time(13),
            valid_from=at.astimezone(JST).date(),
            by=by,
            at=at,
        )


def fill_the_calendar(*, until: datetime, rng: Random) -> None:
    """
    Let people book since last evening: for today at the centre, then for the days to come.

    Whoever booked for today comes around now or later; `until` changes nothing but that.
    """
    today = until.astimezone(JST).date()
    booking.lay_out_days(counters=Counter.objects.select_related("site"), first=today)
    evening = datetime.combine(today - timedelta(days=1), time(), tzinfo=JST) + EVENING
    online = list(Service.objects.filter(stage=Stage.ONLINE.value).order_by("pk"))
    centre = Site.objects.get(name=city.CENTRE_SITE)
    at_centre = [each for each in online if each.counters.filter(site=centre)]
    pace = min(timedelta(minutes=6), (until - evening) * 0.85 / BOOKINGS)
    of_today = Random(rng.random())  # noqa: S311  a made-up city, not a secret
    at = evening
    for _ in range(BOOKINGS_TODAY):
        at += pace + timedelta(seconds=of_today.randrange(20))
        service = of_today.choice(at_centre)
        slots = _offered(service, first=today, last=today, at=at, site=centre)
        around_now = [slot for slot in slots if slot.start >= until - MORNING]
        if around_now:
            _book(service, of_today.choice(around_now).start, centre, rng=of_today, at=at)
    for _ in range(BOOKINGS - BOOKINGS_TODAY):
        at += pace + timedelta(seconds=rng.randrange(20))
        service = rng.choice(online)
        last = today + timedelta(days=rng.choice((6, 13, 20, 34)))
        slots = _offered(service, first=today + timedelta(days=1), last=last, at=at)
        if slots:
            slot = rng.choice(slots)
            _book(service, slot.start, Site.objects.get(code=slot.site), rng=rng, at=at)


def _offered(
    service: Service, *, first: date, last: date, at: datetime, site: Site | None = None
) -> list[places.Slot]:
    errand = Errand((service,))
    window = places.window_of(errand, at=at)
    return places.free_slots(errand, first=first, last=last, window=window, site=site)


def _book(service: Service, start: datetime, site: Site, *, rng: Random, at: datetime) -> None:
    person = people.invent(rng)
    booking.book(
        service=service,
        site=site,
        start=start,
        name=person.name,
        kana=person.kana,
        phone=person.phone,
        email=person.email,
        source=Source.WEB,
        by=None,
        at=at,
    )


def open_the_doors(*, until: datetime, rng: Random) -> None:
    """
    Let the last hour pass at the centre: arrivals, calls, talks, and a full waiting room.

    At any hour of any day, for it is there to practise with. Soon after midnight the hour is
    told faster, so that all of it is today.
    """
    site = Site.objects.get(name=city.CENTRE_SITE)
    desks = list(site.counters.filter(kind="desk").order_by("pk"))
    uketsuke = User.objects.get(username="uketsuke")
    officers = [
        User.objects.select_related("division").get(username=name)
        for name in ("soudan", "kinoshita", "shohi")
    ]
    services = list(Service.objects.filter(counters__in=desks).distinct().order_by("pk"))
    steps: list[tuple[datetime, Callable[[datetime], object]]] = []

    local = until.astimezone(JST)
    today = local.date()
    since_midnight = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    pace = min(1.0, since_midnight / timedelta(hours=1))

    def ago(minutes: int) -> datetime:
        return until - timedelta(minutes=minutes) * pace

    expected = Appointment.objects.expected(site=site, day=today)
    for appointment in expected.filter(start__lte=until + timedelta(minutes=10)):
        came = min(
            appointment.start - timedelta(minutes=rng.randint(2, 12)),
            ago(rng.randint(1, 8)),
        )
        if came > until - MORNING * pace and rng.random() < 0.8:
            steps.append((came, _check_in(appointment, site, uketsuke)))
    nursery = Service.objects.get(code="hoiku")
    steps.append((ago(50), _walk_in(site, nursery, Remark.DID_NOT_KNOW, uketsuke)))
    for minutes in (49, 47, 33, 21, 14, 9, 5, 5):
        service, reason = rng.choice(services), rng.choice(list(Remark))
        steps.append((ago(minutes), _walk_in(site, service, reason, uketsuke)))
    for desk, officer, first in zip(desks, officers, (48, 45, 38), strict=True):
        begin = ago(first)
        steps.append((begin, _call(desk, officer)))
        steps.append((ago(first - 1), _start(desk, officer)))
        if officer.username != "soudan":
            steps.append((ago(first - 24), _finish(desk, officer)))
            steps.append((ago(first - 28), _call(desk, officer)))
    steps.append((ago(12), _start(desks[1], officers[1])))
    steps.append((ago(40), _listen(desks[0], officers[0], site, rng)))
    for at, step in sorted(steps, key=lambda step: step[0]):
        step(at)


def _check_in(appointment: Appointment, site: Site, by: User) -> Callable[[datetime], object]:
    return lambda at: reception.check_in(appointment=appointment, site=site, by=by, at=at)


def _walk_in(
    site: Site, service: Service, reason: Remark, by: User
) -> Callable[[datetime], object]:
    return lambda at: reception.walk_in(site=site, service=service, reason=reason, by=by, at=at)


def _call(desk: Counter, by: User) -> Callable[[datetime], object]:
    return lambda at: reception.call_next(counter=desk, by=by, at=at)


def _start(desk: Counter, by: User) -> Callable[[datetime], object]:
    def step(at: datetime) -> None:
        if visit := Visit.objects.filter(counter=desk, status="called").first():
            reception.start(visit=visit, by=by, at=at)

    return step


def _finish(desk: Counter, by: User) -> Callable[[datetime], object]:
    def step(at: datetime) -> None:
        if visit := Visit.objects.filter(counter=desk, status="serving").first():
            reception.finish(visit=visit, by=by, at=at)

    return step


def _listen(desk: Counter, by: User, site: Site, rng: Random) -> Callable[[datetime], object]:
    """The counsellor opens the case of whoever sits there, and asks 保育課 to come."""

    def step(at: datetime) -> None:
        visit = Visit.objects.filter(counter=desk, status="serving").first()
        if visit is None:
            return
        case = casework.open_from_visit(visit=visit, by=by, at=at)
        matter = next(m for m in texts.matters() if m.division == city.NURSERY)
        telling = texts.tell(matter, rng=rng, is_in_person=True)
        case = casework.write_record(
            case=case,
            version=case.version,
            kind=rules.Kind.CONSULTATION.value,
            category=Category.objects.get(code=matter.category),
            title=telling.title,
            summary=telling.summary,
            worries={"children": True, "income": False},
            channel=rules.Channel.COUNTER.value,
            text=telling.first_contact,
            minutes=20,
            by=by,
            at=at + timedelta(minutes=1),
        )
        casework.ask_division(
            case=case,
            kind=rules.HandoverKind.COME.value,
            to=Division.objects.get(name=city.NURSERY),
            note=telling.note,
            due_on=rules.record_due_on(at.date(), days=5, counts_closed_days=False),
            room=Room.objects.filter(site=site).order_by("pk").first(),
            by=by,
            at=at + timedelta(minutes=2),
        )

    return step


def publish_faq(*, at: datetime) -> None:
    """Put the city's questions and answers before the public."""
    content = (Path(__file__).parent / "faq.csv").read_bytes()
    table = tables.read_table(content, original_text)
    if table.errors:
        raise RuleBroken(f"faq.csv: {table.errors[0]}")
    knowledge.take_in(rows=table.rows, actor="admin", at=at)


def draft_faq(*, at: datetime) -> None:
    """Leave drafts made from closed cases, two of them waiting for approval."""
    author = User.objects.select_related("division").get(username="soudan")
    for number, (category, question, answer) in enumerate(DRAFTS):
        case = Case.objects.filter(
            status=rules.Status.CLOSED.value, category__code=category, is_sensitive=False
        ).latest("closed_at", "pk")
        faq = casework.draft_faq(
            case=case,
            question=question,
            answer=answer,
            category=case.category.name,
            by=author,
            at=at + timedelta(minutes=number),
        )
        if number < 2:
            knowledge.propose(faq=faq, by=author, at=at + timedelta(minutes=number, seconds=40))


DRAFTS = (
    (
        "CHILD",
        "就労証明書がまだもらえません。保育所の申し込みはできますか。",
        "できます。内定の段階の証明書でも申し込めます。働き始めてから、就労証明書を出し直してください。"
        "期限に間に合わないときは、保育課へ先に連絡してください。",
    ),
    (
        "TAX",
        "国民健康保険料の督促状が届きましたが、もう払いました。どうすればよいですか。",
        "払った日から記録に反映されるまで、10日ほどかかることがあります。"
        "領収書を用意して、保険年金課へ電話してください。行き違いのときは、届いた督促状は捨ててかまいません。",
    ),
    (
        "ELDER",
        "離れて暮らす親のもの忘れが心配です。だれに相談すればよいですか。",
        "地域包括支援センターの職員が、家を訪ねて様子を見ることができます。"
        "市民相談センターか、介護保険課へ相談してください。本人に知らせずに相談することもできます。",
    ),
)
