"""A new city starts with the twenty standard fields of consultation."""

from django.db import migrations

STANDARD = (
    ("ADMIN", "行政手続・市政"),
    ("CONSUMER", "消費生活"),
    ("LEGAL", "法律（相続・離婚・金銭・契約）"),
    ("HOUSEHOLD", "家計・債務"),
    ("WELFARE", "福祉・生活困窮"),
    ("MENTAL", "こころ・心配ごと"),
    ("FAMILY", "家庭・家族関係"),
    ("CHILD", "子育て・教育"),
    ("ELDER", "高齢・介護"),
    ("DISAB", "障害"),
    ("DV", "DV・虐待・人権"),
    ("NEIGHBOR", "近隣・生活環境（騒音・空き家・ごみ・動物）"),
    ("HOUSING", "住まい・不動産・登記"),
    ("TAX", "税・保険・年金"),
    ("TRAFFIC", "交通事故"),
    ("LABOR", "仕事・労働"),
    ("BUSINESS", "経営・創業"),
    ("FOREIGN", "外国人・多文化"),
    ("DISASTER", "防災・防犯"),
    ("OTHER", "その他"),
)


def add(apps, schema_editor):
    category = apps.get_model("casework", "Category")
    category.objects.bulk_create(
        category(code=code, name=name, position=position)
        for position, (code, name) in enumerate(STANDARD, start=1)
    )


class Migration(migrations.Migration):
    dependencies = [("casework", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
