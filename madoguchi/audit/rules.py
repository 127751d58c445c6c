"""How one event of the trail is bound to the one before it, and what a broken trail tells."""

import hashlib
import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

GENESIS = "0" * 64
REACH = 1000  # how many numbers away a moved line is looked for


class Line(NamedTuple):
    """One event as the table holds it; `at` is UTC, `2026-11-24 01:00:00.000000`."""

    number: int
    at: str
    verb: str
    actor: str
    target_label: str
    target_key: str
    person: int | None
    reason: str
    detail: str
    previous_hash: str
    hash: str


class Anchor(NamedTuple):
    """The head of the trail at some moment, kept where the database's owner cannot reach."""

    number: int
    hash: str


class Break(NamedTuple):
    """The first event at which the trail is no longer what was written."""

    number: int
    kind: str  # edited, removed, inserted, reordered, cut_off, rewritten


BREAK_LABELS = {
    "edited": "が書き換えられています",
    "removed": "が削除されています",
    "inserted": "があとから挿入されています",
    "reordered": "の順序が入れ替えられています",
    "cut_off": "以降が切り捨てられています（控えより短い）",
    "rewritten": "までのどこかが、要約値ごと書き換えられています（控えと一致しない）",
}


def canonical(detail: dict[str, Any]) -> str:
    """Return the one spelling of the detail that is stored and hashed: ASCII, keys in order."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"))


def chain_hash(line: Line) -> str:
    """
    Return the SHA-256 of the JSON array of the line without its own hash.

    The number and the hash of the line before are inside, so no line can move or go missing.
    """
    return hashlib.sha256(hashed_text(line).encode()).hexdigest()


def hashed_text(row: tuple[Any, ...]) -> str:
    """
    Return `json.dumps` of the row without its last column, put together by hand.

    A million times: the encoder sets itself up for every call, its quoting alone is one call
    in C. A test holds that both agree.
    """
    number, at, verb, actor, label, key, person, reason, detail, previous, _ = row
    # Only a real number is written bare: the text 'null' must not pass for an empty column.
    who = "null" if person is None else person if type(person) is int else json.dumps(person)
    return (
        f"[{number}, {quoted(at)}, {quoted(verb)}, {quoted(actor)}, {quoted(label)},"
        f" {quoted(key)}, {who}, {quoted(reason)}, {quoted(detail)}, {quoted(previous)}]"
    )


class Checker:
    """
    Walks the trail once, in order of numbers, and stops at the first event that is not genuine.

    Memory stays small: the checker keeps the last hash and the anchors.
    """

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        self.anchors = dict(anchors)
        self.number = 0
        self.hash = GENESIS

    def feed(self, rows: list[tuple[Any, ...]]) -> Break | None:
        """Check the next rows (columns as in `Line`); None means that all are genuine."""
        number, before, anchors = self.number, self.hash, self.anchors
        sha256 = hashlib.sha256
        for index, row in enumerate(rows):
            number += 1
            digest = sha256(hashed_text(row).encode()).hexdigest()
            if row[0] != number or row[9] != before or row[10] != digest:
                return _what_happened([Line(*row) for row in rows[index:]], number)
            before = digest
            if number in anchors and anchors[number] != digest:
                return Break(number, "rewritten")
        self.number, self.hash = number, before
        return None

    def end(self) -> Break | None:
        """Say whether an anchor lies beyond the last event."""
        if max(self.anchors, default=0) > self.number:
            return Break(self.number + 1, "cut_off")
        return None


def _what_happened(lines: list[Line], number: int) -> Break:
    """
    Name the first bad event: `lines[0]` is not what was written as `number`.

    A line that is genuine at another number was moved: forward by an insertion, back by a
    removal, or by changing places with a line that is still there.
    """
    line, later = lines[0], lines[1:]
    if line.number > number:
        return Break(number, "removed")
    if _genuine_at(line, number):
        # It stands as written, so the one before it was changed and given a new hash.
        return Break(max(number - 1, 1), "edited")
    for written_as in range(max(1, number - REACH), number):
        if _genuine_at(line, written_as):
            return Break(written_as, "inserted")
    for written_as in range(number + 1, number + REACH):
        if _genuine_at(line, written_as):
            is_there = any(line.previous_hash == other.hash for other in later)
            return Break(number, "reordered" if is_there else "removed")
    if any(_genuine_at(other, number) for other in later[:REACH]):
        return Break(number, "inserted")
    return Break(number, "edited")


def _genuine_at(line: Line, number: int) -> bool:
    return chain_hash(line._replace(number=number)) == line.hash


# What each verb of the trail says to the auditor. A test holds that none is missing.
VERB_LABELS = {
    "audit.read": "監査証跡を見た",
    "audit.export": "監査証跡を書き出した",
    "audit.report": "本人への閲覧記録を作った",
    "resident.list": "相談者の一覧を見た",
    "resident.read": "相談者の記録を見た",
    "resident.register": "相談者を登録した",
    "resident.update": "相談者の記録を直した",
    "resident.add_accommodation": "配慮事項を加えた",
    "resident.remove_accommodation": "配慮事項を除いた",
    "resident.restrict": "住所秘匿にした",
    "resident.lift_restriction": "住所秘匿を解いた",
    "resident.reveal": "秘匿された連絡先を表示した",
    "staff.log_in": "ログインした",
    "staff.log_out": "ログアウトした",
    "staff.fail_log_in": "ログインに失敗した",
    "staff.fail_second_factor": "二段階認証に失敗した",
    "staff.use_recovery_code": "予備コードを使った",
    "staff.enrol": "二段階認証を設定した",
    "staff.change_password": "パスワードを変えた",
    "staff.add_person": "職員を加えた",
    "staff.update_person": "職員の設定を変えた",
    "staff.deactivate": "職員の利用を止めた",
    "staff.reactivate": "職員の利用を再開した",
    "staff.reset_password": "仮パスワードを出した",
    "staff.reset_second_factor": "二段階認証を解除した",
    "token.create": "APIトークンを発行した",
    "token.revoke": "APIトークンを失効させた",
    "appointment.book": "予約を取った",
    "counter_feed.make": "窓口のカレンダーのリンクを作った",
    "counter_feed.withdraw": "窓口のカレンダーのリンクを止めた",
    "line.follow": "予約のお知らせをLINEで受け取ることにした",
    "appointment.confirm": "予約をメールの確認で確定した",
    "appointment.lapse": "確認のなかった予約を取り消した",
    "appointment.cancel": "予約を取り消した",
    "appointment.reschedule": "予約の日時を変えた",
    "appointment.remind": "前日のお知らせを送った",
    "appointment.move": "市の都合で予約を移した",
    "appointment.mark_told": "移した予約を本人に知らせた",
    "waiting.join": "キャンセル待ちに加えた",
    "waiting.leave": "キャンセル待ちをやめた",
    "waiting.list": "キャンセル待ちの一覧を見た",
    "waiting.offer": "キャンセル待ちの方に空きを案内した",
    "appointment.mark_missed": "来庁なしにした",
    "appointment.read": "予約を見た",
    "appointment.list": "予約の一覧を見た",
    "appointment.find": "予約者を名前で探した",
    "visit.check_in": "来庁を受け付けた",
    "visit.walk_in": "予約なしの来庁を受け付けた",
    "visit.identify": "来庁者がだれかを記録した",
    "visit.call_next": "呼び出した",
    "visit.call": "番号をえらんで呼び出した",
    "visit.recall": "もう一度呼び出した",
    "visit.mark_absent": "不在にした",
    "visit.return_to_queue": "順番に戻した",
    "visit.start": "応対を始めた",
    "visit.finish": "応対を終えた",
    "visit.go_on": "次の窓口へ案内した",
    "visit.add_stop": "番号票に窓口を加えた",
    "visit.transfer": "ほかの窓口へ引き継いだ",
    "visit.park": "保留にした",
    "visit.read": "来庁者を見た",
    "visit.list": "来庁者の一覧を見た",
    "counter.close": "窓口を休止した",
    "counter.open": "窓口を再開した",
    "support.begin": "応援を始めた",
    "support.end": "応援を終えた",
    "alert.raise": "緊急の知らせを出した",
    "alert.acknowledge": "緊急の知らせを受けた",
    "queue_rule.set": "呼び出す順を決めた",
    "terminal.add": "受付機を登録した",
    "terminal.withdraw": "受付機を取り外した",
    "service.add": "手続き・相談メニューを加えた",
    "service.change": "手続き・相談メニューを変えた",
    "service.save": "手続き・相談メニューを保存した",
    "stage_change.propose": "段階の切り替えを計画した",
    "stage_change.approve": "段階の切り替えを承認した（GO）",
    "stage_change.stop": "段階の切り替えを中止した",
    "stage_change.carry_out": "決めた日に段階を切り替えた",
    "stage_change.go_back": "前の段階に戻した",
    "expected_question.save": "想定問答を保存した",
    "booking_notice.save": "予約制のお知らせの文を保存した",
    "booking_notice.print": "予約制のお知らせを印刷した",
    "assumption.save": "試算の前提を保存した",
    "desk_event.note": "受付での出来事を数えた",
    "desk_event.take_back": "受付での出来事を取り消した",
    "opening_rule.add": "受付時間を加えた",
    "opening_rule.withdraw": "受付時間を取り下げた",
    "case.receive": "案件を受理した",
    "case.read": "案件を見た",
    "case.list": "案件の一覧を見た",
    "case.excel": "案件を書き出した",
    "case.write_record": "相談記録票を書いた",
    "case.write_contact": "応対を書いた",
    "case.correct_contact": "応対を訂正した",
    "case.identify": "案件の相談者を決めた",
    "case.restrict": "限定案件の設定を変えた",
    "case.involve": "関与職員を加えた",
    "case.ask_division": "部署に依頼した",
    "case.accept": "依頼に応じた",
    "case.decline": "依頼を断った",
    "case.withdraw": "依頼を取り下げた",
    "case.arrive": "同席を始めた",
    "case.end_meeting": "同席を終えた",
    "case.return_record": "対応記録を返した",
    "case.remind_missing_records": "期限を過ぎた対応記録を催促した",
    "case.close": "案件を終了した",
    "case.reopen": "案件を再開した",
    "case.draft_faq": "案件からFAQの下書きを作った",
    "submission.submit": "ウェブ相談が届いた",
    "submission.write_again": "ウェブ相談に書き足された",
    "submission.read": "ウェブ相談を見た",
    "submission.take_up": "ウェブ相談を案件として受理した",
    "submission.reply": "ウェブ相談に返事をした",
    "survey.answer": "アンケートに答えた",
    "category.save": "分野を設定した",
    "record_term.set": "対応記録の期限を設定した",
    "faq.draft": "FAQの下書きを作った",
    "faq.edit": "FAQを直した",
    "faq.propose": "FAQの承認を頼んだ",
    "faq.send_back": "FAQを差し戻した",
    "faq.approve": "FAQを承認・公開した",
    "faq.retire": "FAQを取り下げた",
    "faq.take_in": "FAQをファイルから取り込んだ",
    "message.retry": "送信をやり直した",
    "city.add": "自治体を登録した",
    "city.change": "自治体を変えた",
    "site.add": "庁舎を加えた",
    "site.change": "庁舎を変えた",
    "division.add": "部署を加えた",
    "division.change": "部署を変えた",
    "counter.add": "窓口を加えた",
    "counter.change": "窓口を変えた",
    "room.add": "相談室を加えた",
    "room.change": "相談室を変えた",
    "opening_day.set": "開庁日の例外を決めた",
    "opening_day.clear": "開庁日の例外を取り消した",
    "need.set_up": "当番の標準の必要人数を入れた",
    "need.set": "当番の必要人数を変えた",
    "skill.add": "当番の役割を加えた",
    "member.add": "当番員を加えた",
    "member.change": "当番員の設定を変えた",
    "turn_order.set": "各課の持ち回りの順を変えた",
    "leave.take": "当番に入れない期間を登録した",
    "leave.cancel": "当番に入れない期間を取り消した",
    "wish.make": "当番の希望を登録した",
    "wish.withdraw": "当番の希望を取り消した",
    "rota.make": "当番表の枠を作った",
    "rota.discard": "当番表の案を削除した",
    "rota.ask_plan": "当番の自動作成を始めた",
    "rota.plan": "当番を自動で組んだ",
    "rota.stop_run": "当番の自動作成を中止した",
    "rota.fail_run": "当番の自動作成が途中で止まった",
    "rota.apply_run": "当番の組み直しを適用した",
    "rota.publish": "当番表を公開した",
    "duty.assign": "当番を手で変えた",
    "swap.ask": "当番の交代を申し出た",
    "swap.agreed": "当番の交代を引き受けた",
    "swap.declined": "当番の交代を辞退した",
    "swap.approved": "当番の交代を承認した",
    "swap.refused": "当番の交代を承認しなかった",
    "swap.withdraw": "当番の交代を取り下げた",
    "absence.report": "不在を登録した",
    "absence.name_stand_in": "不在の代わりの人を変えた",
    "absence.end": "不在を取り消した",
    "emergency_contact.list": "緊急連絡先を見た",
    "emergency_contact.save": "緊急連絡先を変えた",
    "mayor_letter.receive": "市長への手紙を登録した",
    "mayor_letter.read": "市長への手紙を見た",
    "mayor_letter.list": "市長への手紙の一覧を見た",
    "mayor_letter.excel": "市長への手紙の一覧をExcelに出した",
    "mayor_letter.answer": "市長への手紙に回答した",
    "letter_item.set_outcome": "手紙の項目の結果を決めた",
    "incident.open": "事案を始めた",
    "incident.read": "事案を見た",
    "incident.list": "事案の一覧を見た",
    "incident.excel": "事案の一覧をExcelに出した",
    "incident.describe": "事案の相手方と用件を書いた",
    "incident.take_step": "事案の段階を進めた",
    "incident.undo_step": "事案の段階を取り消した",
    "incident.write_note": "事案の経過を書いた",
    "incident.judge": "事案を判定した",
    "incident.return_to_complaint": "事案を通常の苦情として受け付けた",
    "measure.propose": "事後の措置を申し出た",
    "measure.list": "事後の措置の一覧を見た",
    "measure.approve": "事後の措置を承認した",
    "measure.review": "事後の措置を続けることにした",
    "measure.end": "事後の措置を終えた",
    "time_limit.set": "時間の目安を変えた",
    "script.set": "次に言う言葉を変えた",
    "standard.revise": "判定基準を直した",
    "delegation.give": "庁舎管理の委任を登録した",
    "delegation.end": "庁舎管理の委任を終えた",
    "move_list.plan": "人事異動の一覧を作った",
    "move_list.replace": "人事異動の一覧を直した",
    "move_list.approve": "人事異動を承認した",
    "move_list.stop": "人事異動を取りやめた",
    "move_list.finish": "人事異動の実施が終わった",
    "move.carry_out": "異動を実施した",
    "staff.move": "異動先の部署と役割を入れた",
    "case.pass_on": "案件を後任に引き継いだ",
}
