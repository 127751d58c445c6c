import re

from django import forms

from madoguchi.ui.fields import JapaneseDateField


class VisitForm(forms.Form):
    name = forms.CharField(label="お名前", help_text="本名でなくてもかまいません。")
    on = JapaneseDateField(label="希望日", required=False)
    how = forms.ChoiceField(
        label="連絡方法",
        choices=[("mail", "メール"), ("phone", "電話")],
        widget=forms.RadioSelect,
    )
    agrees = forms.BooleanField(label="注意事項を読みました")
    key = forms.CharField(widget=forms.HiddenInput, required=False)


def tag(html: str, name: str) -> str:
    found = re.search(rf'<[^>]*name="{name}"[^>]*>', html)
    assert found is not None
    return found[0]


def test_a_field_shows_label_must_and_help_above_its_control() -> None:
    html = str(VisitForm())

    order = ["お名前", "※必須", "本名でなくてもかまいません。", 'name="name"']
    places = [html.index(part) for part in order]
    assert places == sorted(places)
    assert 'aria-describedby="id_name_helptext"' in tag(html, "name")


def test_required_is_said_without_the_bubble_of_the_browser() -> None:
    control = tag(str(VisitForm()), "name")

    assert 'aria-required="true"' in control
    assert " required" not in control


def test_an_optional_field_is_not_marked() -> None:
    assert "※必須" not in str(VisitForm()["on"].as_field_group())
    assert "aria-required" not in tag(str(VisitForm()), "on")


def test_choices_stand_in_a_fieldset_with_a_legend() -> None:
    html = str(VisitForm()["how"].as_field_group())

    assert re.search(r"<fieldset[^>]*>\s*<legend[^>]*>連絡方法", html)
    assert html.count('<label class="choice"') == 2


def test_a_check_box_stands_before_its_words() -> None:
    html = str(VisitForm()["agrees"].as_field_group())

    assert html.index('type="checkbox"') < html.index("注意事項を読みました")


def test_an_error_is_tied_to_its_control_and_keeps_the_input() -> None:
    html = str(VisitForm({"name": "", "on": "あした", "how": "mail", "agrees": "on"}))

    assert 'aria-invalid="true"' in tag(html, "on")
    assert 'aria-describedby="id_on_helptext id_on_error"' in tag(html, "on")
    assert 'value="あした"' in tag(html, "on")
    assert re.search(r'id="id_on_error">.*＊日付として読めません', html, re.DOTALL)


def test_errors_are_summed_up_first_with_links_and_the_focus() -> None:
    html = str(VisitForm({"name": "", "how": ""}))

    summary = html[: html.index("</ul>")]
    assert 'role="alert" tabindex="-1" autofocus' in summary
    assert '<a href="#id_name">' in summary
    assert '<a href="#id_how_0">' in summary
    assert 'id="id_how_0"' in html[len(summary) :]


def test_a_form_without_errors_has_no_summary() -> None:
    assert "error-summary" not in str(VisitForm())


def test_hidden_fields_are_drawn_once() -> None:
    assert str(VisitForm()).count('name="key"') == 1
