from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Prefetch, QuerySet

from madoguchi.booking.models import Appointment, Service
from madoguchi.booking.rules import AppointmentStatus
from madoguchi.casework.models import Case, Handover
from madoguchi.offices import queries as offices
from madoguchi.offices.models import City, Counter, Division, Room, Site
from madoguchi.offices.rules import OfficeDay
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import VisitStatus
from madoguchi.staff.models import User

# What most cities have: one line a division, to be trimmed by hand (name, reading, , , duties).
SAMPLE_DIVISIONS = """\
市民相談センター,しみんそうだんせんたー,,,市民相談、消費生活相談
市民課,しみんか,,,戸籍、住民登録、マイナンバーカード
保険年金課,ほけんねんきんか,,,国民健康保険、国民年金
税務課,ぜいむか,,,市税の証明、課税
納税課,のうぜいか,,,納付、納税相談
保育課,ほいくか,,,保育所の入所、保育料
こども家庭課,こどもかていか,,,児童手当、ひとり親支援、児童相談
生活福祉課,せいかつふくしか,,,生活保護、生活困窮者の自立支援
高齢福祉課,こうれいふくしか,,,高齢者福祉、地域包括支援
介護保険課,かいごほけんか,,,要介護認定、介護保険料
障害福祉課,しょうがいふくしか,,,手帳、障害福祉サービス
環境課,かんきょうか,,,ごみ、騒音、空き地
道路公園課,どうろこうえんか,,,道路、街路灯、公園
住宅課,じゅうたくか,,,市営住宅、空き家
商工課,しょうこうか,,,創業、補助金
学校教育課,がっこうきょういくか,,,就学、就学援助
危機管理課,ききかんりか,,,防災、防犯
総務課,そうむか,,,庁舎管理、文書、情報システム
"""


def sites_with_places() -> QuerySet[Site]:
    """Return the sites with their counters and rooms; three queries."""
    counters = Counter.objects.select_related("division").order_by("-is_active", "id")
    rooms = Room.objects.order_by("-is_active", "id")
    return Site.objects.order_by("-is_active", "id").prefetch_related(
        Prefetch("counters", counters), Prefetch("rooms", rooms)
    )


def divisions_listed() -> QuerySet[Division]:
    return Division.objects.order_by("-is_active", "is_outside", "-is_centre", "id")


def month_of(*, site: Site, first: date) -> list[list[OfficeDay]]:
    """Return the weeks (Monday to Sunday) that hold the month which begins at `first`."""
    start = first - timedelta(days=first.weekday())
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    end = following + timedelta(days=(7 - following.weekday()) % 7 - 1)
    days = offices.office_days(site=site, first=start, last=end)
    return [days[index : index + 7] for index in range(0, len(days), 7)]


def why_still_needed(row: Site | Division | Counter | Room, *, at: datetime) -> list[str]:
    """Return what still depends on the office, in words that say what to do about it."""
    match row:
        case Site():
            counted = {
                "使用中の窓口が{}か所": row.counters.filter(is_active=True).count(),
                "使用中の相談室が{}室": row.rooms.filter(is_active=True).count(),
                "これからの予約が{}件": _coming(at).filter(counter__site=row).count(),
            }
        case Division():
            counted = {
                "在職の職員が{}人": User.objects.filter(division=row, is_active=True).count(),
                "使用中の窓口が{}か所": row.counters.filter(is_active=True).count(),
                "終了していない案件が{}件": Case.objects.open().filter(owner=row).count(),
                "終わっていない引き継ぎが{}件": Handover.objects.outstanding()
                .filter(to=row)
                .count(),
                "使用中の手続きが{}件": Service.objects.filter(
                    division=row, is_active=True
                ).count(),
            }
        case Counter():
            counted = {
                "これからの予約が{}件": _coming(at).filter(counter=row).count(),
                "応対中の来庁者が{}人": Visit.objects.filter(
                    counter=row, status__in=[VisitStatus.CALLED, VisitStatus.SERVING]
                ).count(),
            }
        case Room():
            counted = {
                "終わっていない出向依頼が{}件": Handover.objects.outstanding()
                .filter(room=row)
                .count()
            }
    return [words.format(count) for words, count in counted.items() if count]


def booked_on(*, site: Site, on: date) -> int:
    """Count the appointments that would be left standing if the site shut that day."""
    booked = Appointment.objects.on_day(on).filter(status=AppointmentStatus.BOOKED)
    return booked.filter(counter__site=site).count()


def _coming(at: datetime) -> QuerySet[Appointment]:
    return Appointment.objects.filter(start__gte=at, status=AppointmentStatus.BOOKED)


@dataclass(frozen=True)
class Step:
    """One step of the first set-up: whether it is done, and what is there."""

    name: str
    words: str
    is_done: bool
    count: str = ""


def set_up_steps() -> list[Step]:
    """Return the steps from an empty city to the first visitor, in order."""
    city = City.objects.first()
    sites = Site.objects.filter(is_active=True).count()
    # The first administrator's own division is not yet an organisation.
    divisions = Division.objects.filter(is_active=True).count()
    counters = Counter.objects.filter(is_active=True).count()
    rooms = Room.objects.filter(is_active=True).count()
    staff = User.objects.filter(is_active=True).count()
    return [
        Step("city", "自治体の名称", city is not None, city.name if city else ""),
        Step("sites", "庁舎と開庁時間", sites > 0, f"{sites}か所"),
        Step("divisions", "部署", divisions > 1, f"{divisions}部署"),
        Step("places", "窓口・相談室", counters > 0, f"窓口{counters}か所・相談室{rooms}室"),
        Step("staff", "職員", staff > 1, f"{staff}人"),
    ]
