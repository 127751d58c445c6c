"""The people and rows on which the access matrix is played. All of them are real rows."""

from enum import StrEnum
from typing import Any

from django.db.models import Model
from django.test import Client

from madoguchi.knowledge import actions as faqs
from madoguchi.knowledge.models import Faq
from madoguchi.messaging import actions as messaging
from madoguchi.messaging.models import OutboundMessage
from madoguchi.offices.models import City, Division, OpeningDay
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make


class Relation(StrEnum):
    """How the row relates to the reader: whose it is, and in what state."""

    OWN = "own"  # of the division 保育課, to which officers and supervisors belong
    OTHER = "other"  # of another division
    CLOSED = "closed"  # of the own division, closed
    SECRET = "secret"  # of the own division, of a resident with restricted display


ANONYMOUS = "anonymous"
Reader = Role | str
READERS: tuple[Reader, ...] = (ANONYMOUS, *Role)
IN_DIVISION = (Role.OFFICER, Role.SUPERVISOR)
SECRET_CONTACT = {
    "phone": "08055550199",
    "email": "canary@kakurega.example",
    "address": "隠れ里市ひみつ町七丁目一番地",
}


class World:
    """One city with a row of each kind in each relation, and one browser for each reader."""

    def __init__(self) -> None:
        City.objects.get_or_create(pk=1, defaults={"name": "汐見市"})
        self.own = make.division("保育課")
        self.other = make.division("衛生課")
        self.people: dict[Role, User] = {
            role: make.staff(
                role,
                division=self.own if role in IN_DIVISION else make.centre(),
                username=f"matrix-{role}",
            )
            for role in Role
        }
        self.colleague = make.staff(Role.OFFICER, division=self.other)
        self.clients: dict[Reader, Client] = {ANONYMOUS: _client()}
        for role, user in self.people.items():
            self.clients[role] = _client()
            self.clients[role].force_login(user)
        self.residents: dict[Relation, Resident] = {
            relation: make.resident(**(SECRET_CONTACT | {"is_restricted": True}))
            if relation is Relation.SECRET
            else make.resident(phone="0312345678", address="汐見市本町1")
            for relation in Relation
        }
        for resident in self.residents.values():
            resident.accommodations.create(kind="筆談")

        self.offices: dict[str, Model] = {
            "site": make.site("港町支所"),
            "division": make.division("旧都市課"),
            "counter": make.counter("8番"),
            "room": make.room("相談室8"),
        }
        self.exception = OpeningDay.objects.create(
            site=self.offices["site"], on=make.NOW.date(), reason="工事"
        )
        self.faqs = {relation: self._faq(relation) for relation in Relation}
        self.proposed_faqs = {relation: self._faq(relation) for relation in Relation}
        for each in self.proposed_faqs.values():
            faqs.propose(faq=each, by=self.colleague, at=make.NOW)
        self.public_faq = self._faq(Relation.OWN)
        faqs.propose(faq=self.public_faq, by=self.colleague, at=make.NOW)
        faqs.approve(faq=self.public_faq, by=self.people[Role.CENTRE_HEAD], at=make.NOW)
        self.message = messaging.post(
            channel="mail", to="kakari@shiomi.example", subject="依頼", body="依頼", at=make.NOW
        )
        OutboundMessage.objects.filter(pk=self.message.pk).update(gave_up_at=make.NOW)

    def division(self, relation: Relation) -> Division:
        return self.other if relation is Relation.OTHER else self.own

    def resident(self, relation: Relation) -> Resident:
        return self.residents[relation]

    def _faq(self, relation: Relation) -> Faq:
        return faqs.draft(
            question="保育所の申し込みに何が要りますか",
            answer="身分証をお持ちください。",
            category="子育て",
            division=self.division(relation),
            by=self.colleague,
            at=make.NOW,
        )


def _client(**options: Any) -> Client:
    return Client(raise_request_exception=False, **options)
