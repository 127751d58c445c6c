"""What the form templates need to know of a field."""

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def control(field: BoundField) -> SafeString:
    """
    Draw the control of a field; what is required is said by aria-required.

    The browser's own `required` is left out: its bubble speaks the browser's language, goes
    away and cannot be read again, while the server's message stays beside the field.
    """
    field.form.use_required_attribute = False
    is_said_here = field.field.required and not field.use_fieldset
    return field.as_widget(attrs={"aria-required": "true"} if is_said_here else {})


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)
