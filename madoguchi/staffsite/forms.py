from django import forms

from madoguchi.ui.fields import JapaneseDateField, KanaField, PhoneField


class SampleForm(forms.Form):
    """Every kind of field once, for the component page."""

    name = forms.CharField(
        label="氏名", max_length=40, help_text="匿名の方は空けておきます。", required=False
    )
    kana = KanaField(label="ふりがな", required=False)
    phone = PhoneField(label="電話", required=False)
    on = JapaneseDateField(label="相談日")
    channel = forms.ChoiceField(
        label="受付方法",
        choices=[("visit", "来庁"), ("phone", "電話"), ("mail", "メール")],
        widget=forms.RadioSelect,
    )
    care = forms.MultipleChoiceField(
        label="配慮事項",
        choices=[("voice", "大きな声で話す"), ("write", "筆談"), ("ramp", "段差のない席")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    category = forms.ChoiceField(
        label="分野", choices=[("", "選んでください"), ("child", "子育て"), ("tax", "税金")]
    )
    text = forms.CharField(
        label="相談内容",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="話したとおりに書きます。",
    )
    is_urgent = forms.BooleanField(label="急ぎ", required=False)
