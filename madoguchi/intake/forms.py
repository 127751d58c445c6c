"""What residents write on the web page, and how staff take it up and answer."""

import warnings
from io import BytesIO
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy

from madoguchi.casework.models import Category
from madoguchi.casework.rules import KIND_LABELS
from madoguchi.intake import rules
from madoguchi.offices.models import Division
from madoguchi.ui.fields import PhoneField
from madoguchi.ui.templatetags.language import said


class KeyField(forms.UUIDField):
    """The key by which a form sent twice is known; made when the form is first shown."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(initial=uuid4)


class LongText(forms.CharField):
    """Several lines of text, which the browser does not offer to the next person."""

    def __init__(self, *, rows: int = 8, **more: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "autocomplete": "off"})
        super().__init__(widget=widget, max_length=rules.TEXT_LENGTH, **more)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """A few pictures or PDFs, told by their content. Gives a list of `rules.File`."""

    default_error_messages = {
        "count": "送れるのは3つまでです。",
        "size": "大きすぎるファイルがあります。5MBまでにしてください。",
        "type": "送れるのは、写真（JPEG、PNG）とPDFだけです。",
        "empty": "空のファイルがあります。選び直してください。",
    }

    def __init__(self) -> None:
        kinds = ",".join(rules.MEDIA_TYPE_LABELS)
        super().__init__(
            label="写真や書類",
            required=False,
            help_text="写真（JPEG、PNG）かPDF。3つまで、それぞれ5MBまで。",
            widget=FilesInput(attrs={"accept": kinds}),
        )

    def clean(self, data: Any, initial: Any = None) -> list[rules.File]:
        given = [file for file in data or [] if file]
        if len(given) > rules.MOST_FILES:
            raise ValidationError(self.error_messages["count"], code="count")
        return [self._checked(file) for file in given]

    def _checked(self, file: "UploadedFile[Any]") -> rules.File:
        if not file.size:
            raise ValidationError(self.error_messages["empty"], code="empty")
        if file.size > rules.MOST_BYTES:
            raise ValidationError(self.error_messages["size"], code="size")
        content = file.read()
        media_type = rules.media_type_of(content)
        if not media_type:
            raise ValidationError(self.error_messages["type"], code="type")
        if media_type.startswith("image/"):
            self._look_at(content)
        name = rules.file_name(file.name or "")
        return rules.File(name=name, media_type=media_type, content=content)

    def _look_at(self, content: bytes) -> None:
        """Read the head of a picture alone: what it would unfold to is never unfolded here."""
        from PIL import Image  # megabytes that only an upload needs

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(BytesIO(content), formats=["JPEG", "PNG"]) as picture:
                    pixels = picture.width * picture.height
        except Image.DecompressionBombError as error:
            raise ValidationError(self.error_messages["size"], code="size") from error
        except (OSError, ValueError, SyntaxError) as error:
            raise ValidationError(self.error_messages["type"], code="type") from error
        if pixels > rules.MOST_PIXELS:
            raise ValidationError(self.error_messages["size"], code="size")


class CategoryField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The fields of the city; those it did not rename are said in the resident's language."""

    def label_from_instance(self, obj: Category) -> str:
        return str(said(obj.name))


class SubmitForm(forms.Form):
    """What it is about; who it is only if the resident wants to say so."""

    key = KeyField()
    kind = forms.ChoiceField(
        label="どのようなご用件ですか",
        choices=[(kind.value, label) for kind, label in rules.KIND_LABELS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "どれか一つを選んでください。"},
    )
    category = CategoryField(
        label="何についてですか",
        queryset=Category.objects.filter(is_active=True),
        required=False,
        empty_label=gettext_lazy("わからない"),
    )
    text = LongText(
        label="内容",
        help_text="思いつくままで構いません。いつ、どこで、何に困っているかがあると助かります。",
        error_messages={"required": "内容を書いてください。ひとことでも構いません。"},
    )
    papers = FilesField()
    wants_reply = forms.BooleanField(
        label="返事がほしい",
        required=False,
        initial=True,
        help_text="このサイトで返事を読めます。",
    )
    name = forms.CharField(
        label="お名前",
        max_length=120,
        required=False,
        help_text="書かなくても相談できます。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = PhoneField(label="電話番号", required=False, help_text="電話をしてもよいときだけ。")
    email = forms.EmailField(
        label="メールアドレス",
        required=False,
        help_text="返事が届いたことだけを、お知らせします。内容はメールに書きません。",
    )

    def category_chosen(self) -> Category:
        """Return what was chosen; somebody who does not know is asked nothing more."""
        chosen: Category | None = self.cleaned_data["category"]
        rest = Category.objects.filter(code="OTHER").first()
        return chosen or rest or Category.objects.earliest("pk")


class OpenPageForm(forms.Form):
    """The number and the code, as they were noted down."""

    number = forms.CharField(
        label="控えの番号",
        max_length=20,
        help_text="例: W8-00012",
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "narrow"}),
        error_messages={"required": "控えの番号を入力してください。"},
    )
    code = forms.CharField(
        label="合言葉",
        max_length=20,
        help_text="英字と数字の10文字。小文字でも構いません。",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "class": "narrow"}
        ),
        error_messages={"required": "合言葉を入力してください。"},
    )


class MessageForm(forms.Form):
    """One more text, by the resident or by the office."""

    key = KeyField()
    text = LongText(label="内容", rows=6, error_messages={"required": "内容を書いてください。"})


class MoreForm(MessageForm):
    """One more text by the resident, with what belongs to it."""

    papers = FilesField()


class TakeUpForm(forms.Form):
    """The case it becomes; the resident's own choices stand in it already."""

    title = forms.CharField(
        label="件名", max_length=120, error_messages={"required": "件名を入力してください。"}
    )
    kind = forms.ChoiceField(
        label="種別", choices=[(kind.value, label) for kind, label in KIND_LABELS.items()]
    )
    category = forms.ModelChoiceField(
        label="分野", queryset=Category.objects.filter(is_active=True), empty_label=None
    )
    owner = forms.ModelChoiceField(
        label="担当課", queryset=Division.objects.filter(is_outside=False), empty_label=None
    )
