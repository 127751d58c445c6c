import pytest

from madoguchi.demo import actions, city
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import City, Division, Site
from madoguchi.staff.models import User
from tests import make

pytestmark = pytest.mark.django_db


def test_everyone_of_the_first_page_can_sign_in() -> None:
    actions.load(seed=1, at=make.NOW)

    for person in city.LOGINS:
        user = User.objects.get(username=person.username)
        assert user.role == person.role
    assert user.check_password(city.PASSWORD)
    assert User.objects.get(username="kakari").division.name == city.NURSERY


def test_the_centre_is_open_every_day_of_the_year() -> None:
    actions.load(seed=1, at=make.NOW)

    site = Site.objects.get(name=city.CENTRE_SITE)
    assert site.closed_day_opens_at is not None
    assert site.is_open_at_year_end


def test_a_database_with_real_rows_is_refused() -> None:
    City.objects.create(pk=1, name="実在市")

    with pytest.raises(RuleBroken, match="空のデータベース"):
        actions.load(seed=1, at=make.NOW)
    with pytest.raises(RuleBroken, match="消しません"):
        actions.empty_database()
    assert City.objects.get().name == "実在市"
    assert not Division.objects.filter(name=city.NURSERY).exists()
