"""Columns that keep a secret or a matching key."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import models

from madoguchi.residents.rules import Hidden, opened

if TYPE_CHECKING:
    HiddenText = models.CharField[str | Hidden, Hidden]
    Text = models.CharField[str, str]
else:
    HiddenText = Text = models.CharField


class HiddenField(HiddenText):
    """A text column that comes out of the database as `Hidden`, in rows, values and exports."""

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: Any) -> None:  # type: ignore[override]
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _HiddenAttribute(name))

    def from_db_value(self, value: str, *_: object) -> Hidden:
        return Hidden(value)

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Hidden) else Hidden(value or "")

    def get_prep_value(self, value: Any) -> Any:
        return opened(value) if isinstance(value, Hidden) else value

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class _HiddenAttribute:
    """Whatever is put into the attribute, a `Hidden` comes out."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, row: models.Model | None, owner: type[models.Model]) -> Any:
        if row is None:
            return self
        if self.name not in row.__dict__:
            row.refresh_from_db(fields=[self.name])
        return row.__dict__[self.name]

    def __set__(self, row: models.Model, value: str | Hidden | None) -> None:
        row.__dict__[self.name] = value if isinstance(value, Hidden) else Hidden(value or "")


class MatchingKey(Text):
    """A column kept equal to the key of another one at every insert and save."""

    def __init__(
        self, *args: Any, of: str = "", key: Callable[[str], str] = str, **options: Any
    ) -> None:
        self.of, self.key = of, key
        super().__init__(*args, **options)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        source = getattr(model_instance, self.of)
        value = self.key(opened(source) if isinstance(source, Hidden) else source)
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
